"""``issuance-server push list``: card holders to be notified of the service, as CSV."""

import argparse
import contextlib
import csv
import os
import sys
from collections import Counter
from pathlib import Path

from issuance_server.adapters.sqlite.push_reading import PAGE_ROWS_MAX, PushRow
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.control.push_acts import push_subject
from issuance_server.core.push import PushState
from issuance_server.desk_commands.acts import Acting
from issuance_server.desk_commands.parsing import Commands, add_act, day, of_city
from protocol.errors import SetUpError

_PRIVATE = 0o600
_COLUMNS = ("state", "resident_id", "card_ref")
_ADDRESS_COLUMNS = ("name", "address")
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""With these a spreadsheet may take a cell for a formula (OWASP, CSV injection)."""


async def list_holders(city: City, arguments: argparse.Namespace) -> int:
    """Write the list, signed by a named operator with a reason; the file is the owner's alone."""
    acting = Acting.unlock(city, arguments)
    unfinished = arguments.out.with_name(f"{arguments.out.name}.part")
    if arguments.out.exists() and not arguments.replace:
        raise SetUpError(f"{arguments.out} exists; name another file, or say --replace")
    counts: Counter[str] = Counter()
    columns = (*_COLUMNS, *(_ADDRESS_COLUMNS if arguments.with_addresses else ()))
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        descriptor = os.open(unfinished, flags, _PRIVATE)
        with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as file:
            os.fchmod(descriptor, _PRIVATE)
            table = csv.writer(file)
            table.writerow(columns)
            after: str | None = ""
            while after is not None:
                rows = await _page(acting, arguments, after)
                table.writerows([safe_cell(getattr(row, name)) for name in columns] for row in rows)
                counts.update(row.state for row in rows)
                after = rows[-1].card_ref if len(rows) == PAGE_ROWS_MAX else None
        unfinished.replace(arguments.out)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise SetUpError(
            f"{arguments.out} cannot be written: {error.strerror}; name a file in a folder that is"
            " there and yours"
        ) from None
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    told = ", ".join(f"{state.value} {counts[state.value]}" for state in PushState)
    sys.stderr.write(f"{arguments.out} has {counts.total()} card holders: {told}\n")
    return 0


def safe_cell(value: str | None) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = value or ""
    return f"'{text}" if text.lstrip(" \u3000").startswith(_ACTIVE) else text


def add_commands(commands: Commands) -> None:
    """Add ``push``."""
    group = commands.add_parser("push", help="whom to tell of the service (プッシュ型お知らせ)")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="card holders by state, as CSV")
    listed.add_argument("--as-of", required=True, type=day, metavar="DAY", help="YYYY-MM-DD")
    listed.add_argument("--out", required=True, type=Path, metavar="FILE", help="the CSV file")
    listed.add_argument(
        "--with-addresses", action="store_true", help="with name and address, for letters"
    )
    listed.add_argument("--replace", action="store_true", help="write over a file that is there")
    add_act(listed)
    listed.set_defaults(run=of_city(list_holders))


async def _page(acting: Acting, arguments: argparse.Namespace, after: str) -> tuple[PushRow, ...]:
    page = wire.PushPage(
        as_of=arguments.as_of, with_addresses=arguments.with_addresses, after=after
    )
    answer = await acting.do(wire.ACT_PUSH_LIST, subject=push_subject(page), brought=page)
    if not isinstance(answer, wire.PushRows):
        raise SetUpError("the server gave another answer than was asked")
    return answer.rows
