"""Nothing is learned from how the city behaves: neither by tampering nor by trying cards.

What a broker sees of the city is topics, lengths and times of what it sends. Whatever was wrong
with a telegram, that must be the same; and one word says it in the log.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from msgspec import structs

from keys.cards import CardFile
from keys.signing import SigningKey
from protocol import telegrams as t
from protocol.envelope import HEADER_BYTES, Direction, parse
from protocol.limits import GENERATION_OVERLAP_MS, MENU_BUCKET_BYTES, SMALL_BUCKET_BYTES
from tests.hostile.acts import FAR_COUNTER, flipped
from tests.hostile.founding import TERMINALS, WRONG_PIN, Keys
from tests.hostile.hand import Hand
from tests.hostile.town import Town
from tests.hostile.virtual_time import VirtualLoop, run

ONE, TWO, _ = TERMINALS
SEAL_BYTES = 16
REJECTION_BYTES = HEADER_BYTES
Behaviour: TypeAlias = tuple[tuple[int, str, int], ...]
"""What the city sent: milliseconds after the message came, topic, length."""

GENERATION_BITS = range(8 * 4, 8 * 8)
COUNTER_BITS = range(8 * 16, 8 * 24)


def behaviour(town: Town, since: int, at_ms: int, topic: str) -> Behaviour:
    """Return what reached a terminal since so many messages had been delivered."""
    return tuple(
        (now_ms - at_ms, told, len(message))
        for now_ms, told, message in town.broker.delivered[since:]
        if told == topic
    )


def tampered(telegram: bytes, others: list[bytes], dice: random.Random) -> Iterator[bytes]:
    """Give telegrams of the same generation that were changed in every way there is."""
    yield from (flipped(telegram, position) for position in COUNTER_BITS)
    bits = 8 * len(telegram)
    yield from (flipped(telegram, dice.randrange(8 * HEADER_BYTES, bits)) for _ in range(100))
    yield from (telegram[:length] for length in (24, 25, 39, 40, 100, len(telegram) - 1))
    yield telegram + b"\0"
    yield from (telegram[:HEADER_BYTES] + other[HEADER_BYTES:] for other in others)
    header = parse(telegram)
    yield structs.replace(header, counter=FAR_COUNTER).pack()
    for bucket_bytes in (512, 2_048, 4_096, 16_384, 50_176):
        yield telegram[:HEADER_BYTES] + dice.randbytes(bucket_bytes + SEAL_BYTES)


def test_all_tampered_telegrams_look_alike(keys: Keys, folder: Path) -> None:
    """Silence, whatever was changed, and one word in the log; then the true one is answered."""

    async def work(loop: VirtualLoop) -> tuple[set[Behaviour], set[str], int]:
        async with Town(loop, keys, folder, random.Random(1)).running() as town:
            hand, other = await Hand(town, ONE).open(), await Hand(town, TWO).open()
            hand.tell(t.LineTest(nonce=1))
            await hand.quiet()
            others = [
                other.sealed(t.LineTest(nonce=1)),
                *(p.message for p in town.broker.history if p.topic in (hand.down, hand.up)),
            ]
            telegram = hand.sealed(t.LineTest(nonce=2))
            seen, count = set(), 0
            for message in tampered(telegram, others, town.dice):
                seen.add(await _try(town, hand, message))
                count += 1
            await town.runtime.lines.report_drops()
            reasons = {line["reason"] for line in town.log.of("envelope.dropped")}
            assert ((10, hand.down, HEADER_BYTES + SMALL_BUCKET_BYTES + SEAL_BYTES),) == (
                await _try(town, hand, telegram)
            )
            return seen, reasons, count

    seen, reasons, count = run(work)

    assert {()} == seen
    assert {"seal", "replayed"} >= reasons
    assert "seal" in reasons
    assert 170 < count


def test_all_telegrams_under_keys_that_are_not_there_look_alike(keys: Keys, folder: Path) -> None:
    """Never made, gone, another line's: one rejection, of the same length at the same time."""

    async def work(loop: VirtualLoop) -> tuple[set[Behaviour], set[str]]:
        async with Town(loop, keys, folder, random.Random(1)).running() as town:
            hand, other = await Hand(town, ONE).open(), await Hand(town, TWO).open()
            gone = hand.sealed(t.LineTest(nonce=1))
            for _ in range(2):
                await hand.open()
            await hand.quiet()
            telegram = hand.sealed(t.LineTest(nonce=2))
            strange = structs.replace(
                parse(other.sealed(t.LineTest(nonce=1))), line_id=hand.line_id
            ).pack()
            messages = [flipped(telegram, position) for position in GENERATION_BITS]
            messages += [gone, strange, gone[:40], flipped(strange, 900)]
            seen = {await _try(town, hand, message) for message in messages}
            await town.runtime.lines.report_drops()
            return seen, {line["reason"] for line in town.log.of("envelope.dropped")}

    seen, reasons = run(work)

    assert 1 == len(seen)
    ((_, _, length),) = seen.pop()
    assert REJECTION_BYTES == length
    assert {"keys-unknown"} == reasons


def test_a_telegram_cannot_be_sent_back(keys: Keys, folder: Path) -> None:
    """The city's own telegrams, on the topic up and with the direction changed: silence."""

    async def work(loop: VirtualLoop) -> set[Behaviour]:
        async with Town(loop, keys, folder, random.Random(1)).running() as town:
            hand = await Hand(town, ONE).open()
            down = [p.message for p in town.broker.history if p.topic == hand.down]
            turned = [structs.replace(parse(each), direction=Direction.UP).pack() for each in down]
            telegrams = [each for each in (*down, *turned) if len(each) > MENU_BUCKET_BYTES]
            assert 2 == len(telegrams)
            return {await _try(town, hand, message) for message in telegrams}

    assert {()} == run(work)


async def _try(town: Town, hand: Hand, message: bytes) -> Behaviour:
    """Put a message on the line and watch the city until long after it."""
    since, at_ms = len(town.broker.delivered), town.loop.now_ms
    hand.put(message)
    await hand.quiet()
    return behaviour(town, since, at_ms, hand.down)


Wrong: TypeAlias = Callable[[Hand, bytes, bytes], t.Authenticate]


def unknown_card(hand: Hand, visit_id: bytes, challenge: bytes) -> t.Authenticate:
    """Return an attempt with a card that nobody registered."""
    stranger = CardFile(number=b"no such card----", holder="", signing_key=SigningKey.generate())
    return hand.attempt(visit_id, challenge, card=stranger)


def unregistered_key(hand: Hand, visit_id: bytes, challenge: bytes) -> t.Authenticate:
    """Return one with a registered number and another card's key."""
    card = hand.town.keys.card
    clone = CardFile(number=card.number, holder="", signing_key=SigningKey.generate())
    return hand.attempt(visit_id, challenge, card=clone)


def badly_signed(hand: Hand, visit_id: bytes, challenge: bytes) -> t.Authenticate:
    """Return one with a signature of which one bit is another."""
    good = hand.attempt(visit_id, challenge)
    return structs.replace(good, card_signature=flipped(good.card_signature, 100))


def another_challenge(hand: Hand, visit_id: bytes, challenge: bytes) -> t.Authenticate:
    """Return one with the card's signature over a challenge that was never given."""
    return hand.attempt(visit_id, flipped(challenge, 7))


def wrong_pin(hand: Hand, visit_id: bytes, challenge: bytes) -> t.Authenticate:
    """Return one with the right card."""
    return hand.attempt(visit_id, challenge, pin=WRONG_PIN)


@pytest.mark.parametrize("right_pin_first", [False, True])
def test_cards_that_are_not_accepted_get_one_answer(
    keys: Keys, folder: Path, right_pin_first: bool
) -> None:
    """Unknown, unregistered or badly signed: the same code, length and time, and the same log."""
    kinds: tuple[Wrong, ...] = (unknown_card, unregistered_key, badly_signed, another_challenge)

    async def work(loop: VirtualLoop) -> tuple[set[tuple[Behaviour, bytes]], Town]:
        async with Town(loop, keys, folder, random.Random(1)).running() as town:
            hand = await Hand(town, ONE).open()
            if right_pin_first:
                await hand.authenticate(b"before----------")
            seen = set()
            for number, kind in enumerate(kinds):
                visit_id = b"visit %10d" % number
                asked = kind(hand, visit_id, await hand.begin(visit_id))
                seen.add(await _watched(town, hand, asked))
            assert 3 == await town.tries_left()
            return seen, town

    seen, town = run(work)
    told = town.log.of("visit.refused")

    assert 1 == len(seen)
    assert len(kinds) == len(told)
    assert 1 == len({tuple((k, v) for k, v in x.items() if k not in ("ts", "visit")) for x in told})
    assert {"CARD_NOT_ACCEPTED"} == {line["reason"] for line in told}


def test_refused_attempts_have_one_length(keys: Keys, folder: Path) -> None:
    """Not accepted, wrong PIN, locked now, locked before: one message of one length each.

    A menu is longer than a refusal: that the PIN was right shows (section 18, Traffic).
    """
    kinds: tuple[Wrong, ...] = (unknown_card, *4 * (wrong_pin,))

    async def work(loop: VirtualLoop) -> tuple[list[Behaviour], list[str], Behaviour]:
        async with Town(loop, keys, folder, random.Random(1)).running() as town:
            hand = await Hand(town, ONE).open()
            visit_id = b"visit right-----"
            asked = hand.attempt(visit_id, await hand.begin(visit_id))
            right, _ = await _watched(town, hand, asked)
            seen, codes = [], []
            for number, kind in enumerate(kinds):
                visit_id = b"visit %10d" % number
                asked = kind(hand, visit_id, await hand.begin(visit_id))
                watched, code = await _watched(town, hand, asked)
                seen.append(watched)
                codes.append(code.decode())
            return seen, codes, right

    seen, codes, right = run(work)
    small = HEADER_BYTES + SMALL_BUCKET_BYTES + SEAL_BYTES

    assert ["CARD_NOT_ACCEPTED", "PIN_WRONG", "PIN_WRONG", "CARD_LOCKED", "CARD_LOCKED"] == codes
    assert {(small,)} == {tuple(length for _, _, length in each) for each in seen}
    assert 1 == len(set(seen))
    assert [HEADER_BYTES + MENU_BUCKET_BYTES + SEAL_BYTES] == [length for _, _, length in right]


async def _watched(town: Town, hand: Hand, asked: t.Authenticate) -> tuple[Behaviour, bytes]:
    """Ask, and return what the broker saw, and the name of the code, which it cannot see."""
    since, at_ms = len(town.broker.delivered), town.loop.now_ms
    answer = await hand.ask(asked, t.Telegram)
    await hand.quiet()
    code = answer.code.name if isinstance(answer, t.Refused) else ""
    return behaviour(town, since, at_ms, hand.down), code.encode()


def test_what_a_terminal_drops_it_drops_in_silence(keys: Keys, folder: Path) -> None:
    """A machine's end answers no tampered telegram, whatever was changed in it."""

    async def work(loop: VirtualLoop) -> tuple[int, set[str]]:
        async with Town(loop, keys, folder, random.Random(1)).running() as town:
            hand = await Hand(town, ONE).open()
            down = [p.message for p in town.broker.history if p.topic == hand.down]
            (opened,) = [each for each in down if len(each) > MENU_BUCKET_BYTES]
            said = len(town.broker.history)
            for message in tampered(opened, down, town.dice):
                hand.events += hand.line.receive(message, town.loop.now_ms)
            hand._send()
            return len(town.broker.history) - said, set(hand.dropped)

    said, reasons = run(work)

    assert 0 == said
    assert reasons <= {"seal", "replayed"}


def test_old_keys_are_gone_after_their_time(keys: Keys, folder: Path) -> None:
    """A telegram that was kept back opens for a minute after new keys, and then no more."""

    async def work(loop: VirtualLoop) -> list[Behaviour]:
        async with Town(loop, keys, folder, random.Random(1)).running() as town:
            hand = await Hand(town, ONE).open()
            kept = [hand.sealed(t.LineTest(nonce=nonce)) for nonce in range(2)]
            await hand.open()
            soon = await _try(town, hand, kept[0])
            await asyncio.sleep(GENERATION_OVERLAP_MS / 1_000)
            return [soon, await _try(town, hand, kept[1])]

    soon, late = run(work)

    assert [HEADER_BYTES + SMALL_BUCKET_BYTES + SEAL_BYTES] == [length for _, _, length in soon]
    assert [REJECTION_BYTES] == [length for _, _, length in late]
