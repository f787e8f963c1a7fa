"""The key schedule, computed a second time by hand."""

import hashlib
import hmac

import msgspec
import pytest

from protocol.envelope import Direction
from protocol.key_schedule import DirectionKeys, direction_keys, export_context
from protocol.secret import Secret
from tests.protocol.stand_in import CITY, LINE_ID, TERMINAL

EXPORTED = Secret(bytes(range(64)))
CONTEXT = export_context(city=CITY, terminal=TERMINAL, line_id=LINE_ID, generation=7)


def by_hand(half: bytes, direction: int) -> bytes:
    """HKDF-Expand (RFC 5869 §2.3) with SHA-256, 44 bytes, from HMAC alone."""
    info = b"kofu/1/telegram-keys\0" + msgspec.msgpack.encode([direction, CONTEXT])
    first = hmac.new(half, info + b"\1", hashlib.sha256).digest()
    second = hmac.new(half, first + info + b"\2", hashlib.sha256).digest()
    return (first + second)[:44]


@pytest.mark.parametrize("direction", Direction)
def test_keys_are_the_documented_ones(direction: Direction) -> None:
    """Each half of the secret gives key and nonce base of its direction (TP-025)."""
    half = EXPORTED.reveal()[:32] if direction is Direction.UP else EXPORTED.reveal()[32:]
    material = by_hand(half, int(direction))
    expected = DirectionKeys(key=Secret(material[:32]), nonce_base=Secret(material[32:]))

    assert expected == direction_keys(EXPORTED, direction, CONTEXT)


def test_the_context_is_the_documented_one() -> None:
    """City, terminal, line and generation are in it (TP-024)."""
    packed = msgspec.msgpack.encode([CITY, TERMINAL, LINE_ID, 7])

    assert b"kofu/1/line-keys\0" + packed == CONTEXT


def test_every_part_of_the_context_changes_the_keys() -> None:
    """Another city, terminal, line or generation gives other keys (TP-024)."""
    contexts = [
        CONTEXT,
        export_context(city="271004", terminal=TERMINAL, line_id=LINE_ID, generation=7),
        export_context(city=CITY, terminal="T-0002", line_id=LINE_ID, generation=7),
        export_context(city=CITY, terminal=TERMINAL, line_id=bytes(8), generation=7),
        export_context(city=CITY, terminal=TERMINAL, line_id=LINE_ID, generation=8),
    ]
    keys = [direction_keys(EXPORTED, Direction.UP, context) for context in contexts]

    assert 5 == len({part.key.reveal() for part in keys})


def test_keys_do_not_show() -> None:
    """The value's ``repr`` has stars where the keys are."""
    shown = repr(direction_keys(EXPORTED, Direction.UP, CONTEXT))

    assert "DirectionKeys(key=Secret(***), nonce_base=Secret(***))" == shown
