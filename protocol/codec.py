"""Telegrams to bytes and back: MessagePack in a length-prefixed, zero-padded plaintext.

::

    length 4 (big-endian) | MessagePack map of that length | zeros up to the bucket

Decoding never raises anything but ``MalformedTelegram``, whatever the bytes.
"""

import hashlib
import re
from typing import Any

import msgspec

from protocol.errors import MalformedTelegram, Misuse
from protocol.limits import CONTENT_KEY_BYTES, TELEGRAM_BUCKETS_BYTES
from protocol.padding import BUCKET_FLOOR_BYTES
from protocol.secret import Secret
from protocol.telegrams import AnyTelegram

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on bytes that are not what they should be: text that is not UTF-8 and
arrays in arrays without end are not among its own errors."""

_LENGTH_BYTES = 4


def _encode_secret(value: Any) -> bytes:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError


def _decode_secret(wanted: type, value: Any) -> Any:
    if wanted is Secret and isinstance(value, bytes) and len(value) == CONTENT_KEY_BYTES:
        return Secret(value)
    raise ValueError


_encoder = msgspec.msgpack.Encoder(enc_hook=_encode_secret)
_decoder: msgspec.msgpack.Decoder[AnyTelegram] = msgspec.msgpack.Decoder(
    AnyTelegram, dec_hook=_decode_secret
)


def encode(telegram: AnyTelegram) -> bytes:
    """Return the padded plaintext of a telegram.

    Raises:
        Misuse: it is larger than the largest bucket.
    """
    packed = _encoder.encode(telegram)
    needed = max(_LENGTH_BYTES + len(packed), BUCKET_FLOOR_BYTES.get(type(telegram), 0))
    for bucket_bytes in TELEGRAM_BUCKETS_BYTES:
        if needed <= bucket_bytes:
            plain = len(packed).to_bytes(_LENGTH_BYTES, "big") + packed
            return plain.ljust(bucket_bytes, b"\0")
    raise Misuse(f"a telegram of {len(packed)} bytes fits no bucket")


def decode(plaintext: bytes) -> AnyTelegram:
    """Read a telegram out of an opened envelope.

    Raises:
        MalformedTelegram: bad length, padding that is not zero, or a field out of its range; the
            error names the field, never its value (TP-041).
    """
    length = int.from_bytes(plaintext[:_LENGTH_BYTES], "big")
    end = _LENGTH_BYTES + length
    padding = plaintext[end:]
    if len(plaintext) not in _BUCKETS or end > len(plaintext) or padding != bytes(len(padding)):
        raise MalformedTelegram("$")
    try:
        return _decoder.decode(plaintext[_LENGTH_BYTES:end])
    except UNREADABLE as error:
        raise MalformedTelegram(_path_in(str(error))) from None


def digest(plaintext: bytes) -> bytes:
    """Return the digest that a reply must carry: SHA-256 of the padded plaintext (TP-042)."""
    return hashlib.sha256(plaintext).digest()


def _path_in(message: str) -> str:
    """Take the field's path out of a library's message, and nothing else of it."""
    found = _PATH_AT_END.search(message)
    return found[1] if found else "$"


_BUCKETS = frozenset(TELEGRAM_BUCKETS_BYTES)
_PATH_AT_END = re.compile(r" - at `(\$[a-z_.\[\]0-9]{0,80})`\Z")
