"""Questions of the commands: lists, lives, pages of the journal, all of nothing personal."""

from typing import Any

import pytest

from issuance_server.adapters.sqlite import queries as queries_module
from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.records import ActOutcome
from keys.signing import SigningKey
from protocol import telegrams as t
from tests.adapters.city_file import HOUSEHOLDS, CityFile
from tests.core.made import (
    CARD_REF,
    ISSUANCE,
    START_REAL_MS,
    TERMINAL,
    VISIT,
    applying,
    authenticating,
    deletion,
    print_report,
    rendered,
    signed,
    verdict,
)

SECOND = b"issuance-two----"


@pytest.fixture
async def queries(city: CityFile) -> Queries:
    """A city with one completed issuance and one that was applied for a second later."""
    right = verdict(VerdictOutcome.RIGHT)
    for step in (
        t.Begin(visit_id=VISIT, attempt=1),
        i.ChallengeDrawn(visit_id=VISIT, attempt=1, challenge=bytes(32)),
        authenticating(),
        i.VerdictGiven(visit_id=VISIT, attempt=1, verdict=right),
        applying(),
        rendered(register_version=1),
        t.Held(issuance_id=ISSUANCE, sealed_digest=rendered().sealed_digest),
        t.Release(issuance_id=ISSUANCE, amount_yen=200),
        signed(print_report()),
        deletion(),
        i.KeysDestroyed(issuance_ids=(ISSUANCE,)),
    ):
        given: Any = step
        await (city.ask(given) if isinstance(step, t.Telegram) else city.give(given))
    city.clock.pass_ms(1_000)
    await city.ask(applying(SECOND, copies=2))
    return Queries(city.path)


async def test_issuances_are_listed_oldest_first(queries: Queries) -> None:
    """With their numbers; the latest ones if there is no room for all."""
    first, second = await queries.issuances()

    assert (ISSUANCE.hex(), TERMINAL, CARD_REF, "juminhyo", 2, 200, "earned", "completed") == (
        first.issuance,
        first.terminal,
        first.card_ref,
        first.kind,
        first.sheets,
        first.fee_yen,
        first.fee,
        first.state,
    )
    assert first.deletion_confirmed
    assert ("20261130 豊中市 7E-0001 001 000001",) == first.numbers
    assert (SECOND.hex(), None, 400, "none", "applied", False) == (
        second.issuance,
        second.sheets,
        second.fee_yen,
        second.fee,
        second.state,
        second.deletion_confirmed,
    )
    assert 2 == len(second.numbers)
    assert START_REAL_MS + 1_000 == second.applied_at_ms
    assert [second] == await queries.issuances(1)


@pytest.mark.parametrize(("limit", "rows"), [(-1, 0), (0, 0), (1, 1), (5, 2), (10**9, 2)])
async def test_limit_is_a_limit(queries: Queries, limit: int, rows: int) -> None:
    """Also below zero and beyond what one answer lists."""
    assert rows == len(await queries.issuances(limit))


async def test_life_is_told_record_by_record(queries: Queries) -> None:
    """The visit's records and the issuance's, in order, bytes as hexadecimal digits."""
    steps = await queries.life(ISSUANCE)

    assert [
        *("visit-begun", "challenge-issued", "attempt-made", "attempt-judged"),
        *("issuance-applied", "issuance-quoted", "ciphertext-held", "issuance-released"),
        *("print-reported", "deletion-reported", "key-destroyed"),
    ] == [step.what for step in steps]
    assert sorted(step.seq for step in steps) == [step.seq for step in steps]
    applied = steps[4].details
    assert (ISSUANCE.hex(), "juminhyo") == (applied["issuance_id"], applied["kind"])
    assert [bytes(32).hex()] * 2 == steps[5].details["pages"]
    assert not any(m.name in repr(steps) for house in HOUSEHOLDS for m in house.members)
    assert not any(m.resident_id in repr(steps) for house in HOUSEHOLDS for m in house.members)


async def test_visit_is_told_by_its_own_id(queries: Queries) -> None:
    """And an id that nobody knows has no life."""
    assert 4 == len(await queries.life(VISIT))
    assert [] == await queries.life(bytes(16))


async def test_cards_are_listed_by_reference(queries: Queries) -> None:
    """Reference and time of registration, nothing of the holder."""
    assert [(CARD_REF, START_REAL_MS)] == await queries.cards()


async def test_journal_comes_in_pages(
    queries: Queries, city: CityFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every leaf once, in order; an empty page is the end."""
    monkeypatch.setattr(queries_module, "JOURNAL_PAGE_ROWS", 5)
    rows, after = [], 0
    while page := await queries.journal(after):
        assert len(page) <= 5
        rows += page
        after = page[-1].seq

    assert list(range(1, len(rows) + 1)) == [row.seq for row in rows]
    assert city.records() == [r.decode_record(row.record) for row in rows]


async def test_checkpoints_come_in_pages(
    queries: Queries, city: CityFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the size that they speak of."""
    monkeypatch.setattr(queries_module, "JOURNAL_PAGE_ROWS", 1)
    key = SigningKey.generate()
    sizes = []
    for number in range(2):
        await city.store.sign_tree(city="272035", at_ms=number, sign=key.sign)
        sizes.append(len(city.records()))
        await city.give(i.ActEnded(nonce=bytes(16), outcome=ActOutcome.DONE))
    (first,) = await queries.checkpoints(0)
    (second,) = await queries.checkpoints(first.size)

    assert sizes == [first.size, second.size]
    assert [] == await queries.checkpoints(second.size)


async def test_used_nonces_are_known(queries: Queries, city: CityFile) -> None:
    """From the transaction that recorded the act."""
    nonce = b"n" * 16
    assert not await queries.nonce_used(nonce)
    act = i.ActAccepted(
        operator="mado-1", act="card.unlock", subject=CARD_REF, reason="came", nonce=nonce
    )
    await city.give(act)

    assert await queries.nonce_used(nonce)
    assert not await queries.nonce_used(bytes(16))
