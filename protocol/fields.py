"""Types of telegram fields, with the ranges that the decoder enforces.

What a trace may not show is said by the type as well (``shown``): a field of such a type is
replaced by what kind of thing stood there (``trace.redaction``).
"""

from typing import Annotated, TypeAlias

from msgspec import Meta

from protocol import limits
from protocol.shown import Shown, shown

Id: TypeAlias = Annotated[bytes, Meta(min_length=limits.ID_BYTES, max_length=limits.ID_BYTES)]
Digest: TypeAlias = Annotated[
    bytes, Meta(min_length=limits.DIGEST_BYTES, max_length=limits.DIGEST_BYTES)
]
Signature: TypeAlias = Annotated[
    bytes,
    Meta(
        min_length=limits.SIGNATURE_BYTES,
        max_length=limits.SIGNATURE_BYTES,
        extra=shown(Shown.SIGNATURE),
    ),
]
Challenge32: TypeAlias = Annotated[
    bytes, Meta(min_length=limits.CHALLENGE_BYTES, max_length=limits.CHALLENGE_BYTES)
]
CardNumber: TypeAlias = Annotated[
    bytes,
    Meta(min_length=limits.ID_BYTES, max_length=limits.ID_BYTES, extra=shown(Shown.CARD)),
]
CardCertificate: TypeAlias = Annotated[
    bytes,
    Meta(min_length=1, max_length=limits.CARD_CERTIFICATE_BYTES_MAX, extra=shown(Shown.CARD)),
]
PinBlock: TypeAlias = Annotated[
    bytes,
    Meta(min_length=16, max_length=limits.PIN_BLOCK_BYTES_MAX, extra=shown(Shown.SEALED)),
]
Piece48K: TypeAlias = Annotated[
    bytes, Meta(min_length=1, max_length=limits.PIECE_BYTES, extra=shown(Shown.SEALED))
]
Attempt: TypeAlias = Annotated[int, Meta(ge=1, le=limits.ATTEMPTS_PER_VISIT_MAX)]
Copies: TypeAlias = Annotated[int, Meta(ge=1, le=limits.COPIES_MAX)]
Sheets: TypeAlias = Annotated[int, Meta(ge=0, le=limits.SHEETS_MAX)]
Yen: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000)]
TimeMs: TypeAlias = Annotated[int, Meta(ge=0, le=1 << 53)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=1 << 53)]
ShortText: TypeAlias = Annotated[str, Meta(max_length=200)]
PersonName: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=100, extra=shown(Shown.PERSON))
]
PersonDate: TypeAlias = Annotated[str, Meta(min_length=1, max_length=40, extra=shown(Shown.PERSON))]
PersonText: TypeAlias = Annotated[str, Meta(max_length=200, extra=shown(Shown.PERSON))]
PieceNumber: TypeAlias = Annotated[int, Meta(ge=0, le=4_096)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
