"""Cards with certificates: single-use challenges, signed verdicts, only forgeries are counted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from issuance_server.core.pin_policy import (
    CertificateAttempt,
    SignedVerdict,
    VerdictOutcome,
    terminal_is_frozen,
)
from keys.jpki import JpkiAuthority, serial_of
from keys.jpki_check import JpkiCheck
from keys.mynumber_card import MyNumberCard
from protocol.codes import ReplyCode
from protocol.secret import Secret
from protocol.statements import signature_holds
from tests.pin_judge.judge_bench import CITY, WRONG_PIN, JudgeBench

PIN = Secret(b"493817260584")


class Mynumber:
    """An authority, a card of it, and a judge that reads what is published."""

    def __init__(self, bench: JudgeBench, folder: Path) -> None:
        self.bench = bench
        self.published = folder / "published"
        self.authority = JpkiAuthority.create(folder / "jpki", self.now)
        self.authority.publish(self.published, self.now, days=1)
        self.card = self.new_card(folder / "a.card.json", self.authority)
        bench.judge._keys = replace(bench.keys, jpki=JpkiCheck(self.published))

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.bench.now_ms / 1_000, UTC)

    def new_card(self, path: Path, authority: JpkiAuthority) -> MyNumberCard:
        return MyNumberCard.create(
            path, holder="見本", pin=PIN, certify=lambda key: authority.issue(key, now=self.now)
        )

    async def attempt(
        self, card: MyNumberCard | None = None, *, terminal: str = "t1", **changes: Any
    ) -> CertificateAttempt:
        """Make an attempt in a visit of its own."""
        visit_id = self.bench.visit_id()
        challenge = await self.bench.challenge(terminal, visit_id)
        used = card or self.card
        assert used.present(PIN)
        bound: dict[str, Any] = {
            "challenge": challenge,
            "visit_id": visit_id,
            "attempt": 1,
            "terminal": terminal,
            "city": CITY,
        }
        signature = used.sign(**(bound | changes))
        return CertificateAttempt(
            terminal=terminal,
            city=CITY,
            visit_id=visit_id,
            attempt=1,
            request_digest=sha256(signature).digest(),
            certificate=used.certificate,
            card_signature=signature,
        )

    async def outcome(self, **asked: Any) -> VerdictOutcome:
        return (await self.judged(**asked)).verdict.outcome

    async def judged(self, **asked: Any) -> SignedVerdict:
        return await self.bench.judge.judge(await self.attempt(**asked))


@pytest.fixture
def mynumber(bench: JudgeBench, tmp_path: Path) -> Mynumber:
    return Mynumber(bench, tmp_path)


async def test_good_card(bench: JudgeBench, mynumber: Mynumber) -> None:
    """The verdict names the certificate's serial and is signed by the judge."""
    asked = await mynumber.attempt()
    signed = await bench.judge.judge(asked)

    said = signed.verdict
    assert (VerdictOutcome.RIGHT, ReplyCode.DONE) == (said.outcome, said.reply_code)
    assert (serial_of(mynumber.card.certificate), None, None) == (
        said.certificate_serial,
        said.card_ref,
        said.tries_left,
    )
    assert said.answers(asked)
    key = bench.keys.verdict.public_key
    assert signature_holds(key, signed.signature, said.statement())


async def test_challenge_is_good_once(bench: JudgeBench, mynumber: Mynumber) -> None:
    """A repeat gets the same verdict, other content is refused, and another visit gets nothing."""
    asked = await mynumber.attempt()
    signed = await bench.judge.judge(asked)
    other = msgspec.structs.replace(asked, request_digest=bytes(32))
    elsewhere = msgspec.structs.replace(asked, visit_id=bench.visit_id())

    assert signed == await bench.judge.judge(asked)
    assert VerdictOutcome.KEY_REUSED is (await bench.judge.judge(other)).verdict.outcome
    assert VerdictOutcome.CHALLENGE_EXPIRED is (await bench.judge.judge(elsewhere)).verdict.outcome


@pytest.mark.parametrize(
    "change",
    [
        {"challenge": bytes(32)},
        {"visit_id": bytes(16)},
        {"attempt": 2},
        {"terminal": "t2"},
        {"city": "131016"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_signature_for_something_else(mynumber: Mynumber, change: dict[str, Any]) -> None:
    """A proof for another challenge, visit, attempt, terminal or city is none here."""
    visit_id = mynumber.bench.visit_id()
    challenge = await mynumber.bench.challenge("t1", visit_id)
    mynumber.card.present(PIN)
    bound: dict[str, Any] = {
        "challenge": challenge,
        "visit_id": visit_id,
        "attempt": 1,
        "terminal": "t1",
        "city": CITY,
    }
    asked = CertificateAttempt(
        terminal="t1",
        city=CITY,
        visit_id=visit_id,
        attempt=1,
        request_digest=bytes(32),
        certificate=mynumber.card.certificate,
        card_signature=mynumber.card.sign(**(bound | change)),
    )
    said = (await mynumber.bench.judge.judge(asked)).verdict

    assert (VerdictOutcome.FORGED, ReplyCode.CARD_NOT_ACCEPTED, None) == (
        said.outcome,
        said.reply_code,
        said.certificate_serial,
    )


async def test_revoked_expired_and_not_checkable(mynumber: Mynumber, bench: JudgeBench) -> None:
    """Each has a code of its own; an old list fails closed, and a new one helps at once."""
    mynumber.authority.revoke(serial_of(mynumber.card.certificate), mynumber.now)
    mynumber.authority.publish(mynumber.published, mynumber.now, days=1)
    assert VerdictOutcome.CERTIFICATE_REVOKED is await mynumber.outcome()
    fresh = mynumber.new_card(mynumber.card.path.with_name("b.card.json"), mynumber.authority)
    assert VerdictOutcome.RIGHT is await mynumber.outcome(card=fresh)

    bench.now_ms += int(timedelta(days=1).total_seconds()) * 1_000
    assert VerdictOutcome.CERTIFICATE_NOT_CHECKABLE is await mynumber.outcome(card=fresh)
    mynumber.authority.publish(mynumber.published, mynumber.now, days=1)
    assert VerdictOutcome.RIGHT is await mynumber.outcome(card=fresh)

    bench.now_ms += int(timedelta(days=5 * 365).total_seconds()) * 1_000
    assert VerdictOutcome.CERTIFICATE_EXPIRED is await mynumber.outcome(card=fresh)


async def test_forgeries_freeze_the_terminal(mynumber: Mynumber, bench: JudgeBench) -> None:
    """Five forgeries and wrong PINs together freeze it, also for genuine cards of either kind."""
    other = JpkiAuthority.create(mynumber.authority.folder.with_name("other"), mynumber.now)
    forged = mynumber.new_card(mynumber.card.path.with_name("f.card.json"), other)
    for _ in range(2):
        await bench.try_pin(await bench.card(), WRONG_PIN)
    verdicts = [(await mynumber.judged(card=forged)).verdict for _ in range(3)]

    assert [False, False, True] == [one.frozen_now for one in verdicts]
    assert VerdictOutcome.FROZEN is await mynumber.outcome()
    assert VerdictOutcome.RIGHT is await mynumber.outcome(terminal="t2")
    names = [event.name.value for event in await bench.judge.events(0)]
    assert ["terminal.frozen"] == names
    assert terminal_is_frozen([bench.now_ms] * 5, bench.now_ms)


async def test_revoked_cards_freeze_nothing(mynumber: Mynumber) -> None:
    """A genuine card that is revoked is an ordinary refusal, however often it comes."""
    mynumber.authority.revoke(serial_of(mynumber.card.certificate), mynumber.now)
    mynumber.authority.publish(mynumber.published, mynumber.now)

    outcomes = {await mynumber.outcome() for _ in range(7)}

    assert {VerdictOutcome.CERTIFICATE_REVOKED} == outcomes


async def test_nothing_of_the_card_is_stored(mynumber: Mynumber, bench: JudgeBench) -> None:
    """Neither certificate nor PIN is in the judge's files; the repr of an attempt shows neither."""
    asked = await mynumber.attempt()
    await bench.judge.judge(asked)

    for content in bench.files().values():
        assert asked.certificate[-40:] not in content
        assert PIN.reveal() not in content
    assert asked.certificate.hex() not in repr(asked)
