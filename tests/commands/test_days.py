"""``issuance-server day`` and what goes with it: what an operator types and sees."""

import asyncio
import csv
import json
from pathlib import Path
from typing import Any

import pytest

from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.core import records as r
from issuance_server.desk_commands.day_export import safe
from protocol import telegrams as t
from protocol.kinds import Kind, Options
from protocol.terminal_statements import FailureCause, PrintOutcome
from tests.commands.desk import PASSPHRASE, Commands, Ran
from tests.core.made import business_ms

DAY = "2020-06-01"
START_MS = business_ms(2020, 6, 1, 10)
NIGHT_MS = business_ms(2020, 6, 1, 23)
TERMINAL, OTHER = "7E-0001", "LW-0001"
PRINTED, FAILED, SILENT = b"printed---------", b"failed----------", b"silent----------"


def released(issuance_id: bytes, serial: int) -> list[r.AnyRecord]:
    """Return the records of an issuance up to the release, in a visit that is over."""
    at_ms = START_MS + 60_000 * serial
    return [
        r.IssuanceApplied(
            at_ms=at_ms,
            issuance_id=issuance_id,
            visit_id=b"visit-%010d" % serial,
            terminal=TERMINAL,
            card_ref="card-0011223344556677",
            resident_id="10000017",
            kind=Kind.JUMINHYO,
            options=Options(),
            copies=2,
            fee_yen=400,
            request_digest=bytes(32),
            business_day=DAY,
            numbers=tuple(f"20200601 豊中市 {TERMINAL} 001 {2 * serial + n:06d}" for n in (0, 1)),
            last_serial=2 * serial + 1,
            register_version=1,
            business_ms=at_ms,
            deadline_ms=at_ms,
        ),
        r.IssuanceQuoted(
            at_ms=at_ms,
            issuance_id=issuance_id,
            sheets=2,
            file_digest=bytes(32),
            pages=(bytes(32),),
            sealed_bytes=1,
            sealed_digest=bytes(32),
            deadline_ms=at_ms,
        ),
        r.CiphertextHeld(at_ms=at_ms, issuance_id=issuance_id),
        r.IssuanceReleased(at_ms=at_ms, issuance_id=issuance_id, amount_yen=400, deadline_ms=at_ms),
    ]


def reported(issuance_id: bytes, outcome: PrintOutcome) -> list[r.AnyRecord]:
    """Return the records from the report to the end."""
    printed = outcome is PrintOutcome.PRINTED
    return [
        r.PrintReported(
            at_ms=NIGHT_MS - 9,
            issuance_id=issuance_id,
            outcome=outcome,
            sheets_out=2 if printed else 0,
            sheets_unknown=False,
            cause=FailureCause.NONE if printed else FailureCause.PRINTER,
            reported_at_ms=NIGHT_MS,
            signature=bytes(64),
            deadline_ms=NIGHT_MS,
        ),
        r.DeletionReported(
            at_ms=NIGHT_MS - 8, issuance_id=issuance_id, reported_at_ms=0, signature=bytes(64)
        ),
        r.KeyDestroyed(at_ms=NIGHT_MS - 7, issuance_id=issuance_id, day=DAY),
    ]


def closed(theirs_completed: int = 1) -> r.LineClosed:
    """Return the closing of the line, as the terminal counted."""
    ours = t.Counters(completed=1, reversed=1, fees_earned_yen=400)
    theirs = t.Counters(completed=theirs_completed, reversed=1, fees_earned_yen=400)
    return r.LineClosed(at_ms=NIGHT_MS, terminal=TERMINAL, day=DAY, ours=ours, theirs=theirs)


OPENED = r.LineOpened(at_ms=START_MS, terminal=TERMINAL, software="sim 1", day=DAY)
BUSINESS = [
    OPENED,
    *released(PRINTED, 1),
    *released(FAILED, 2),
    *reported(PRINTED, PrintOutcome.PRINTED),
    *reported(FAILED, PrintOutcome.FAILED),
]


def write(commands: Commands, records: list[r.AnyRecord]) -> None:
    """Let a day have this business."""

    async def work() -> None:
        store = await SqliteStore.open(commands.database)
        async with store.transaction() as transaction:
            for record in records:
                transaction.write(record)
        await store.close()

    asyncio.run(work())


def by_two(commands: Commands, *arguments: str) -> Ran:
    """Run an act of two operators."""
    return commands.run(
        *arguments,
        *("--operator", "mado-1", "--second-operator", "mado-2"),
        *("--reason", "asked the store by telephone", "--passphrase-stdin"),
        stdin=f"{PASSPHRASE}\n{PASSPHRASE}\n",
    )


def status(commands: Commands, *day: str) -> Any:
    """Return what is told of a day in JSON."""
    return json.loads(commands.run("day", "status", *day, "--json").out)


def test_day_is_closed_and_handed_to_the_accounts(commands: Commands, tmp_path: Path) -> None:
    """Status, close, export: the same sums everywhere; nothing is written over."""
    write(commands, [*BUSINESS, closed()])
    shown = commands.run("day", "status")
    assert (0, f"{DAY}: open; its service is over") == (shown.status, shown.out.splitlines()[0])
    out = tmp_path / "day.csv"
    early = commands.run("day", "export", DAY, "--out", str(out))
    assert (1, True) == (early.status, "is not closed and can still change" in early.err)
    draft = commands.run("day", "export", DAY, "--out", str(tmp_path / "draft.csv"), "--draft")
    assert (0, True) == (draft.status, "2 issuances are in" in draft.err)
    done = commands.act("day", "close", DAY)
    assert (
        0,
        f"{DAY} is closed: 2 certificates, 400 yen earned, 234 yen due to chains\n",
    ) == (done.status, done.err)

    assert "by mado-1" in commands.run("day", "status", DAY).out.splitlines()[0]
    assert "every day that has any business is closed\n" == commands.run("day", "status").out
    exported = commands.run("day", "export", DAY, "--out", str(out), "--bom")
    assert 0 == exported.status, exported.err
    assert out.read_bytes().startswith(b"\xef\xbb\xbfday,issuance,numbers,kind,copies,chain,")
    with out.open(encoding="utf-8-sig", newline="") as file:
        printed, failed = csv.DictReader(file)
    assert (PRINTED.hex(), "completed", "400", "0", "400", "234", "2") == (
        *(printed["issuance"], printed["state"], printed["collected_yen"]),
        *(printed["returned_yen"], printed["earned_yen"], printed["commission_yen"]),
        printed["copies"],
    )
    assert ("reversed", "400", "400", "0", "0") == (
        *(failed["state"], failed["collected_yen"], failed["returned_yen"]),
        *(failed["earned_yen"], failed["commission_yen"]),
    )
    assert "2020-06-01T10:01:00+09:00" == printed["collected_at"]
    assert 2 == len(printed["numbers"].split("; "))
    with (tmp_path / "day-totals.csv").open(encoding="utf-8-sig", newline="") as file:
        totals = {row["scope"]: row for row in csv.DictReader(file)}
    for scope in ("chain-and-kind", "chain", "city"):
        names = ("completed", "reversed", "collected_yen", "returned_yen", "earned_yen")
        assert ["1", "1", "800", "400", "400"] == [totals[scope][name] for name in names]
        assert "234" == totals[scope]["commission_yen"]
    again = commands.run("day", "export", DAY, "--out", str(out))
    assert (1, True) == (again.status, "is there already" in again.err)
    assert "holds" in commands.run("audit", "verify").out


def test_what_keeps_a_day_open_is_named_and_ended_by_two(commands: Commands) -> None:
    """An issuance without a word, and the line that it came over."""
    unconfirmed = r.IssuanceUnconfirmed(
        at_ms=NIGHT_MS, issuance_id=SILENT, deadline_ms=NIGHT_MS + 1
    )
    write(commands, [*BUSINESS, *released(SILENT, 3), unconfirmed])
    shown = commands.run("day", "status")
    refused = commands.act("day", "close", DAY)

    assert 1 == shown.status
    assert SILENT.hex() in shown.out
    assert "not-reached" in shown.out
    assert 1 == refused.status
    assert f"issuances of {TERMINAL} are not at an end ({SILENT.hex()})" in refused.err
    assert f"see: day status {DAY}" in refused.err
    alone = commands.act(
        "issuance", "close", SILENT.hex(), "--fee", "earned", "--second-operator", "mado-1"
    )
    assert 1 == alone.status
    ended = by_two(commands, "issuance", "close", SILENT.hex(), "--fee", "earned")
    assert (0, f"{SILENT.hex()} is closed, its fee is earned\n") == (ended.status, ended.err)
    twice = by_two(commands, "issuance", "close", SILENT.hex(), "--fee", "returned")
    assert (1, True) == (twice.status, "no issuance" in twice.err)
    carried = by_two(commands, "day", "carry-over", DAY, "--terminal", TERMINAL)
    assert (0, True) == (carried.status, f"{TERMINAL} is carried over" in carried.err)
    assert 0 == commands.act("day", "close", DAY).status
    later = r.LineClosed(
        at_ms=2**41,
        terminal=TERMINAL,
        day="2020-06-02",
        ours=closed().ours,
        theirs=closed().theirs,
    )
    write(commands, [later])
    (line,) = status(commands, DAY)["lines"]
    assert "carried-over" == line["line"]
    assert line["ours"] is None, "what was said after the close belongs to a later day"
    # What it ended later counts in the day in which it ended, which is that of this test.
    assert (800, 400) == (line["counts"]["collected_yen"], line["counts"]["earned_yen"])


def test_difference_is_shown_with_both_sides(commands: Commands) -> None:
    """Until two operators say that they know why."""
    write(commands, [*BUSINESS, closed(theirs_completed=2)])
    shown = commands.run("day", "status")
    assert "differs  1/1/400" in shown.out
    assert "2/1/400" in shown.out
    assert f"counters-differ: the counters of {TERMINAL} differ" in shown.out
    assert PRINTED.hex() in shown.out

    assert 1 == commands.act("day", "close", DAY).status
    settled = by_two(commands, "day", "settle", DAY, "--terminal", TERMINAL)
    assert 0 == settled.status, settled.err
    assert 0 == commands.act("day", "close", DAY).status


def test_stopped_terminal_is_reopened_by_two(commands: Commands) -> None:
    """One that is not stopped is not, nor one that nobody knows."""
    stop = r.LineStopped(
        at_ms=NIGHT_MS, terminal=TERMINAL, issuance_id=FAILED, reason="failed-prints"
    )
    write(commands, [stop])
    assert 1 == by_two(commands, "terminal", "reopen", OTHER).status
    unknown = by_two(commands, "terminal", "reopen", "XX-9999")
    assert (1, True) == (unknown.status, "no terminal XX-9999 is registered" in unknown.err)
    with commands.served() as log:
        reopened = by_two(commands, "terminal", "reopen", TERMINAL)
        assert (0, f"{TERMINAL} may issue again\n") == (reopened.status, reopened.err)
        events = [json.loads(line)["event"] for line in log.getvalue().splitlines()]

    assert ["line.reopened", "control.act_done"] == events
    listed = json.loads(commands.run("terminal", "list", "--json").out)
    assert {"allowed"} == {row["state"] for row in listed if row["terminal"] == TERMINAL}


def test_mistake_is_told_and_changes_nothing(commands: Commands) -> None:
    """No day is closed that is not over, and no terminal carried over that nobody knows."""
    early = commands.act("day", "close", "2099-01-01")
    unknown = by_two(commands, "day", "carry-over", DAY, "--terminal", "XX-9999")

    assert (1, True) == (early.status, "its service is not over" in early.err)
    assert (1, True) == (unknown.status, "no terminal XX-9999 is registered" in unknown.err)
    assert status(commands)["day"] is None


def test_day_before_the_first_business_is_not_closed(commands: Commands) -> None:
    """A close is final; a day on which there was no city yet is a slip of the pen."""
    write(commands, [*BUSINESS, closed()])
    refused = commands.act("day", "close", "2020-05-31")

    assert (1, True) == (refused.status, "no business up to 2020-05-31, so there" in refused.err)
    assert None is status(commands, "2020-05-31")["closed_at_ms"]
    assert 0 == commands.act("day", "close", DAY).status
    assert 0 == commands.act("day", "close", "2020-06-02").status


@pytest.mark.parametrize("words", [("status", "2026-13-01"), ("close", "yesterday")])
def test_usage_is_two(untouched: Commands, words: tuple[str, ...]) -> None:
    """A day is written YYYY-MM-DD."""
    with pytest.raises(SystemExit) as ended:
        untouched.act("day", *words)

    assert 2 == ended.value.code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("見本マート 駅前店", "見本マート 駅前店"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+81", "'+81"),
        ("-1", "'-1"),
        ("@sum", "'@sum"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),  # the wide form is meant
        ("", ""),
    ],
)
def test_no_text_becomes_a_formula(text: str, expected: str) -> None:
    """A store is named by whoever registers it; a spreadsheet must not obey the name."""
    assert expected == safe(text)
