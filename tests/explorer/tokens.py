"""What stands for certificates, keys and menus in the explored world, and for their digests."""

from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol import telegrams as t
from protocol.binding import Binding

CITY_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


class PieceToken(NamedTuple):
    """Stands for any piece of a sealed certificate."""

    issuance_id: bytes
    content: bytes


class KeyToken(NamedTuple):
    """Stands for the telegram with key and binding; the key opens one content only."""

    issuance_id: bytes
    content: bytes
    binding: Binding
    signature: bytes


class MenuToken(NamedTuple):
    """Stands for the menu, without the members' names."""

    visit_id: bytes
    items: tuple[t.MenuItem, ...]
    unavailable: tuple[t.Unavailable, ...]


def content_of(issuance_id: bytes, resident: int, version: int) -> bytes:
    """Return what stands for a certificate: whose it is can be read off it."""
    return b"%s|%d|%d" % (issuance_id, resident, version)


def resident_on(content: bytes) -> int:
    """Return whom a certificate is about."""
    return int(content.rsplit(b"|", 2)[1])


def file_digest(content: bytes) -> bytes:
    """Return the digest of a certificate's file."""
    return sha256(b"file" + content).digest()


def sealed_digest(content: bytes) -> bytes:
    """Return the digest of a sealed certificate."""
    return sha256(b"sealed" + content).digest()


def pages(content: bytes, sheets: int) -> tuple[bytes, ...]:
    """Return the digests of its sheets."""
    return tuple(sha256(b"sheet%d" % n + content).digest() for n in range(sheets))
