"""``issuance-server status``: whether certificates are issued now, and if not, why."""

import argparse

from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.core.records import IssuingStopped, StopReason
from issuance_server.desk_commands.parsing import Commands, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import clock_text, print_json, print_table
from protocol.errors import SetUpError

EXIT_ISSUES = 0
EXIT_DOES_NOT = 1

_WAYS_OUT = {
    "log": "the log cannot be written: make room, or repair what reads it",
    "checkpoints": "the audit tree is not signed: look after its key and the disk",
    "judge-events": "the PIN judge's events are not collected: look after the PIN judge",
}


async def show_status(city: City, arguments: argparse.Namespace) -> int:
    """Print whether certificates are issued; exit status 1 if they are not."""
    answer = await ask(city, wire.ReadStatus())
    if not isinstance(answer, wire.Status):
        raise SetUpError("the server gave another answer than was asked")
    rows = list(_rows(answer))
    if arguments.json:
        print_json({"issues": not rows, "why_not": [why for why, _ in rows], "status": answer})
    else:
        issues = ("certificates are issued", _under_way(answer.live))
        print_table(("state", "what to do"), rows or [issues])
    return EXIT_DOES_NOT if rows else EXIT_ISSUES


def add_commands(commands: Commands) -> None:
    """Add ``status``."""
    status = commands.add_parser("status", help="whether certificates are issued now, or why not")
    add_config(status, json=True)
    status.set_defaults(run=of_city(show_status))


def _rows(status: wire.Status) -> list[tuple[str, str]]:
    """Return every reason why nothing new is issued, each with its way out."""
    rows = []
    live = status.live
    if live is None:
        rows.append(("no server runs", "start it: run"))
    if status.stopped is not None:
        rows.append(
            (f"issuing is stopped: {_words(status.stopped)}", "two operators: issuance reopen")
        )
    if live is not None and live.draining:
        rows.append(("the server is stopping", "start it again when it has stopped: run"))
    lost = () if live is None else live.evidence_lost
    return rows + [
        (f"evidence is not kept: {one}", _WAYS_OUT.get(one, "see the log")) for one in lost
    ]


def _words(stopped: IssuingStopped) -> str:
    since = f"since {clock_text(stopped.at_ms)}"
    match stopped.reason:
        case StopReason.SERVER_GATE:
            issuance = "" if stopped.issuance_id is None else stopped.issuance_id.hex()
            return f"the server's own gate found {stopped.fault} at {issuance} {since}"
        case StopReason.MISMATCH_REPORTS:
            return f"{' and '.join(stopped.terminals)} reported a mismatch {since}"
        case StopReason.OPERATOR:
            return f"by {stopped.operator} ({stopped.fault}) {since}"


def _under_way(live: wire.Live | None) -> str:
    return "" if live is None else f"{live.open_issuances} issuances are under way"
