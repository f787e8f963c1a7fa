"""Cards, challenges and issuances in the wrong hands, through the whole server.

Whoever plays here has a genuine terminal, or has bought the broker: what is refused must be refused
before anything is counted or handed out.
"""

import random
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from keys.cards import CardFile
from keys.signing import SigningKey
from protocol import telegrams as t
from protocol.terminal_statements import FailureCause
from tests.hostile.founding import CARD_NUMBER, TERMINALS, WRONG_PIN, Keys
from tests.hostile.hand import Hand, applying
from tests.hostile.town import Town
from tests.hostile.virtual_time import VirtualLoop, run

VISIT, OTHER_VISIT = b"visit-one-------", b"visit-two-------"
ISSUANCE = b"issuance-one----"
ONE, TWO, _ = TERMINALS
Play = Callable[[Town], Coroutine[Any, Any, None]]


@pytest.fixture
def played(keys: Keys, folder: Path) -> Callable[[Play], Town]:
    """Return a way to play a scene in a running city."""

    def play(scene: Play) -> Town:
        async def work(loop: VirtualLoop) -> Town:
            async with Town(loop, keys, folder, random.Random(1)).running() as town:
                await scene(town)
                return town

        return run(work)

    return play


def test_a_cloned_number_without_the_cards_key_counts_nothing(
    played: Callable[[Play], Town],
) -> None:
    """Ten attempts with a stranger's card key: one answer each, all tries left, nobody frozen."""

    async def scene(town: Town) -> None:
        hand = await Hand(town, ONE).open()
        clone = CardFile(number=CARD_NUMBER, holder="", signing_key=SigningKey.generate())
        for number in range(10):
            visit_id = b"clone %010d" % number
            challenge = await hand.begin(visit_id)
            asked = hand.attempt(visit_id, challenge, card=clone, pin=WRONG_PIN)
            answer = await hand.ask(asked, t.Refused)
            assert ("CARD_NOT_ACCEPTED", None) == (answer.code.name, answer.tries_left)
            assert 3 == await town.tries_left()
            await hand.ask(t.EndVisit(visit_id=visit_id), t.Acknowledged)
        await hand.authenticate(VISIT)

    assert [] == played(scene).log.of("terminal.frozen")


def test_a_recorded_proof_of_a_card_is_good_nowhere_else(played: Callable[[Play], Town]) -> None:
    """The same signature in another visit, at another terminal, or for another attempt."""

    async def scene(town: Town) -> None:
        hand, other = await Hand(town, ONE).open(), await Hand(town, TWO).open()
        recorded = hand.attempt(VISIT, await hand.begin(VISIT))
        for thief, visit_id in ((hand, OTHER_VISIT), (other, b"visit-three-----")):
            await thief.begin(visit_id)
            asked = t.Authenticate(
                visit_id=visit_id,
                attempt=1,
                card=recorded.card,
                card_signature=recorded.card_signature,
                pin_block=recorded.pin_block,
            )
            assert "CARD_NOT_ACCEPTED" == await thief.refused(asked)
        assert 3 == await town.tries_left()

    played(scene)


def test_a_challenge_is_good_once(played: Callable[[Play], Town]) -> None:
    """The same content gets the same answer, other content is refused, and one try is counted."""

    async def scene(town: Town) -> None:
        hand = await Hand(town, ONE).open()
        challenge = await hand.begin(VISIT)
        wrong = hand.attempt(VISIT, challenge, pin=WRONG_PIN)
        for _ in range(5):
            answer = await hand.ask(wrong, t.Refused)
            assert ("PIN_WRONG", 2) == (answer.code.name, answer.tries_left)
        assert "KEY_REUSED" == await hand.refused(hand.attempt(VISIT, challenge))
        assert 2 == await town.tries_left()

    played(scene)


def test_an_old_challenge_is_not_counted(played: Callable[[Play], Town]) -> None:
    """An attempt that answers the first attempt's challenge in the second one is not accepted."""

    async def scene(town: Town) -> None:
        hand = await Hand(town, ONE).open()
        first = await hand.begin(VISIT)
        assert "PIN_WRONG" == await hand.refused(hand.attempt(VISIT, first, pin=WRONG_PIN))
        assert first != await hand.begin(VISIT, 2)
        old = hand.attempt(VISIT, first, attempt=2, pin=WRONG_PIN)
        assert "CARD_NOT_ACCEPTED" == await hand.refused(old)
        assert 2 == await town.tries_left()

    played(scene)


def test_a_visit_of_another_terminal_is_unknown(played: Callable[[Play], Town]) -> None:
    """To begin, to authenticate, to apply and to end it; its own terminal goes on undisturbed."""

    async def scene(town: Town) -> None:
        hand, other = await Hand(town, ONE).open(), await Hand(town, TWO).open()
        challenge = await hand.begin(VISIT)
        for asked in (
            t.Begin(visit_id=VISIT, attempt=1),
            t.Begin(visit_id=VISIT, attempt=2),
            other.attempt(VISIT, challenge),
            t.EndVisit(visit_id=VISIT),
        ):
            assert "UNKNOWN" == await other.refused(asked)
        await hand.ask(hand.attempt(VISIT, challenge), t.Menu)
        assert "UNKNOWN" == await other.refused(applying(VISIT, ISSUANCE))
        assert 3 == await town.tries_left()
        await hand.quotation(VISIT, ISSUANCE)

    played(scene)


@pytest.mark.parametrize("ended", [False, True])
def test_an_issuance_of_another_terminal_is_unknown(
    played: Callable[[Play], Town],
    ended: bool,
) -> None:
    """Under way or ended: no piece, no key, no withdrawal, no report, no deletion, no repeat."""

    async def scene(town: Town) -> None:
        hand, other = await Hand(town, ONE).open(), await Hand(town, TWO).open()
        quoted = await hand.sealed_certificate(VISIT, ISSUANCE)
        await other.authenticate(OTHER_VISIT)
        if ended:
            cancel = t.Cancel(issuance_id=ISSUANCE, cause=FailureCause.CANCELLED)
            await hand.ask(cancel, t.Acknowledged)
        for asked in (
            t.Fetch(issuance_id=ISSUANCE, piece=0),
            t.Held(issuance_id=ISSUANCE, sealed_digest=quoted.sealed_digest),
            t.Release(issuance_id=ISSUANCE, amount_yen=200),
            other.report(ISSUANCE),
            other.deletion(ISSUANCE),
            t.Cancel(issuance_id=ISSUANCE, cause=FailureCause.CANCELLED),
            applying(OTHER_VISIT, ISSUANCE),
        ):
            assert "UNKNOWN" == await other.refused(asked), asked
        if not ended:
            await hand.ask(t.Release(issuance_id=ISSUANCE, amount_yen=200), t.Released)

    assert [] == played(scene).log.of("integrity.alarm")


def test_a_release_is_repeated_until_the_report_and_then_has_ended(
    played: Callable[[Play], Town],
) -> None:
    """The same key while it prints; nothing after the report, nor after the deletion."""

    async def scene(town: Town) -> None:
        hand = await Hand(town, ONE).open()
        await hand.sealed_certificate(VISIT, ISSUANCE)
        asked = t.Release(issuance_id=ISSUANCE, amount_yen=200)
        keys = {(await hand.ask(asked, t.Released)).content_key.reveal() for _ in range(3)}
        assert 1 == len(keys)
        other_amount = t.Release(issuance_id=ISSUANCE, amount_yen=400)
        assert "KEY_REUSED" == await hand.refused(other_amount)
        assert "printed" == (await hand.ask(hand.report(ISSUANCE), t.Acknowledged)).state
        assert "OUT_OF_ORDER" == await hand.refused(asked)
        assert "completed" == (await hand.ask(hand.deletion(ISSUANCE), t.Acknowledged)).state
        assert "ENDED" == await hand.refused(asked)
        assert "ENDED" == await hand.refused(t.Fetch(issuance_id=ISSUANCE, piece=0))
        assert await town.store.wrapped_key(ISSUANCE) is None

    assert 1 == len(played(scene).log.of("issuance.released"))


def test_a_repeated_request_gets_the_same_answer_and_other_content_none(
    played: Callable[[Play], Town],
) -> None:
    """Challenge, menu, quotation; another application under the same id is refused (TP-047)."""

    async def scene(town: Town) -> None:
        hand = await Hand(town, ONE).open()
        challenge = await hand.begin(VISIT)
        assert challenge == await hand.begin(VISIT)
        asked = hand.attempt(VISIT, challenge)
        menus = [await hand.ask(asked, t.Menu) for _ in range(2)]
        assert menus[0].items == menus[1].items
        quotations = [await hand.quotation(VISIT, ISSUANCE) for _ in range(2)]
        assert 1 == len({quoted.sealed_digest for quoted in quotations})
        assert "KEY_REUSED" == await hand.refused(applying(VISIT, ISSUANCE, copies=2))

    town = played(scene)

    assert 1 == len(town.log.of("issuance.applied"))
    assert 1 == len(town.log.of("pin.right"))


def test_a_report_with_another_terminals_signature_is_refused(
    played: Callable[[Play], Town],
) -> None:
    """Both signed words, as their own terminal's line brings them: signed by the wrong key."""

    async def scene(town: Town) -> None:
        hand, other = await Hand(town, ONE).open(), Hand(town, TWO)
        await hand.sealed_certificate(VISIT, ISSUANCE)
        await hand.ask(t.Release(issuance_id=ISSUANCE, amount_yen=200), t.Released)
        true, false = hand.report(ISSUANCE), other.report(ISSUANCE)
        forged = t.Report(report=true.report, signature=false.signature)
        assert "MALFORMED" == await hand.refused(forged)
        assert "printed" == (await hand.ask(true, t.Acknowledged)).state
        erased, lied = hand.deletion(ISSUANCE), other.deletion(ISSUANCE)
        forged_deletion = t.Deleted(report=erased.report, signature=lied.signature)
        assert "MALFORMED" == await hand.refused(forged_deletion)
        assert await town.store.wrapped_key(ISSUANCE) is not None

    assert 1 == len(played(scene).log.of("issuance.printed"))


def test_an_opening_in_another_terminals_name_is_ignored(played: Callable[[Play], Town]) -> None:
    """A genuine terminal cannot withdraw another's issuances by opening in its name."""

    async def scene(town: Town) -> None:
        hand, other = await Hand(town, ONE).open(), await Hand(town, TWO).open()
        await hand.sealed_certificate(VISIT, ISSUANCE)
        lie = t.Open(terminal=ONE, software="x", tables_version=1, unfinished=())
        other.tell(lie)
        await other.quiet()
        await hand.ask(t.Release(issuance_id=ISSUANCE, amount_yen=200), t.Released)

    town = played(scene)

    assert ["another-terminal"] == [line["reason"] for line in town.log.of("telegram.dropped")]
    assert 2 == len(town.log.of("line.opened"))
