"""Types of telegram fields, with the ranges that the decoder enforces."""

from typing import Annotated, TypeAlias

from msgspec import Meta

from protocol import limits

Id: TypeAlias = Annotated[bytes, Meta(min_length=limits.ID_BYTES, max_length=limits.ID_BYTES)]
Digest: TypeAlias = Annotated[
    bytes, Meta(min_length=limits.DIGEST_BYTES, max_length=limits.DIGEST_BYTES)
]
Signature: TypeAlias = Annotated[
    bytes, Meta(min_length=limits.SIGNATURE_BYTES, max_length=limits.SIGNATURE_BYTES)
]
Challenge32: TypeAlias = Annotated[
    bytes, Meta(min_length=limits.CHALLENGE_BYTES, max_length=limits.CHALLENGE_BYTES)
]
CardCertificate: TypeAlias = Annotated[
    bytes, Meta(min_length=1, max_length=limits.CARD_CERTIFICATE_BYTES_MAX)
]
PinBlock: TypeAlias = Annotated[bytes, Meta(min_length=16, max_length=limits.PIN_BLOCK_BYTES_MAX)]
Piece48K: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=limits.PIECE_BYTES)]
Attempt: TypeAlias = Annotated[int, Meta(ge=1, le=limits.ATTEMPTS_PER_VISIT_MAX)]
Copies: TypeAlias = Annotated[int, Meta(ge=1, le=limits.COPIES_MAX)]
Sheets: TypeAlias = Annotated[int, Meta(ge=0, le=limits.SHEETS_MAX)]
Yen: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000)]
TimeMs: TypeAlias = Annotated[int, Meta(ge=0, le=1 << 53)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=1 << 53)]
ShortText: TypeAlias = Annotated[str, Meta(max_length=200)]
PieceNumber: TypeAlias = Annotated[int, Meta(ge=0, le=4_096)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
