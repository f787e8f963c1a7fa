"""Changes inputs: bytes as bytes, and MessagePack as what it means. All draws come from one dice.

The second half matters more here. A telegram whose bytes were flipped at random is hardly ever
MessagePack; one whose field was swapped for another value still is, and goes further in.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

CHANGES = (1, 1, 2, 4)
SLICE_BYTES_MAX = 64
DEPTH_MAX = 6

_BOUNDARIES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 1 << 31, 1 << 32, 1 << 53, (1 << 64) - 1)
_WIDTHS_BYTES = (1, 2, 4, 8)
_FOREIGN: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1 << 32,
    (1 << 53) + 1,
    (1 << 64) - 1,
    -(1 << 63),
    1.0,
    float("nan"),
    "",
    "x" * 65,
    "\N{BRAHMI LETTER A}",
    "hex:00",
    b"",
    bytes(16),
    bytes(32),
    b"\xff" * 64,
    [],
    [[[[]]]],
    {},
    {"telegram": "begin"},
    {1: 2},
    msgspec.msgpack.Ext(-1, bytes(4)),
    msgspec.msgpack.Ext(5, b""),
)


def mutated(content: bytes, dice: random.Random, pool: Sequence[bytes], *, bytes_max: int) -> bytes:
    """Return another input, at most ``bytes_max`` long.

    Args:
        content: where to start.
        dice: where the draws come from.
        pool: other inputs, to cut pieces out of; not empty.
        bytes_max: how long it may become.
    """
    for _ in range(dice.choice(CHANGES)):
        change = dice.choice(_CHANGES)
        content = change(content, dice, pool)
    return content[:bytes_max]


def _flip(content: bytes, dice: random.Random, _pool: Sequence[bytes]) -> bytes:
    changed = bytearray(content or b"\0")
    changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _overwrite(content: bytes, dice: random.Random, _pool: Sequence[bytes]) -> bytes:
    width = dice.choice(_WIDTHS_BYTES)
    number = (dice.choice(_BOUNDARIES) + dice.randint(-1, 1)) % (1 << 8 * width)
    at = dice.randint(0, len(content))
    return content[:at] + number.to_bytes(width, "big") + content[at + width :]


def _remove(content: bytes, dice: random.Random, _pool: Sequence[bytes]) -> bytes:
    start = dice.randint(0, len(content))
    return content[:start] + content[start + dice.randint(1, SLICE_BYTES_MAX) :]


def _repeat(content: bytes, dice: random.Random, _pool: Sequence[bytes]) -> bytes:
    start = dice.randint(0, len(content))
    end = start + dice.randint(1, SLICE_BYTES_MAX)
    return content[:end] + content[start:end] * dice.choice((1, 1, 2, 7)) + content[end:]


def _insert(content: bytes, dice: random.Random, _pool: Sequence[bytes]) -> bytes:
    at = dice.randint(0, len(content))
    return content[:at] + dice.randbytes(dice.randint(1, SLICE_BYTES_MAX)) + content[at:]


def _splice(content: bytes, dice: random.Random, pool: Sequence[bytes]) -> bytes:
    other = dice.choice(pool)
    start, at = dice.randint(0, len(other)), dice.randint(0, len(content))
    piece = other[start : start + dice.randint(1, 4 * SLICE_BYTES_MAX)]
    return content[:at] + piece + content[at + dice.choice((0, len(piece))) :]


def _change_meaning(content: bytes, dice: random.Random, pool: Sequence[bytes]) -> bytes:
    """Change a value inside a MessagePack array or map; other bytes are flipped."""
    try:
        value = msgspec.msgpack.decode(content)
        return msgspec.msgpack.encode(_other_value(value, dice, pool, DEPTH_MAX))
    except (msgspec.DecodeError, ValueError, TypeError, RecursionError, OverflowError):
        return _flip(content, dice, pool)


def _other_value(value: Any, dice: random.Random, pool: Sequence[bytes], depth: int) -> Any:
    if depth and value and dice.random() < 0.8:
        if isinstance(value, dict):
            return _other_map(value, dice, pool, depth)
        if isinstance(value, list):
            return _other_array(value, dice, pool, depth)
        if isinstance(value, bytes):
            return mutated(value, dice, pool, bytes_max=len(value) + SLICE_BYTES_MAX)
    if isinstance(value, int) and dice.random() < 0.6:
        return dice.choice((value + 1, value - 1, -value, value ^ (1 << dice.randrange(63))))
    if isinstance(value, str) and dice.random() < 0.4:
        return dice.choice((value * 2, value[:-1], value.upper(), value.encode()))
    return dice.choice(_FOREIGN)


def _other_map(
    value: dict[Any, Any], dice: random.Random, pool: Sequence[bytes], depth: int
) -> dict[Any, Any]:
    changed = dict(value)
    key = dice.choice(list(changed))
    draw = dice.random()
    if draw < 0.7:
        changed[key] = _other_value(changed[key], dice, pool, depth - 1)
    elif draw < 0.85:
        del changed[key]
    else:
        changed[f"{key}-"] = changed[key]
    return changed


def _other_array(
    value: list[Any], dice: random.Random, pool: Sequence[bytes], depth: int
) -> list[Any]:
    changed = list(value)
    at = dice.randrange(len(changed))
    draw = dice.random()
    if draw < 0.6:
        changed[at] = _other_value(changed[at], dice, pool, depth - 1)
    elif draw < 0.7:
        del changed[at]
    elif draw < 0.9:
        changed.insert(dice.randint(0, len(changed)), changed[at])
    else:
        dice.shuffle(changed)
    return changed


_Change = Callable[[bytes, random.Random, Sequence[bytes]], bytes]
_CHANGES: tuple[_Change, ...] = (
    _flip,
    _overwrite,
    _remove,
    _repeat,
    _insert,
    _splice,
    *(_change_meaning,) * 6,
)
