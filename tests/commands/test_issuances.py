"""``issuance list | show``: tables for people, JSON for programs."""

import asyncio
import json

import pytest

from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.core import records as r
from issuance_server.desk_commands.tables import clock_text, width
from protocol.codes import ReplyCode
from protocol.kinds import Kind, Options
from protocol.terminal_statements import FailureCause, PrintOutcome
from tests.commands.desk import Commands, Ran
from tests.core.made import DAY

START_MS = 1_796_000_000_000
PRINTED, WITHDRAWN = b"printed---------", b"withdrawn-------"


def applied(issuance_id: bytes, serial: int) -> r.IssuanceApplied:
    """Return the application of an issuance."""
    return r.IssuanceApplied(
        at_ms=START_MS + serial,
        issuance_id=issuance_id,
        visit_id=b"visit-----------",
        terminal="7E-0001",
        card_ref="card-0011223344556677",
        resident_id="10000017",
        kind=Kind.JUMINHYO,
        options=Options(),
        copies=1,
        fee_yen=200,
        request_digest=bytes(32),
        business_day="2026-11-30",
        numbers=(f"20261130 豊中市 7E-0001 001 {serial:06d}",),
        last_serial=serial,
        register_version=1,
        business_ms=START_MS,
        deadline_ms=START_MS,
    )


RECORDS: tuple[r.AnyRecord, ...] = (
    applied(PRINTED, 1),
    r.IssuanceReleased(
        at_ms=START_MS + 1_500, issuance_id=PRINTED, amount_yen=200, deadline_ms=START_MS
    ),
    r.PrintReported(
        at_ms=START_MS + 9_000,
        issuance_id=PRINTED,
        outcome=PrintOutcome.PRINTED,
        sheets_out=1,
        sheets_unknown=False,
        cause=FailureCause.NONE,
        reported_at_ms=START_MS,
        signature=bytes(64),
        deadline_ms=START_MS,
    ),
    applied(WITHDRAWN, 2),
    r.IssuanceWithdrawn(
        at_ms=START_MS + 3, issuance_id=WITHDRAWN, day=DAY, code=ReplyCode.DATA_CHANGED
    ),
)


@pytest.fixture
def issued(commands: Commands) -> Commands:
    """A city with a printed and a withdrawn issuance."""

    async def write() -> None:
        store = await SqliteStore.open(commands.database)
        async with store.transaction() as transaction:
            for record in RECORDS:
                transaction.write(record)
        await store.close()

    asyncio.run(write())
    return commands


def test_issuances_are_listed(issued: Commands) -> None:
    """One line each, with fee, state and deletion."""
    ran = issued.run("issuance", "list")
    heading, first, second = ran.out.splitlines()

    assert (0, "") == (ran.status, ran.err)
    assert heading.split() == [
        *("issuance", "terminal", "kind", "sheets", "yen", "fee", "state", "deletion")
    ]
    assert first.split() == [
        *(PRINTED.hex(), "7E-0001", "juminhyo", "200", "earned", "printed", "-")
    ]
    assert second.endswith("withdrawn  nothing released")
    (latest,) = issued.run("issuance", "list", "--limit", "1").out.splitlines()[1:]
    assert second.split() == latest.split()
    rows = json.loads(issued.run("issuance", "list", "--json").out)
    assert ["printed", "withdrawn"] == [row["state"] for row in rows]


def test_life_is_shown_with_times(issued: Commands) -> None:
    """Since the application, step by step; digests and signatures only in JSON."""
    ran = issued.run("issuance", "show", PRINTED.hex())
    lines = ran.out.splitlines()

    assert 0 == ran.status
    assert 4 == len(lines)
    assert ["issuance-applied", "issuance-released", "print-reported"] == [
        next(word for word in line.split() if "-" in word and word[0].isalpha())
        for line in lines[1:]
    ]
    assert "amount_yen=200" in lines[2]
    assert clock_text(START_MS + 1) in lines[1]
    assert bytes(64).hex() not in ran.out
    steps = json.loads(issued.run("issuance", "show", PRINTED.hex(), "--json").out)
    assert bytes(64).hex() == steps[2]["details"]["signature"]


@pytest.mark.parametrize("wrong", ["nothing", "ab", "zz" * 16])
def test_id_must_be_one(issued: Commands, wrong: str) -> None:
    """The text says what an id looks like and where to find one."""
    ran = issued.run("issuance", "show", wrong)

    assert Ran(1, "", ran.err) == ran
    assert "32 hexadecimal digits; see: issuance list" in ran.err


def test_unknown_id_is_told(issued: Commands) -> None:
    """A good id of nothing."""
    ran = issued.run("issuance", "show", "00" * 16)

    assert 1 == ran.status
    assert f"there is no issuance {'00' * 16}" in ran.err


@pytest.mark.processes
def test_server_answers_as_the_command_alone(issued: Commands) -> None:
    """The same tables, the same JSON, the same refusals."""
    asked = [
        ("issuance", "list"),
        ("issuance", "list", "--json"),
        ("issuance", "show", PRINTED.hex()),
        ("issuance", "show", WITHDRAWN.hex(), "--json"),
        ("issuance", "show", "00" * 16),
    ]
    alone = [issued.run(*arguments) for arguments in asked]
    with issued.served():
        assert alone == [issued.run(*arguments) for arguments in asked]


def test_wide_characters_take_two_columns() -> None:
    """Tables with Japanese in them stay aligned."""
    assert 3 == width("abc")
    assert 6 == width("豊中市")
    assert 4 == width("ｶﾅ市")


def test_times_are_japans() -> None:
    """To the millisecond, in the city's own time."""
    assert "2026-12-01 00:00:00.007" == clock_text(1_796_050_800_007)


@pytest.mark.parametrize("limit", ["0", "-1", "all"])
def test_table_of_no_rows_is_not_asked_for(untouched: Commands, limit: str) -> None:
    """It is wrong usage, told in words, and no empty table."""
    with pytest.raises(SystemExit) as ended:
        untouched.run("issuance", "list", f"--limit={limit}")

    assert 2 == ended.value.code
    assert f"{limit} is no number of rows; write 1 or more" in untouched.capture.readouterr().err


@pytest.mark.parametrize(
    "words",
    [("push", "list", "--as-of=2026-13-01"), ("day", "status", "2026-13-01")],
    ids=["push", "day"],
)
def test_day_that_is_none_is_told_in_words(untouched: Commands, words: tuple[str, ...]) -> None:
    """With an example of one, and without the name of any function."""
    with pytest.raises(SystemExit) as ended:
        untouched.run(*words)

    assert 2 == ended.value.code
    told = untouched.capture.readouterr().err
    assert "2026-13-01 is no day, such as" in told
    assert "invalid" not in told
