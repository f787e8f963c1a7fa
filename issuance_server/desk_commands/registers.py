"""``issuance-server register status | import | feed | stand-in | export``: the register copy."""

import argparse
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

from issuance_server.adapters.register_file import write_extract
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.control.register_acts import stand_in_subject
from issuance_server.core.calendar import JST
from issuance_server.desk_commands.acts import Acting
from issuance_server.desk_commands.parsing import (
    Commands,
    add_act,
    add_config,
    add_second,
    of_city,
)
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.register_feeding import STANDARD_INPUT, feed
from issuance_server.desk_commands.register_importing import import_extract
from issuance_server.desk_commands.set_up import CITY_CODE
from issuance_server.desk_commands.tables import clock_text, print_json, print_table
from issuance_server.sample.extract import sample_contents
from protocol.errors import SetUpError

_MS_PER_S = 1_000
_HOUR_AND_MINUTE = re.compile(r"[0-9]{2}:[0-9]{2}")


async def show_status(city: City, arguments: argparse.Namespace) -> int:
    """Print how the register copy stands."""
    answer = await ask(city, wire.ReadRegister())
    if not isinstance(answer, wire.RegisterStatus):
        raise SetUpError("the server gave another answer than was asked")
    age_ms_max = city.config.register.age_seconds_max * _MS_PER_S
    if arguments.json:
        print_json({"status": answer, "age_ms_max": age_ms_max})
        return 0
    print_table(("what", "is"), _rows(answer, age_ms_max))
    for edit in answer.edits:
        sys.stdout.write(
            f"open for editing since {clock_text(edit.since_ms)}: {edit.subject_kind}"
            f" {edit.subject_id}\n"
        )
    return 0


def _rows(status: wire.RegisterStatus, age_ms_max: int) -> list[tuple[str, object]]:
    until_ms, expected = status.stand_in_until_ms, status.gap_expected
    old = "" if status.age_ms <= age_ms_max else f", older than {age_ms_max // _MS_PER_S} s"
    sizes = status.sizes
    return [
        ("as of", clock_text(status.as_of_ms)),
        ("age", f"{status.age_ms / _MS_PER_S:.1f} s{old}"),
        ("last change", status.sequence),
        ("missing", "nothing" if expected is None else f"{expected} (came: {status.gap_found})"),
        ("stand-in", "no" if until_ms is None else f"until {clock_text(until_ms)}"),
        ("households", sizes.households),
        ("residents", sizes.residents),
        ("other records", sizes.records),
        ("open edits", sizes.edits),
    ]


async def begin_stand_in(city: City, arguments: argparse.Namespace) -> int:
    """Declare stand-in operation, signed by two operators with a reason."""
    until_ms = _time_ms(arguments.until)
    await Acting.unlock(city, arguments).do(
        wire.ACT_STAND_IN_BEGIN,
        subject=stand_in_subject(until_ms),
        brought=wire.StandInTime(until_ms=until_ms),
    )
    sys.stderr.write(
        f"the copy is used as it is until {clock_text(until_ms)}; end it before if the registers"
        " are back: register stand-in end\n"
    )
    return 0


async def end_stand_in(city: City, arguments: argparse.Namespace) -> int:
    """End stand-in operation, signed by two operators with a reason."""
    await Acting.unlock(city, arguments).do(wire.ACT_STAND_IN_END, subject="stand-in")
    sys.stderr.write("stand-in operation has ended: an old copy refuses again\n")
    return 0


def export_sample(arguments: argparse.Namespace) -> int:
    """Write the sample city's registers as a full extract."""
    counts = write_extract(
        arguments.extract,
        city=CITY_CODE,
        as_of=datetime.fromtimestamp(int(time.time()), UTC).astimezone(JST),
        sequence=0,
        contents=sample_contents,
    )
    sys.stderr.write(
        f"{arguments.extract} holds {counts.households} households with {counts.residents}"
        f" residents, {counts.records} other records and {counts.suppressions} suppressions\n"
    )
    return 0


def add_commands(commands: Commands) -> None:
    """Add ``register``."""
    group = commands.add_parser("register", help="the copy of the registers")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    status = actions.add_parser("status", help="how old it is, and what it lacks")
    add_config(status, json=True)
    status.set_defaults(run=of_city(show_status))
    imported = actions.add_parser("import", help="let a full extract take its place")
    imported.add_argument("extract", type=Path, metavar="FILE", help="the extract, JSON Lines")
    imported.add_argument(
        "--set-back",
        action="store_true",
        help="the registers were set back: take an extract that is older than the copy (two"
        " operators)",
    )
    add_act(imported)
    add_second(imported, required=False)
    imported.set_defaults(run=of_city(import_extract))
    fed = actions.add_parser("feed", help="take changes, in order and each once")
    fed.add_argument(
        "changes",
        type=Path,
        metavar="FILE",
        help=f"the changes, JSON Lines; {STANDARD_INPUT} for standard input",
    )
    add_act(fed)
    fed.set_defaults(run=of_city(feed))
    _add_stand_in(actions)
    exported = actions.add_parser("export", help="write an extract to look at and to import")
    exported.add_argument("extract", type=Path, metavar="FILE", help="a new file")
    exported.add_argument(
        "--sample", choices=["toyonaka"], required=True, help="of which fictitious city"
    )
    exported.set_defaults(run=export_sample)


def _add_stand_in(actions: Commands) -> None:
    group = actions.add_parser("stand-in", help="use an old copy while the registers are down")
    stand_in = group.add_subparsers(required=True, metavar="ACTION")
    begun = stand_in.add_parser("begin", help="declare it, with an end")
    begun.add_argument(
        "--until",
        required=True,
        metavar="TIME",
        help="when it ends by itself, within 24 hours: 18:00 is the next one, or with its day"
        " such as 2026-11-30T18:00; in Japan, by the clock of this machine and not by the city's"
        " business clock",
    )
    add_act(begun, of_two=True)
    begun.set_defaults(run=of_city(begin_stand_in))
    ended = stand_in.add_parser("end", help="end it before its time")
    add_act(ended, of_two=True)
    ended.set_defaults(run=of_city(end_stand_in))


def _time_ms(text: str) -> int:
    """Read a time; without an offset it is Japan's, without a day the next one that comes.

    Raises:
        SetUpError: it is none.
    """
    now = datetime.fromtimestamp(time.time(), JST)
    try:
        if _HOUR_AND_MINUTE.fullmatch(text):
            at = datetime.combine(now.date(), clock_time.fromisoformat(text), JST)
            at = at if at > now else at + timedelta(days=1)
        else:
            at = datetime.fromisoformat(text)
    except ValueError:
        raise SetUpError(f"{text} is no time; write it like 18:00 or 2026-11-30T18:00") from None
    at = at.replace(tzinfo=JST) if at.tzinfo is None else at
    return int(at.timestamp() * _MS_PER_S)
