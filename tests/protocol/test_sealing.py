"""Seals: what opens, what does not, and how often."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from protocol.envelope import Direction, Envelope, EnvelopeKind, parse
from protocol.errors import CounterReplayed, KeyManagementError, SealError
from protocol.key_schedule import DirectionKeys
from protocol.limits import REPLAY_WINDOW_COUNTERS, TELEGRAMS_PER_GENERATION_HARD_MAX
from protocol.sealing import Opener, Sealer
from protocol.secret import Secret
from tests.protocol.stand_in import LINE_ID

KEYS = DirectionKeys(key=Secret(bytes(range(32))), nonce_base=Secret(bytes(range(32, 44))))
OTHER_KEYS = DirectionKeys(key=Secret(bytes(32)), nonce_base=KEYS.nonce_base)
PLAINTEXT = b"a telegram".ljust(512, b"\0")


def sealer() -> Sealer:
    """Return a fresh sealer of generation 7, sending up."""
    return Sealer(KEYS, direction=Direction.UP, generation=7, line_id=LINE_ID)


def test_the_seal_is_the_documented_one() -> None:
    """AES-256-GCM, nonce by exclusive or, the header as associated data (TP-030)."""
    sealing = sealer()
    sealing.next_counter = 0x0102
    envelope = sealing.seal(PLAINTEXT)
    nonce = bytes(range(32, 42)) + bytes([42 ^ 1, 43 ^ 2])
    header = bytes.fromhex("0102000000000007") + LINE_ID + (0x0102).to_bytes(8, "big")

    assert header == envelope.header
    assert AESGCM(bytes(range(32))).encrypt(nonce, PLAINTEXT, header) == envelope.body


def test_counters_rise_from_zero() -> None:
    """Each seal takes the next counter."""
    sealing = sealer()

    assert [0, 1, 2] == [sealing.seal(PLAINTEXT).counter for _ in range(3)]


def test_what_was_sealed_opens_once() -> None:
    """The first copy opens, the second is a replay (TP-031)."""
    envelope, opening = sealer().seal(PLAINTEXT), Opener(KEYS)

    assert PLAINTEXT == opening.open(envelope)
    with pytest.raises(CounterReplayed):
        opening.open(envelope)


def test_reordered_telegrams_open_within_the_window() -> None:
    """Backwards, all of one window open; one more from behind does not (TP-031)."""
    sealing, opening = sealer(), Opener(KEYS)
    envelopes = [sealing.seal(b"") for _ in range(REPLAY_WINDOW_COUNTERS + 1)]
    opened = [opening.open(envelope) for envelope in reversed(envelopes[1:])]

    assert REPLAY_WINDOW_COUNTERS == len(opened)
    with pytest.raises(CounterReplayed):
        opening.open(envelopes[0])


def test_every_changed_bit_of_header_and_body_is_refused() -> None:
    """No bit can be changed without the seal failing or the envelope being none (TP-032)."""
    message = sealer().seal(b"short").pack()
    for place in range(len(message)):
        for bit in range(8):
            changed = bytearray(message)
            changed[place] ^= 1 << bit
            header, body = bytes(changed[:24]), bytes(changed[24:])
            if place < 4:
                continue  # version, kind, direction, zero: see the test of the envelope
            with pytest.raises(SealError):
                Opener(KEYS).open(parse(header + body))


@pytest.mark.parametrize("body", [b"", b"x", bytes(15), bytes(16), bytes(600)])
def test_bodies_that_are_no_seal_give_the_one_error(body: bytes) -> None:
    """Too short or made up: the same error, the same text, no cause (TP-032)."""
    forged = Envelope(
        kind=EnvelopeKind.TELEGRAM,
        direction=Direction.UP,
        generation=7,
        line_id=LINE_ID,
        counter=0,
        body=body,
    )
    with pytest.raises(SealError) as caught:
        Opener(KEYS).open(forged)
    assert "the seal does not open" == str(caught.value)
    assert caught.value.__cause__ is None


def test_a_forgery_does_not_strike_out_the_true_one() -> None:
    """After a forged envelope with its counter, the true one still opens (TP-032)."""
    envelope, opening = sealer().seal(PLAINTEXT), Opener(KEYS)
    with pytest.raises(SealError):
        opening.open(replace(envelope, body=bytes(528)))

    assert PLAINTEXT == opening.open(envelope)


def test_other_keys_do_not_open_it() -> None:
    """A seal of another key is refused."""
    with pytest.raises(SealError):
        Opener(OTHER_KEYS).open(sealer().seal(PLAINTEXT))


def test_keys_are_used_up_at_the_hard_maximum() -> None:
    """The last counter seals, the next one does not, however often it is tried (TP-033)."""
    sealing = sealer()
    sealing.next_counter = TELEGRAMS_PER_GENERATION_HARD_MAX - 1
    assert TELEGRAMS_PER_GENERATION_HARD_MAX - 1 == sealing.seal(PLAINTEXT).counter

    for _ in range(2):
        with pytest.raises(KeyManagementError):
            sealing.seal(PLAINTEXT)
