"""Telegrams on an open line, and everything that a carrier or a stranger can do to them."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from protocol import codec
from protocol.envelope import Direction, Envelope, EnvelopeKind, parse
from protocol.handshake_port import Role
from protocol.limits import ENVELOPE_BYTES_MAX, REJECT_INTERVAL_MS, REPLAY_WINDOW_COUNTERS
from protocol.line import Dropped, KeysUnknown, Line, MalformedReceived, TelegramReceived
from protocol.telegrams import LineTest, RequestRef
from tests.protocol.pair import Pair, handshake_id
from tests.protocol.stand_in import CITY, TERMINAL, server_port

TELEGRAM = LineTest(nonce=5)
PLAINTEXT = codec.encode(TELEGRAM)
GENERATION = int.from_bytes(handshake_id(1)[:4], "big")
REASONS = {
    "misdirected",
    "envelope",
    "seal",
    "replayed",
    "handshake",
    "handshake-unknown",
    "generation-in-use",
    "keys-unknown",
}


def opened() -> Pair:
    """Return an open line with nothing under way."""
    pair = Pair()
    pair.open()
    pair.terminal_events.clear()
    pair.server_events.clear()
    return pair


def sealed(pair: Pair, plaintext: bytes = PLAINTEXT) -> bytes:
    """Return a message that the terminal sealed and nobody has carried yet."""
    pair.terminal.send(plaintext)
    return pair.terminal.messages_to_send()[-1]


def rejection(generation: int, direction: Direction = Direction.DOWN) -> bytes:
    """Return a rejection, as anybody could forge it."""
    pair = opened()
    example = parse(sealed(pair))
    return replace(
        example,
        kind=EnvelopeKind.REJECTION,
        direction=direction,
        generation=generation,
        body=b"",
    ).pack()


def test_a_telegram_comes_with_the_name_of_its_copy() -> None:
    """Generation, counter and digest name the copy that a reply will answer (TP-042)."""
    pair = opened()
    assert (GENERATION, 0) == pair.terminal.send(PLAINTEXT)
    (message,) = pair.terminal.messages_to_send()
    ref = RequestRef(GENERATION, 0, codec.digest(PLAINTEXT))

    assert [TelegramReceived(telegram=TELEGRAM, ref=ref)] == pair.server.receive(message, 0)
    assert [] == pair.terminal.messages_to_send()


def test_a_telegram_opens_once() -> None:
    """Its second copy is dropped as a replay (TP-031)."""
    pair = opened()
    message = sealed(pair)
    pair.server.receive(message, 0)

    assert [Dropped(reason="replayed")] == pair.server.receive(message, 0)


def test_reordered_telegrams_are_taken_once_each() -> None:
    """Shuffled and doubled within the window, every telegram arrives exactly once (TP-031)."""
    pair = opened()
    messages = [sealed(pair, codec.encode(LineTest(nonce=nonce))) for nonce in range(200)]
    shuffled = messages * 2
    random.Random(3).shuffle(shuffled)
    events = [event for message in shuffled for event in pair.server.receive(message, 0)]
    nonces = [
        event.telegram.nonce
        for event in events
        if isinstance(event, TelegramReceived) and isinstance(event.telegram, LineTest)
    ]

    assert list(range(200)) == sorted(nonces)
    assert 200 == events.count(Dropped(reason="replayed"))


def test_a_telegram_from_beyond_the_window_is_dropped() -> None:
    """Too old to know whether it was seen: dropped (TP-031)."""
    pair = opened()
    old, *others = [sealed(pair) for _ in range(REPLAY_WINDOW_COUNTERS + 1)]
    pair.server.receive(others[-1], 0)

    assert [Dropped(reason="replayed")] == pair.server.receive(old, 0)


def test_every_flipped_byte_of_an_envelope_is_dropped() -> None:
    """No changed byte comes through, and none raises (TP-032)."""
    pair = opened()
    message = sealed(pair)
    for place in range(len(message)):
        changed = bytearray(message)
        changed[place] ^= 0xFF
        (event,) = pair.server.receive(bytes(changed), 0)

        assert isinstance(event, Dropped), place
        assert event.reason in REASONS
    assert isinstance(pair.server.receive(message, 0)[0], TelegramReceived)


@pytest.mark.parametrize("length", [0, 1, 23, 24, 25, 39, 40, 551])
def test_truncated_envelopes_are_dropped(length: int) -> None:
    """Cut anywhere, an envelope does not open."""
    pair = opened()
    (event,) = pair.server.receive(sealed(pair)[:length], 0)

    assert isinstance(event, Dropped)
    assert event.reason == ("envelope" if length < 24 else "seal")


def test_oversized_envelopes_are_dropped() -> None:
    """More than an envelope may have is not even looked at (TP-010)."""
    pair = opened()
    long = sealed(pair) + bytes(ENVELOPE_BYTES_MAX)

    assert [Dropped(reason="envelope")] == pair.server.receive(long, 0)


def test_an_envelope_of_the_own_direction_is_misdirected() -> None:
    """What a terminal sent does not come back to it as something said to it (TP-011)."""
    pair = opened()

    assert [Dropped(reason="misdirected")] == pair.terminal.receive(sealed(pair), 0)


def test_an_envelope_of_another_line_is_misdirected() -> None:
    """The line id in the header must be this line's (TP-011)."""
    pair = opened()
    foreign = replace(parse(sealed(pair)), line_id=bytes(8)).pack()

    assert [Dropped(reason="misdirected")] == pair.server.receive(foreign, 0)


def test_the_true_telegram_of_another_line_does_not_open() -> None:
    """Even with its line id changed to this line's, it is dropped (TP-024)."""
    pair, other_line = opened(), bytes(8)
    stranger = Line(
        role=Role.SERVER,
        city=CITY,
        terminal=TERMINAL,
        line_id=other_line,
        handshakes=server_port(),
    )
    message = sealed(pair)
    readdressed = replace(parse(message), line_id=other_line).pack()

    assert [Dropped(reason="misdirected")] == stranger.receive(message, 0)
    assert [Dropped(reason="keys-unknown")] == stranger.receive(readdressed, 0)


@given(st.binary(max_size=120), st.sampled_from(EnvelopeKind), st.integers(0, 3))
def test_garbage_never_raises(garbage: bytes, kind: EnvelopeKind, number: int) -> None:
    """Random bytes, alone or behind a good header, give events and nothing else (TP-012)."""
    pair = opened()
    for direction, line in ((Direction.UP, pair.server), (Direction.DOWN, pair.terminal)):
        example = replace(parse(sealed(pair)), kind=kind, direction=direction, counter=number)
        for message in (garbage, replace(example, body=garbage).pack()):
            for event in line.receive(message, 0):
                assert isinstance(event, (Dropped, KeysUnknown))


def test_malformed_content_names_the_field_and_no_value() -> None:
    """Through the seal but no telegram: the event has a path and no content (TP-041)."""
    canary = "canary-7193-canary"
    body = msgspec.msgpack.encode({"telegram": "line-test", "nonce": canary})
    plaintext = (len(body).to_bytes(4, "big") + body).ljust(512, b"\0")
    pair = opened()
    ref = RequestRef(GENERATION, 0, codec.digest(plaintext))
    events = pair.server.receive(sealed(pair, plaintext), 0)

    assert [MalformedReceived(ref=ref, field="$.nonce")] == events
    assert canary not in repr(events)


def test_unknown_keys_are_rejected_and_the_terminal_opens_again() -> None:
    """After a restart of the server, a telegram leads to a handshake and arrives (TP-035)."""
    pair = opened()
    pair.server.forget_keys()
    pair.exchange.ask(TELEGRAM, 0)
    pair.carry(0)

    assert Dropped(reason="keys-unknown") in pair.server_events
    assert KeysUnknown() in pair.terminal_events
    assert 2 == pair.handshakes
    assert 1 == len(pair.replies)


def test_a_rejection_counts_only_for_the_keys_in_use() -> None:
    """A forged rejection of other keys is nothing, whoever gets it (TP-035)."""
    pair = opened()

    assert [KeysUnknown()] == pair.terminal.receive(rejection(GENERATION), 0)
    assert [] == pair.terminal.receive(rejection(GENERATION ^ 1), 0)
    assert pair.terminal.ready
    assert [] == pair.server.receive(rejection(GENERATION, Direction.UP), 0)
    assert [] == Pair().terminal.receive(rejection(GENERATION), 0)


def test_rejections_are_few() -> None:
    """A server rejects at most once in half a second, whatever floods it (TP-035)."""
    pair = opened()
    pair.server.forget_keys()
    message = sealed(pair)
    sent = []
    for now_ms in range(0, 10 * REJECT_INTERVAL_MS, REJECT_INTERVAL_MS // 10):
        assert [Dropped(reason="keys-unknown")] == pair.server.receive(message, now_ms)
        sent += pair.server.messages_to_send()

    assert 10 == len(sent)
    assert {EnvelopeKind.REJECTION} == {parse(rejected).kind for rejected in sent}
    assert {(GENERATION, b"")} == {(parse(r).generation, parse(r).body) for r in sent}


def test_a_terminal_rejects_nothing() -> None:
    """Only a server answers unknown keys, so two ends never reject each other's rejections."""
    pair = opened()
    pair.server.send(PLAINTEXT)
    (message,) = pair.server.messages_to_send()
    pair.terminal.forget_keys()

    assert [Dropped(reason="keys-unknown")] == pair.terminal.receive(message, 0)
    assert [] == pair.terminal.messages_to_send()


def test_a_telegram_that_overtakes_the_last_flight_is_not_rejected() -> None:
    """While the handshake of its keys is under way, the telegram is only dropped (TP-035)."""
    pair = Pair()
    pair.start_handshake(0)
    for message in pair.terminal.messages_to_send():
        pair.server.receive(message, 0)
    for message in pair.server.messages_to_send():
        pair.terminal.receive(message, 0)
    (last_flight,) = pair.terminal.messages_to_send()

    assert [Dropped(reason="keys-unknown")] == pair.server.receive(sealed(pair), 0)
    assert [] == pair.server.messages_to_send()
    pair.server.receive(last_flight, 0)
    assert isinstance(pair.server.receive(sealed(pair), 0)[0], TelegramReceived)


def test_both_directions_have_keys_of_their_own() -> None:
    """A telegram reflected with its direction changed does not open (TP-025)."""
    pair = opened()
    reflected = replace(parse(sealed(pair)), direction=Direction.DOWN).pack()

    assert [Dropped(reason="seal")] == pair.terminal.receive(reflected, 0)


def test_telegrams_of_one_bucket_look_alike() -> None:
    """Messages differ in length only by bucket."""
    pair = opened()
    lengths = {len(sealed(pair, codec.encode(LineTest(nonce=nonce)))) for nonce in (0, 1 << 53)}

    assert {512 + 16 + 24} == lengths


def test_an_unopened_envelope_can_be_read_by_nobody() -> None:
    """Nothing of the plaintext shows in the message."""
    pair = opened()
    message = sealed(pair)

    assert b"line-test" not in message
    assert isinstance(parse(message), Envelope)
