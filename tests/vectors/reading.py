"""Reads vector files and meddles with their bytes; knows nothing of how they were made."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
BYTES_MARK = "hex:"
"""Within ``fields``, where texts and byte strings meet, a byte string begins with this."""


def vector(name: str) -> Any:
    """Return the content of one vector file."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def octets(text: str) -> bytes:
    """Return the bytes of a hexadecimal value."""
    return bytes.fromhex(text)


def plain(value: Any) -> Any:
    """Return ``fields`` as plain values, with bytes where the mark stands."""
    match value:
        case str() if value.startswith(BYTES_MARK):
            return octets(value.removeprefix(BYTES_MARK))
        case list():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
    return value


def flipped(content: bytes, at: int, mask: int = 0x01) -> bytes:
    """Return the bytes with one of them changed."""
    changed = bytearray(content)
    changed[at] ^= mask
    return bytes(changed)
