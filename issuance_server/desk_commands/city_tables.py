"""``issuance-server tables check | load | show | open | fees | changes``."""

import argparse
import sys
from datetime import date, datetime
from pathlib import Path

from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.control.tables_acts import loading_subject
from issuance_server.core.calendar import JST, civil
from issuance_server.core.tables import CityTables
from issuance_server.core.tables.loaded import read_loaded
from issuance_server.core.tables.preview import (
    FeeOnDay,
    KindOpening,
    changes,
    fees_on,
    openings,
)
from issuance_server.core.tables.reading import YEAR_MAX, YEAR_MIN
from issuance_server.core.terminal_place import TerminalClass
from issuance_server.desk_commands.acts import do_act
from issuance_server.desk_commands.parsing import Commands, add_act, add_config, day, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import clock_text, print_json, print_table
from issuance_server.tables_file import load_tables
from protocol.errors import SetUpError

_OPEN_COLUMNS = ("class", "kind", "", "is", "until", "why", "chains")
_FEE_COLUMNS = ("channel", "kind", "", "yen", "chain", "campaign until")


def check_tables(arguments: argparse.Namespace) -> int:
    """Check a file of tables without touching any city, and say what is in it."""
    _, tables = load_tables(arguments.file)
    calendar = tables.calendar
    rows = (
        ("hours", len(calendar.hours)),
        ("yearly_closures", len(calendar.yearly_closures)),
        ("inspection_days", len(calendar.inspection_days)),
        ("maintenance", len(calendar.maintenance)),
        ("fees", len(tables.fees)),
        ("campaigns", len(tables.campaigns)),
        ("chains", len(tables.chains)),
        ("commissions", len(tables.commissions)),
    )
    print_table(("table", "lines"), rows)
    if any(line.holidays_differ for line in calendar.hours):
        last = max(calendar.holidays)
        sys.stderr.write(f"holidays are listed until {last}; later ones are as other days\n")
    sys.stderr.write(f"{arguments.file} is right\n")
    return 0


async def load(city: City, arguments: argparse.Namespace) -> int:
    """Put a file of tables into force, signed by two operators with a reason."""
    content, _ = load_tables(arguments.file)
    await do_act(
        city,
        arguments,
        act=wire.ACT_TABLES_LOAD,
        subject=loading_subject(content),
        brought=wire.NewTablesFile(content=content),
    )
    sys.stderr.write(f"{arguments.file} is in force; what is under way keeps its quotation\n")
    return 0


async def show(city: City, arguments: argparse.Namespace) -> int:
    """Print the tables in force, as they were written."""
    loaded = (await _in_force(city)).loaded
    if loaded is None:
        raise SetUpError(
            "no tables were ever loaded, so nothing is offered; load some: tables load"
        )
    text = loaded.content.decode()
    by = "the founding of the city" if loaded.operator is None else loaded.operator
    if arguments.json:
        print_json(
            {
                "loaded_at": clock_text(loaded.loaded_at_ms),
                "operator": loaded.operator,
                "digest": loaded.digest.hex(),
                "content": text,
            }
        )
    else:
        sys.stdout.write(text)
        sys.stderr.write(f"in force since {clock_text(loaded.loaded_at_ms)}, by {by}\n")
    return 0


async def show_open(city: City, arguments: argparse.Namespace) -> int:
    """Print what is open at a moment, and when it closes or opens again."""
    tables, now_ms = await _tables(city, arguments)
    at_ms = now_ms if arguments.at is None else arguments.at
    classes = [one for one in TerminalClass if arguments.terminal_class in {None, one.value}]
    rows = [row for one in classes for row in openings(tables, one, at_ms)]
    if arguments.json:
        print_json([_opening_json(row) for row in rows])
    else:
        sys.stderr.write(f"at {_minute_text(at_ms)} in Japan\n")
        print_table(_OPEN_COLUMNS, (_opening_cells(row) for row in rows))
    return 0


async def show_fees(city: City, arguments: argparse.Namespace) -> int:
    """Print what a copy costs on a day."""
    tables, now_ms = await _tables(city, arguments)
    on = arguments.at or civil(now_ms).date()
    rows = fees_on(tables, on)
    if arguments.json:
        print_json([_fee_json(row) for row in rows])
    else:
        nothing = "" if rows else "; the tables have no fee for that day; see: tables show"
        sys.stderr.write(f"on {on}{nothing}\n")
        print_table(_FEE_COLUMNS, (_fee_cells(row) for row in rows))
    return 0


async def show_changes(city: City, arguments: argparse.Namespace) -> int:
    """Print what begins and ends between two days."""
    tables, now_ms = await _tables(city, arguments)
    today = civil(now_ms).date()
    first = arguments.first or today
    last = arguments.last or date(first.year + 1, first.month, 1)
    if last < first:
        raise SetUpError(f"{last} is before {first}; exchange --from and --to")
    found = changes(tables, first, last)
    if arguments.json:
        print_json([{"day": one.day, "what": one.what} for one in found])
    else:
        print_table(("day", "what"), ((one.day, one.what) for one in found))
    return 0


def add_commands(commands: Commands) -> None:
    """Add ``tables``."""
    group = commands.add_parser("tables", help="hours, fees and chains of the city")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    checked = actions.add_parser("check", help="check a file of tables")
    _add_file(checked)
    checked.set_defaults(run=check_tables)
    loaded = actions.add_parser(
        "load", help="put a file of tables into force, at once (two operators)"
    )
    _add_file(loaded)
    add_act(loaded, of_two=True)
    loaded.set_defaults(run=of_city(load))
    shown = actions.add_parser("show", help="the tables in force, as they were written")
    add_config(shown, json=True)
    shown.set_defaults(run=of_city(show))
    opened = actions.add_parser("open", help="what is open at a moment, and when the rest opens")
    opened.add_argument("--at", type=_moment, metavar="TIME", help="such as 2026-12-29T10:00; now")
    opened.add_argument(
        "--class",
        dest="terminal_class",
        choices=[one.value for one in TerminalClass],
        help="of these machines only",
    )
    _add_preview(opened)
    opened.set_defaults(run=of_city(show_open))
    fees = actions.add_parser("fees", help="what a copy costs on a day")
    fees.add_argument("--at", type=day, metavar="DAY", help="such as 2027-04-01; today")
    _add_preview(fees)
    fees.set_defaults(run=of_city(show_fees))
    changing = actions.add_parser("changes", help="what begins and ends between two days")
    changing.add_argument("--from", dest="first", type=day, metavar="DAY", help="today")
    changing.add_argument("--to", dest="last", type=day, metavar="DAY", help="a year later")
    _add_preview(changing)
    changing.set_defaults(run=of_city(show_changes))


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="such as tables.toml")


def _add_preview(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--file", type=Path, metavar="FILE", help="tables that are not in force, to see beforehand"
    )
    add_config(parser, json=True)


async def _in_force(city: City) -> wire.TablesInForce:
    answer = await ask(city, wire.ReadTables())
    if not isinstance(answer, wire.TablesInForce):
        raise SetUpError("the server gave another answer than was asked")
    return answer


async def _tables(city: City, arguments: argparse.Namespace) -> tuple[CityTables, int]:
    """Return the tables to look at, and the business time of now."""
    answer = await _in_force(city)
    if arguments.file is not None:
        return load_tables(arguments.file)[1], answer.business_ms
    return read_loaded(answer.loaded), answer.business_ms


def _opening_cells(row: KindOpening) -> tuple[object, ...]:
    until = "" if row.until_ms is None else _minute_text(row.until_ms)
    state, why = ("open", "") if row.cause is None else ("closed", row.cause.value)
    chains = ", ".join(row.chains)
    return row.terminal_class.value, row.kind.value, row.kind.title, state, until, why, chains


def _opening_json(row: KindOpening) -> dict[str, object]:
    until = None if row.until_ms is None else civil(row.until_ms).isoformat()
    return {
        "class": row.terminal_class.value,
        "kind": row.kind.value,
        "open": row.cause is None,
        "closes_at" if row.cause is None else "opens_at": until,
        "cause": None if row.cause is None else row.cause.value,
        "chains": row.chains,
    }


def _fee_cells(row: FeeOnDay) -> tuple[object, ...]:
    return (
        row.channel.value,
        row.kind.value,
        row.kind.title,
        row.yen,
        row.chain,
        row.campaign_until,
    )


def _fee_json(row: FeeOnDay) -> dict[str, object]:
    return {
        "channel": row.channel.value,
        "chain": row.chain,
        "kind": row.kind.value,
        "yen": row.yen,
        "campaign_until": row.campaign_until,
    }


def _minute_text(at_ms: int) -> str:
    return f"{civil(at_ms):%Y-%m-%d %H:%M}"


def _moment(text: str) -> int:
    """Read a moment, in Japan if it names no zone, as business time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    known = moment is not None and YEAR_MIN <= moment.year <= YEAR_MAX
    if moment is None or not known or len(text) <= len("2026-12-29"):
        raise argparse.ArgumentTypeError(f"{text} is no day and time, such as 2026-12-29T10:00")
    return int((moment if moment.tzinfo else moment.replace(tzinfo=JST)).timestamp()) * 1_000
