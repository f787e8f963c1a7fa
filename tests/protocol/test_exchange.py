"""Requests and replies: matched by name, repeated, given up, never taken by order."""

import msgspec
import pytest

from protocol import codec
from protocol.errors import Misuse
from protocol.exchange import Exchange, LateReply, ReplyReceived, Unanswered
from protocol.limits import (
    COPIES_REMEMBERED_MAX,
    OUTSTANDING_REQUESTS_MAX,
    REQUEST_REPEAT_MS,
    REQUEST_REPEAT_MS_MAX,
)
from protocol.telegrams import AnyTelegram, LineTest, LineTested, RequestRef
from tests.protocol.pair import Pair, handshake_id

REQUEST = LineTest(nonce=1)
REPLY = LineTested(nonce=1)
DIGEST = codec.digest(codec.encode(REQUEST))
GENERATION = int.from_bytes(handshake_id(1)[:4], "big")


def opened() -> Pair:
    """Return an open line whose server answers nothing by itself."""
    pair = Pair(answer=lambda _: None)
    pair.open()
    return pair


def reply_to(
    *, generation: int = GENERATION, counter: int = 0, digest: bytes = DIGEST
) -> AnyTelegram:
    """Return a reply that names a copy."""
    return msgspec.structs.replace(REPLY, in_reply_to=RequestRef(generation, counter, digest))


def sent(pair: Pair) -> int:
    """Return how many messages the terminal sends now, and drop them."""
    return len(pair.terminal.messages_to_send())


def test_a_reply_is_matched_by_copy_and_digest() -> None:
    """The reply that names the copy and carries the digest is delivered (TP-044)."""
    pair = opened()

    assert DIGEST == pair.exchange.ask(REQUEST, 0)
    event = pair.exchange.receive(reply_to())
    assert ReplyReceived(request_digest=DIGEST, reply=reply_to()) == event
    assert pair.exchange.next_deadline_ms() is None


@pytest.mark.parametrize(
    "reply",
    [
        reply_to(digest=bytes(32)),
        reply_to(generation=GENERATION ^ 1),
        reply_to(counter=1),
    ],
)
def test_a_reply_to_another_copy_is_late(reply: AnyTelegram) -> None:
    """A wrong digest, generation or counter ends nothing and delivers nothing (TP-044)."""
    pair = opened()
    pair.exchange.ask(REQUEST, 0)
    named = reply.in_reply_to
    assert named is not None

    assert LateReply(request_digest=named.digest) == pair.exchange.receive(reply)
    assert isinstance(pair.exchange.receive(reply_to()), ReplyReceived)


def test_a_second_reply_is_late() -> None:
    """The request has ended with the first one (TP-044)."""
    pair = opened()
    pair.exchange.ask(REQUEST, 0)
    pair.exchange.receive(reply_to())

    assert LateReply(request_digest=DIGEST) == pair.exchange.receive(reply_to())


def test_replies_in_another_order_reach_their_requests() -> None:
    """Nothing is taken by order: the second request's reply comes first (TP-044)."""
    pair = opened()
    other = LineTest(nonce=2)
    other_digest = pair.exchange.ask(REQUEST, 0), pair.exchange.ask(other, 0)
    second = pair.exchange.receive(reply_to(counter=1, digest=other_digest[1]))
    first = pair.exchange.receive(reply_to(counter=0))

    assert other_digest[1] == second.request_digest
    assert other_digest[0] == first.request_digest


def test_a_telegram_that_is_no_reply_is_misuse() -> None:
    """Whoever hands over telegrams looks at ``in_reply_to`` first."""
    with pytest.raises(Misuse):
        opened().exchange.receive(REQUEST)


def test_repeats_come_at_growing_intervals() -> None:
    """1.5 s, 3 s, 6 s, then every 8 s; each copy has a counter of its own (TP-045)."""
    pair = opened()
    pair.exchange.ask(REQUEST, 0)
    assert 1 == sent(pair)
    times, now_ms = [], 0
    for _ in range(5):
        due_ms = pair.exchange.next_deadline_ms()
        assert due_ms is not None
        assert [] == pair.exchange.wake(due_ms - 1)
        assert 0 == sent(pair)
        pair.exchange.wake(due_ms)
        assert 1 == sent(pair)
        times.append(due_ms - now_ms)
        now_ms = due_ms

    assert [REQUEST_REPEAT_MS, 3_000, 6_000, REQUEST_REPEAT_MS_MAX, REQUEST_REPEAT_MS_MAX] == times
    assert isinstance(pair.exchange.receive(reply_to(counter=3)), ReplyReceived)


def test_only_the_latest_copies_are_remembered() -> None:
    """An advice repeated for days has a bounded memory; a reply to an early copy is late."""
    pair = opened()
    pair.exchange.ask(REQUEST, 0)
    for repeat in range(COPIES_REMEMBERED_MAX):
        pair.exchange.wake((repeat + 1) * REQUEST_REPEAT_MS_MAX)

    assert isinstance(pair.exchange.receive(reply_to(counter=0)), LateReply)
    assert isinstance(pair.exchange.receive(reply_to(counter=1)), ReplyReceived)


def test_a_request_is_given_up_in_its_time() -> None:
    """At the said time it ends, once, and what comes afterwards is late (TP-045)."""
    pair = opened()
    pair.exchange.ask(REQUEST, 0, give_up_ms=1_000)
    assert 1_000 == pair.exchange.next_deadline_ms()
    assert [] == pair.exchange.wake(999)

    assert [Unanswered(request_digest=DIGEST)] == pair.exchange.wake(1_000)
    assert [] == pair.exchange.wake(9_000)
    assert isinstance(pair.exchange.receive(reply_to()), LateReply)


def test_asking_the_same_again_is_the_same_request() -> None:
    """While it is outstanding, the same content is not sent twice (TP-046)."""
    pair = opened()
    first = pair.exchange.ask(REQUEST, 0)
    second = pair.exchange.ask(REQUEST, 5)

    assert first == second
    assert 1 == sent(pair)


def test_a_forgotten_request_has_ended() -> None:
    """Its reply is late, and forgetting it again is nothing."""
    pair = opened()
    pair.exchange.ask(REQUEST, 0)
    pair.exchange.forget(DIGEST)
    pair.exchange.forget(DIGEST)

    assert isinstance(pair.exchange.receive(reply_to()), LateReply)


def test_outstanding_requests_are_bounded() -> None:
    """The seventeenth at once is a misuse (TP-046)."""
    pair = opened()
    for nonce in range(OUTSTANDING_REQUESTS_MAX):
        pair.exchange.ask(LineTest(nonce=nonce), 0)

    with pytest.raises(Misuse):
        pair.exchange.ask(LineTest(nonce=99), 0)


def test_everything_is_sent_again_under_new_keys() -> None:
    """Copies under both generations are answered, and intervals start over (TP-045)."""
    pair = opened()
    pair.exchange.ask(REQUEST, 0)
    pair.exchange.wake(REQUEST_REPEAT_MS)
    pair.open(2_000)
    assert 2_000 + REQUEST_REPEAT_MS == pair.exchange.next_deadline_ms()
    named = reply_to(generation=int.from_bytes(handshake_id(2)[:4], "big"), counter=0)

    assert isinstance(pair.exchange.receive(named), ReplyReceived)


def test_a_request_waits_for_keys() -> None:
    """Asked before the line is open, it is sent when the line is ready."""
    pair = Pair()
    pair.exchange.ask(REQUEST, 0)
    assert 0 == sent(pair)
    pair.open(10)

    assert 1 == len(pair.replies)
    assert isinstance(pair.replies[0], ReplyReceived)


def test_an_exchange_without_requests_waits_for_nothing() -> None:
    """No deadline, and waking it does nothing."""
    exchange = Exchange(Pair().terminal)

    assert exchange.next_deadline_ms() is None
    assert [] == exchange.wake(1)
