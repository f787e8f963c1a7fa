"""What the code on a sheet claims, signed as COSE_Sign1 (RFC 9052) with Ed25519 (RFC 9053 §2.2).

The claims are a CWT (RFC 8392): issuer and time of issue are its registered claims; what belongs to
certificates is one array under a private label. Nothing in it names a person. Maps and integers
are written as RFC 8949 §4.2.1 says, so the same claims give the same bytes; Ed25519 draws nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import cbor2

from issuance_server.certificates.order import SALT_BYTES
from keys.signing import SigningKey
from protocol.errors import KofuError
from protocol.kinds import Kind
from protocol.statements import signature_holds

KEY_ID_BYTES = 8
DIGEST_BYTES = 32
SIGNATURE_BYTES = 64
COSE_BYTES_MAX = 512
NUMBER_CHARACTERS_MAX = 64
SHEETS_MAX = 99
VERIFY_PAGE_CHARACTERS_MAX = 60
"""Of the page's address: what a version 13 code has room for beside a claim."""

_ALGORITHM, _KEY_ID = 1, 4  # header parameters, RFC 9052 §3.1
_EDDSA = -8
_ISSUER, _ISSUED_AT = 1, 6  # claims, RFC 8392 §3.1
_SHEET = -65537
"""The first label of the private range (RFC 8392 §9.1)."""
_ISSUER_PREFIX = "jp."
_KINDS = {kind: place for place, kind in enumerate(Kind)}


class CodeUnreadable(KofuError):
    """The bytes are no code of ours, or one that is not well formed."""


class CodeForged(KofuError):
    """The code is signed with a key that the city does not have, or the signature does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the code of one sheet says.

    Attributes:
        city: municipality code of the issuer, 6 digits.
        number: 発行番号 of the copy, without the page number.
        sheet: number of the sheet, from 1.
        sheets: sheets of the copy.
        kind: kind of certificate.
        issued_on: the day on the sheet.
        specimen: whether the sheet is marked 見本.
        salt: 16 bytes, drawn for this certificate.
        text_digest: SHA-256 over the digests of the sheet's lines, 32 bytes.
    """

    city: str
    number: str
    sheet: int
    sheets: int
    kind: Kind
    issued_on: date
    specimen: bool
    salt: bytes
    text_digest: bytes


def key_id(public_key: bytes) -> bytes:
    """Return the name of a public key: the first 8 bytes of its SHA-256."""
    return sha256(public_key).digest()[:KEY_ID_BYTES]


def sign(claim: Claim, key: SigningKey) -> bytes:
    """Return the signed claim, an untagged COSE_Sign1."""
    protected = _encoded({_ALGORITHM: _EDDSA, _KEY_ID: key_id(key.public_key)})
    payload = _encoded(
        {
            _ISSUER: _ISSUER_PREFIX + claim.city,
            _ISSUED_AT: _seconds(claim.issued_on),
            _SHEET: [
                claim.number,
                claim.sheet,
                claim.sheets,
                _KINDS[claim.kind],
                claim.specimen,
                claim.salt,
                claim.text_digest,
            ],
        }
    )
    return _encoded([protected, {}, payload, key.sign(_to_be_signed(protected, payload))])


def verified(cose: bytes, public_keys: Mapping[bytes, bytes]) -> Claim:
    """Return the claim if one of the city's keys signed it.

    Args:
        cose: what the code held.
        public_keys: the city's keys (32 bytes each) by ``key_id``.

    Raises:
        CodeUnreadable: this is no code of ours.
        CodeForged: the key is none of the city's, or the signature does not hold.
    """
    protected, payload, signature = _parts(cose)
    signer = _signer(protected)
    public_key = public_keys.get(signer)
    if public_key is None:
        raise CodeForged(f"the key {signer.hex()} that signed the code is none of the city's")
    if not signature_holds(public_key, signature, _to_be_signed(protected, payload)):
        raise CodeForged("the signature in the code does not hold")
    return _claim(payload)


def _parts(cose: bytes) -> tuple[bytes, bytes, bytes]:
    if len(cose) > COSE_BYTES_MAX:
        raise CodeUnreadable("the code is longer than any of ours")
    match _decoded(cose):
        case [bytes(protected), dict() as unprotected, bytes(payload), bytes(signature)]:
            if not unprotected and len(signature) == SIGNATURE_BYTES:
                return protected, payload, signature
    raise CodeUnreadable("the code is not signed as ours are")


def _signer(protected: bytes) -> bytes:
    match _decoded(protected):
        case dict() as header if header.keys() == {_ALGORITHM, _KEY_ID}:
            signer = header[_KEY_ID]
            if header[_ALGORITHM] == _EDDSA and isinstance(signer, bytes):
                return signer
    raise CodeUnreadable("the code is not signed with Ed25519")


def _claim(payload: bytes) -> Claim:
    claims = _decoded(payload)
    if not isinstance(claims, dict) or claims.keys() != {_ISSUER, _ISSUED_AT, _SHEET}:
        raise CodeUnreadable("the code claims other things than ours do")
    kinds = {place: kind for kind, place in _KINDS.items()}
    match claims[_ISSUER], claims[_ISSUED_AT], claims[_SHEET]:
        case (
            str(issuer),
            int(seconds),
            [
                str(number),
                int(sheet),
                int(sheets),
                int(kind),
                bool(specimen),
                bytes(salt),
                bytes(digest),
            ],
        ) if (
            issuer.startswith(_ISSUER_PREFIX)
            and len(number) <= NUMBER_CHARACTERS_MAX
            and 1 <= sheet <= sheets <= SHEETS_MAX
            and kind in kinds
            and len(salt) == SALT_BYTES
            and len(digest) == DIGEST_BYTES
        ):
            return Claim(
                city=issuer.removeprefix(_ISSUER_PREFIX),
                number=number,
                sheet=sheet,
                sheets=sheets,
                kind=kinds[kind],
                issued_on=_day(seconds),
                specimen=specimen,
                salt=salt,
                text_digest=digest,
            )
    raise CodeUnreadable("a claim in the code is out of its range")


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """Return the Sig_structure of RFC 9052 §4.4, without external data."""
    return _encoded(["Signature1", protected, b"", payload])


def _encoded(value: object) -> bytes:
    return cbor2.dumps(value, canonical=True)


def _decoded(content: bytes) -> Any:
    try:
        value = cbor2.loads(content)
    except (cbor2.CBORDecodeError, ValueError, RecursionError):
        raise CodeUnreadable("the code is not CBOR") from None
    return value


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _day(seconds: int) -> date:
    try:
        return datetime.fromtimestamp(seconds, UTC).date()
    except (ValueError, OverflowError, OSError):
        raise CodeUnreadable("the code was issued at no time") from None
