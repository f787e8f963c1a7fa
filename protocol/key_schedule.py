"""From the handshake's exported secret to the keys of both directions (SPEC.md §5)."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from protocol.envelope import Direction
from protocol.secret import Secret
from protocol.statements import statement

EXPORTED_BYTES = 64
_KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionKeys:
    """What seals one direction of one generation.

    Attributes:
        key: AES-256 key, 32 bytes.
        nonce_base: 12 bytes; the nonce is this XOR the counter (RFC 8446 §5.3).
    """

    key: Secret
    nonce_base: Secret


def export_context(*, city: str, terminal: str, line_id: bytes, generation: int) -> bytes:
    """Return the exporter context that binds the keys to one line and generation (TP-024)."""
    return statement("line-keys", city, terminal, line_id, generation)


def direction_keys(exported: Secret, direction: Direction, context: bytes) -> DirectionKeys:
    """Derive one direction's keys by HKDF-Expand (RFC 5869) with SHA-256 (TP-025).

    Args:
        exported: 64 bytes from the handshake; the first half is for ``UP``.
        direction: which half.
        context: the exporter context, bound in once more.
    """
    half = EXPORTED_BYTES // 2
    start = 0 if direction is Direction.UP else half
    info = statement("telegram-keys", int(direction), context)
    expand = HKDFExpand(algorithm=SHA256(), length=_KEY_BYTES + _NONCE_BYTES, info=info)
    material = expand.derive(exported.reveal()[start : start + half])
    return DirectionKeys(
        key=Secret(material[:_KEY_BYTES]), nonce_base=Secret(material[_KEY_BYTES:])
    )
