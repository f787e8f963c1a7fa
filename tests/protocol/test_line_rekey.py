"""New keys on an open line: when they are due, and that nothing is lost on the way."""

import random

import pytest

from protocol import codec
from protocol.envelope import Direction, EnvelopeKind, parse
from protocol.errors import KeyManagementError
from protocol.handshake_port import Role
from protocol.limits import (
    FLIGHT_REPEAT_MS,
    GENERATION_AGE_MS_MAX,
    GENERATION_OVERLAP_MS,
    TELEGRAMS_PER_GENERATION_HARD_MAX,
    TELEGRAMS_PER_GENERATION_MAX,
)
from protocol.line import Dropped, LineReady, TelegramReceived
from protocol.telegrams import LineTest
from tests.protocol.pair import Noise, Pair, handshake_id

PLAINTEXT = codec.encode(LineTest(nonce=5))


def opened() -> Pair:
    """Return a line opened at time 0."""
    pair = Pair()
    pair.open()
    return pair


def generation(number: int) -> int:
    """Return the generation of the so-many-th handshake."""
    return int.from_bytes(handshake_id(number)[:4], "big")


def sealed(pair: Pair, role: Role) -> bytes:
    """Return a message that one end sealed and nobody has carried yet."""
    line = pair.terminal if role is Role.TERMINAL else pair.server
    line.send(PLAINTEXT)
    return line.messages_to_send()[-1]


def test_keys_are_due_after_a_day() -> None:
    """Not a millisecond earlier (TP-034)."""
    pair = opened()

    assert not pair.terminal.keys_due(GENERATION_AGE_MS_MAX - 1)
    assert pair.terminal.keys_due(GENERATION_AGE_MS_MAX)


def test_keys_are_due_after_many_telegrams() -> None:
    """When 2^20 were sealed under them (TP-034)."""
    pair = opened()
    pair.terminal._generations[-1].sealer.next_counter = TELEGRAMS_PER_GENERATION_MAX - 1
    assert not pair.terminal.keys_due(0)
    pair.terminal.send(PLAINTEXT)

    assert pair.terminal.keys_due(0)


def test_worn_out_keys_seal_nothing() -> None:
    """At the hard maximum sending is refused, and new keys help (TP-033)."""
    pair = opened()
    pair.terminal._generations[-1].sealer.next_counter = TELEGRAMS_PER_GENERATION_HARD_MAX
    with pytest.raises(KeyManagementError):
        pair.terminal.send(PLAINTEXT)
    pair.open(1)

    assert (generation(2), 0) == pair.terminal.send(PLAINTEXT)


def test_telegrams_of_both_generations_open_during_the_overlap() -> None:
    """What was sent under the old keys still opens after the change (TP-036)."""
    pair = opened()
    old_up, old_down = sealed(pair, Role.TERMINAL), sealed(pair, Role.SERVER)
    pair.open(1_000)
    end_ms = 1_000 + GENERATION_OVERLAP_MS

    assert isinstance(pair.server.receive(old_up, end_ms - 1)[0], TelegramReceived)
    assert isinstance(pair.terminal.receive(old_down, end_ms - 1)[0], TelegramReceived)
    assert generation(2) == parse(sealed(pair, Role.TERMINAL)).generation
    assert generation(2) == parse(sealed(pair, Role.SERVER)).generation


@pytest.mark.parametrize("woken", [False, True])
def test_the_old_generation_is_refused_after_sixty_seconds(woken: bool) -> None:
    """With and without a waking in between (TP-036)."""
    pair = opened()
    old = sealed(pair, Role.TERMINAL)
    pair.open(1_000)
    end_ms = 1_000 + GENERATION_OVERLAP_MS
    if woken:
        pair.server.wake(end_ms)
        assert 1 == len(pair.server._generations)

    assert [Dropped(reason="keys-unknown")] == pair.server.receive(old, end_ms)


def test_a_change_of_keys_loses_nothing() -> None:
    """Requests asked before, during and after it are all answered, in one pass (TP-036)."""
    pair = opened()
    for nonce in range(3):
        pair.exchange.ask(LineTest(nonce=nonce), 10)
    pair.start_handshake(10)
    for nonce in range(3, 6):
        pair.exchange.ask(LineTest(nonce=nonce), 10)
    pair.carry(10)
    pair.exchange.ask(LineTest(nonce=6), 10)
    pair.carry(10)

    assert 7 == len(pair.answered)
    assert [] == [event for event in pair.server_events if isinstance(event, Dropped)]


@pytest.mark.parametrize("seed", range(30))
def test_a_change_of_keys_under_faults_loses_nothing(seed: int) -> None:
    """With losses, doubles and reordering, all requests around a change are answered."""
    pair = opened()
    pair.meddle = Noise(random.Random(seed), loss=0.3, doubling=0.3, holding=0.3)
    digests = {pair.exchange.ask(LineTest(nonce=nonce), 0) for nonce in range(8)}
    pair.start_handshake(0)
    pair.run(0, 3_600_000, stop=lambda: pair.answered == digests)

    assert digests == pair.answered, f"seed {seed}"


def test_a_telegram_under_old_keys_proves_nothing_about_the_new_ones() -> None:
    """The terminal goes on repeating its last flight until the server shows it has it (TP-022)."""
    pair = opened()
    old_down = sealed(pair, Role.SERVER)
    pair.start_handshake(1_000)
    for message in pair.terminal.messages_to_send():
        pair.server.receive(message, 1_000)
    for message in pair.server.messages_to_send():
        pair.terminal.receive(message, 1_000)
    (lost,) = pair.terminal.messages_to_send()
    assert isinstance(pair.terminal.receive(old_down, 1_000)[0], TelegramReceived)
    pair.terminal.wake(1_000 + FLIGHT_REPEAT_MS)

    assert [lost] == pair.terminal.messages_to_send()


def test_a_telegram_under_the_new_keys_stops_the_repeats() -> None:
    """It stands for a flight 3 that was lost (TP-022)."""
    pair = Pair(
        meddle=lambda sender, message: (
            ()
            if sender is Role.SERVER
            and parse(message).kind is EnvelopeKind.KEY_EXCHANGE
            and parse(message).counter == 3
            else (message,)
        )
    )
    pair.open()
    assert FLIGHT_REPEAT_MS == pair.terminal.next_deadline_ms()
    pair.terminal.receive(sealed(pair, Role.SERVER), 0)
    pair.terminal.wake(FLIGHT_REPEAT_MS)

    assert [] == pair.terminal.messages_to_send()


def test_the_terminals_word_confirms_at_the_server_too() -> None:
    """After a telegram under the new keys, the server's handshake is acknowledged."""
    pair = opened()
    pair.server.receive(sealed(pair, Role.TERMINAL), 0)

    assert pair.server._finished is not None
    assert pair.server._finished.acknowledged


def test_at_most_two_generations_are_kept() -> None:
    """A third change within a minute retires the first generation at once (TP-036)."""
    pair = opened()
    first = sealed(pair, Role.TERMINAL)
    pair.open(1)
    second = sealed(pair, Role.TERMINAL)
    pair.open(2)

    assert [Dropped(reason="keys-unknown")] == pair.server.receive(first, 3)
    assert isinstance(pair.server.receive(second, 3)[0], TelegramReceived)
    assert 2 == len(pair.server._generations)


def test_the_overlap_ends_when_it_was_said_to_end() -> None:
    """A second change does not prolong the first overlap, and its end is a deadline."""
    pair = opened()
    pair.open(1_000)

    assert 1_000 + GENERATION_OVERLAP_MS == pair.server.next_deadline_ms()
    pair.wake(1_000 + GENERATION_OVERLAP_MS)
    assert 1 == len(pair.terminal._generations) == len(pair.server._generations)


def test_counters_start_at_zero_in_each_generation() -> None:
    """Keys are new, so counters are (TP-030)."""
    pair = opened()
    sealed(pair, Role.TERMINAL)
    pair.open(1)
    envelope = parse(sealed(pair, Role.TERMINAL))

    assert (Direction.UP, 0) == (envelope.direction, envelope.counter)


def test_both_ends_report_every_generation() -> None:
    """Each change of keys is an event."""
    pair = opened()
    pair.open(1)
    made = [event.generation for event in pair.server_events if isinstance(event, LineReady)]

    assert [generation(1), generation(2)] == made
