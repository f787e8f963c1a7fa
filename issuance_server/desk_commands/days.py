"""``issuance-server day status | close | carry-over | settle | export``."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from issuance_server.adapters.sqlite.day_accounts import AccountRow, LateReport
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.control.day_acts import line_subject
from issuance_server.core.day_blockers import NAMED_MAX
from issuance_server.core.day_counts import Counts
from issuance_server.desk_commands.acts import do_act
from issuance_server.desk_commands.day_export import checked_day, totals_path, write_accounts
from issuance_server.desk_commands.parsing import Commands, add_act, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import clock_text, print_json, print_table
from protocol.errors import SetUpError
from protocol.telegrams import Counters

_COUNTS = ("completed", "reversed", "failed", "withdrawn", "closed", "unconfirmed", "under way")
_MONEY = ("copies", "collected", "returned", "earned", "held", "commission")
_LINES = (
    *("terminal", "store", "line", "counted here", "counted there"),
    *("completed", "reversed", "failed", "not at an end", "earned"),
)
_LATE = ("issuance", "terminal", "said", "sheets", "fee", "yen")
_EXIT_OPEN = 1


async def show_day(city: City, arguments: argparse.Namespace) -> int:
    """Print how a day stands; exit status 1 while something keeps it open."""
    status = await _status(city, arguments.day)
    if arguments.json:
        print_json(status)
    elif status.day is None:
        sys.stdout.write("every day that has any business is closed\n")
    else:
        _print_status(status)
    return _EXIT_OPEN if status.blockers else 0


async def close_day(city: City, arguments: argparse.Namespace) -> int:
    """Close a day for good, signed by a named operator with a reason."""
    await do_act(city, arguments, act=wire.ACT_DAY_CLOSE, subject=arguments.day)
    status = await _status(city, arguments.day)
    sums = status.city
    sys.stderr.write(
        f"{arguments.day} is closed: {sums.copies} certificates, {sums.earned_yen} yen earned,"
        f" {sums.commission_yen} yen due to chains\n"
    )
    return 0


async def carry_over(city: City, arguments: argparse.Namespace) -> int:
    """Let a day close without a terminal that cannot be reached, signed by two operators."""
    subject = line_subject(arguments.terminal, arguments.day)
    await do_act(city, arguments, act=wire.ACT_DAY_CARRY_OVER, subject=subject)
    sys.stderr.write(
        f"{arguments.terminal} is carried over; what it has open counts in the day in which it"
        " ends\n"
    )
    return 0


async def settle_difference(city: City, arguments: argparse.Namespace) -> int:
    """Say that a difference of counters was looked into, signed by two operators."""
    subject = line_subject(arguments.terminal, arguments.day)
    await do_act(city, arguments, act=wire.ACT_DAY_SETTLE, subject=subject)
    sys.stderr.write(f"the difference of {arguments.terminal} keeps no day open any more\n")
    return 0


async def export_day(city: City, arguments: argparse.Namespace) -> int:
    """Write a day's accounts."""
    status = await _status(city, arguments.day)
    if status.closed_at_ms is None and not arguments.draft:
        raise SetUpError(
            f"{arguments.day} is not closed and can still change; close it first: day close, or"
            " say --draft"
        )
    rows: list[AccountRow] = []
    while True:
        after = rows[-1].row if rows else 0
        answer = await ask(city, wire.ReadAccounts(day=arguments.day, after=after))
        if not isinstance(answer, wire.Accounts):
            raise SetUpError("the server gave another answer than was asked")
        if not answer.rows:
            break
        rows += answer.rows
    write_accounts(arguments.out, status, rows, byte_order_mark=arguments.bom)
    sys.stderr.write(
        f"{len(rows)} issuances are in {arguments.out}, the sums in {totals_path(arguments.out)}\n"
    )
    return 0


def add_commands(commands: Commands) -> None:
    """Add ``day``."""
    group = commands.add_parser("day", help="close business days and hand them to the accounts")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    shown = actions.add_parser("status", help="how a day stands, and what keeps it open")
    shown.add_argument(
        "day", nargs="?", type=checked_day, metavar="DAY", help="YYYY-MM-DD; the first open one"
    )
    add_config(shown, json=True)
    shown.set_defaults(run=of_city(show_day))
    closed = actions.add_parser("close", help="close a day; it never changes afterwards")
    _add_day(closed)
    add_act(closed)
    closed.set_defaults(run=of_city(close_day))
    carried = actions.add_parser(
        "carry-over", help="close a day without a terminal that cannot be reached (two operators)"
    )
    settled = actions.add_parser(
        "settle", help="a difference of counters was looked into (two operators)"
    )
    for parser, command in ((carried, carry_over), (settled, settle_difference)):
        _add_day(parser)
        parser.add_argument("--terminal", required=True, metavar="ID", help="the terminal's id")
        add_act(parser, of_two=True)
        parser.set_defaults(run=of_city(command))
    exported = actions.add_parser("export", help="write a day's accounts as CSV")
    _add_day(exported)
    exported.add_argument("--out", required=True, type=Path, metavar="FILE", help="a new file")
    exported.add_argument(
        "--bom",
        action="store_true",
        help="begin the files with a byte order mark, as some spreadsheets need it",
    )
    exported.add_argument("--draft", action="store_true", help="also of a day that is not closed")
    add_config(exported)
    exported.set_defaults(run=of_city(export_day))


def _add_day(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("day", type=checked_day, metavar="DAY", help="YYYY-MM-DD")


async def _status(city: City, day: str | None) -> wire.DayStatus:
    answer = await ask(city, wire.ReadDay(day=day))
    if not isinstance(answer, wire.DayStatus):
        raise SetUpError("the server gave another answer than was asked")
    return answer


def _print_status(status: wire.DayStatus) -> None:
    if status.closed_at_ms is not None:
        closed = f"closed {clock_text(status.closed_at_ms)} by {status.closed_by}"
    else:
        closed = "open; its service is over" if status.over else "open"
    sys.stdout.write(f"{status.day}: {closed}\n\n")
    print_table(
        ("chain", "kind", *_COUNTS, *_MONEY),
        (
            *((row.chain, row.kind, *_cells(row.counts)) for row in status.kinds),
            *((row.chain, "all", *_cells(row.counts)) for row in status.chains),
            ("city", "all", *_cells(status.city)),
        ),
    )
    if status.lines:
        sys.stdout.write("\n")
        print_table(_LINES, map(_line, status.lines))
    if status.late_reports:
        sys.stdout.write("\nsaid after two operators had closed it:\n")
        print_table(_LATE, map(_late, status.late_reports))
    _print_blockers(status.blockers)


def _print_blockers(blockers: Iterable[wire.BlockerRow]) -> None:
    for number, blocker in enumerate(blockers):
        if number == 0:
            sys.stdout.write("\nwhat keeps it open:\n")
        sys.stdout.write(f"  {blocker.reason}: {blocker.text}\n")
        for issuance in blocker.issuances[NAMED_MAX:]:
            sys.stdout.write(f"    {issuance}\n")


def _late(row: LateReport) -> tuple[object, ...]:
    return (row.issuance, row.terminal, row.outcome, row.sheets_out, row.fee, row.fee_yen)


def _line(row: wire.LineRow) -> tuple[object, ...]:
    counts = row.counts
    return (
        *(row.terminal, f"{row.chain} {row.store}", row.line),
        *(_told(row.ours), _told(row.theirs)),
        *(counts.completed, counts.reversed, _failed(counts)),
        *(counts.unconfirmed + counts.under_way, counts.earned_yen),
    )


def _told(counters: Counters | None) -> str:
    """Completed, reversed, and yen earned, as they are compared at the closing of a line."""
    if counters is None:
        return "-"
    return f"{counters.completed}/{counters.reversed}/{counters.fees_earned_yen}"


def _cells(counts: Counts) -> tuple[object, ...]:
    return (
        *(counts.completed, counts.reversed, _failed(counts), counts.withdrawn, counts.closed),
        *(counts.unconfirmed, counts.under_way, counts.copies, counts.collected_yen),
        *(counts.returned_yen, counts.earned_yen, counts.held_yen, counts.commission_yen),
    )


def _failed(counts: Counts) -> str:
    """Which part of what was released came out of no printer."""
    ended = counts.completed + counts.reversed
    return f"{100 * counts.reversed / ended:.1f} %" if ended else "-"
