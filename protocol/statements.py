r"""Everything that is signed or bound, in one canonical form.

A statement is ``b"kofu/1/" + label + b"\0" + MessagePack array of the fields``. The label
separates the domains: a signature over one kind of statement can never be taken for another.
Fields are integers, strings and byte strings in a fixed order; MessagePack writes each in its
shortest form.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from protocol.limits import SIGNATURE_BYTES

Field: TypeAlias = int | str | bytes | Sequence["Field"] | None

_PREFIX = b"kofu/1/"
_encode = msgspec.msgpack.Encoder().encode


def statement(label: str, *fields: Field) -> bytes:
    """Return the bytes to sign.

    Args:
        label: name of the kind of statement, in lower case with hyphens.
        fields: the content, in the order the specification gives.
    """
    return _PREFIX + label.encode("ascii") + b"\0" + _encode(fields)


def signature_holds(public_key: bytes, signature: bytes, signed: bytes) -> bool:
    """Tell whether an Ed25519 signature (RFC 8032) is good.

    Args:
        public_key: 32 bytes, raw form.
        signature: 64 bytes.
        signed: the statement's bytes.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def card_proof(
    *, challenge: bytes, visit_id: bytes, attempt: int, terminal: str, city: str, card: bytes
) -> bytes:
    """Return what a card signs to prove that it is present (SPEC.md, authenticate).

    Args:
        challenge: 32 bytes from the PIN judge.
        visit_id: 16 bytes.
        attempt: 1 and up, per visit.
        terminal: the terminal's id.
        city: municipality code, 6 digits.
        card: card number, 16 bytes.
    """
    return statement("card-proof", challenge, visit_id, attempt, terminal, city, card)


def certificate_proof(
    *,
    challenge: bytes,
    visit_id: bytes,
    attempt: int,
    terminal: str,
    city: str,
    certificate: bytes,
) -> bytes:
    """Return what a card signs with its certificate's key (SPEC.md, authenticate-certificate).

    Args:
        challenge: 32 bytes from the PIN judge.
        visit_id: 16 bytes.
        attempt: 1 and up, per visit.
        terminal: the terminal's id.
        city: municipality code, 6 digits.
        certificate: in DER form.
    """
    digest = hashlib.sha256(certificate).digest()
    return statement("certificate-proof", challenge, visit_id, attempt, terminal, city, digest)


def certificate_signature_holds(
    public_key: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes
) -> bool:
    """Tell whether an ECDSA signature with SHA-256 (FIPS 186-5) is good.

    Args:
        public_key: on P-256.
        signature: r and s, 32 bytes each, big-endian.
        signed: the statement's bytes.
    """
    half = SIGNATURE_BYTES // 2
    if len(signature) != SIGNATURE_BYTES:
        return False
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    try:
        public_key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def pin_block_info(
    *, challenge: bytes, visit_id: bytes, attempt: int, terminal: str, city: str, card: bytes
) -> bytes:
    """Return the HPKE ``info`` that binds a PIN block to its attempt (SPEC.md, PIN block).

    The line's counters are no part of it, so that a repeat after new keys is the same block.
    """
    return statement("pin-block", challenge, visit_id, attempt, terminal, city, card)
