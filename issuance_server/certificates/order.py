"""What the renderer is asked for, and what it gives back. Orders travel to worker processes."""

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from issuance_server.core.family_register import AddressHistory, FamilyRegister
from issuance_server.core.record_faults import FaultReason
from issuance_server.core.register import Household
from issuance_server.core.seal_register import SealRegistration
from issuance_server.core.tax_register import TaxRecord
from protocol import limits
from protocol.errors import KofuError
from protocol.kinds import Kind, Options

SALT_BYTES = 16

RefusalReason = Literal[
    FaultReason,
    "missing-glyph",
    "text-too-long",
    "too-many-sheets",
    "kind-not-offered",
    "options-not-offered",
    "member-unknown",
    "record-missing",
    "record-closed",
    "filing-in-progress",
    "seal-abolished",
    "tax-not-filed",
    "tax-year-not-offered",
]

_MEANINGS: dict[RefusalReason, str] = {
    "missing-glyph": "a character or variation is in none of the fonts",
    "text-too-long": "a text does not fit its field at the smallest type",
    "too-many-sheets": "more sheets than one issuance may have",
    "kind-not-offered": "this kind of certificate is not offered",
    "options-not-offered": "this kind of certificate does not have these options",
    "member-unknown": "a person who was asked for is not of the household or register",
    "record-missing": "there is no record of this kind for the holder",
    "record-incomplete": "an item that must not be empty is empty in the record",
    "record-inconsistent": "two items of the record contradict each other",
    "relationship-impossible": "a 続柄 is none of the allowed words, or cannot be this person's",
    "date-impossible": "a date has none of the allowed forms, or contradicts its calendar day",
    "record-closed": "the family register is closed; it has other certificates",
    "filing-in-progress": "a notification to the family register has not been entered yet",
    "seal-abolished": "the seal's registration has ended",
    "tax-not-filed": "the year's income has not been filed",
    "tax-year-not-offered": "the record is not that of the latest fiscal year",
}


Record = SealRegistration | TaxRecord | FamilyRegister | AddressHistory
"""What the resident register does not hold."""


class CertificateRefused(KofuError):
    """The certificate cannot be made as it must be, so it is not made at all.

    Attributes:
        reason: for machines; the text says the same to operators and names nobody.
        item: which item of which entry is to be corrected, such as ``世帯員2 生年月日``; never what
            it says. Empty where the reason says all.
    """

    def __init__(self, reason: RefusalReason, item: str = "") -> None:
        super().__init__(reason, item)
        self.reason = reason
        self.item = item

    def __str__(self) -> str:
        meaning = _MEANINGS[self.reason]
        return f"{meaning}: {self.item}" if self.item else meaning


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """Who certifies.

    Attributes:
        prefecture: such as ``大阪府``; printed before the title (標準仕様書 §5.6).
        city: such as ``豊中市``.
        title: such as ``豊中市長``, or that of the 職務代理者.
        name: the mayor's name.
        seal_text: the characters of the seal, read downwards from the right.
        specimen: mark every sheet 見本. Real certificates need an explicit ``False``.
        verify_page: address of the page that checks the signed codes; where there is none, sheets
            bear no code.
        backs: whether every sheet has a back, which holds its face as a scrambled image; only where
            there is a page that reads it.
    """

    prefecture: str
    city: str
    title: str
    name: str
    seal_text: str
    specimen: bool = True
    verify_page: str = ""
    backs: bool = False


class CertificateOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate to render, in as many copies as it has numbers.

    Its ``repr`` shows the issuance only.

    Attributes:
        issuance_id: 16 bytes; becomes the document's identifier.
        kind: the kind of certificate.
        options: what the applicant chose.
        holder_id: 宛名番号 of the card's holder.
        household: the holder's household, as of the register version that was read.
        numbers: 発行番号 of each copy, without the page number.
        issued_on: the business day.
        issuer: who certifies.
        record: what the kind needs beside the household: the seal's registration, the tax record,
            the family register or the address history.
        tax_year: the fiscal year that is the latest on that day in this city; if absent, the one
            that most cities have.
        salt: 16 bytes, drawn for this certificate, for the digests of its text.
    """

    issuance_id: Annotated[bytes, Meta(min_length=limits.ID_BYTES, max_length=limits.ID_BYTES)]
    kind: Kind
    options: Options
    holder_id: str
    household: Household
    numbers: Annotated[tuple[str, ...], Meta(min_length=1, max_length=limits.COPIES_MAX)]
    issued_on: date
    issuer: Issuer
    record: Record | None = None
    tax_year: int | None = None
    salt: Annotated[bytes, Meta(min_length=SALT_BYTES, max_length=SALT_BYTES)] = bytes(SALT_BYTES)

    def __repr__(self) -> str:
        return f"CertificateOrder(issuance_id={self.issuance_id.hex()})"


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A finished certificate. Its ``repr`` shows sizes only.

    Attributes:
        pdf: the file.
        sheets: of paper, of all copies together.
        sheets_per_copy: of each copy.
        sheet_digests: of every sheet, in order (``protocol.sheet_digest``).
        back_keys: what every sheet's back was scrambled with (``back.scramble.sheet_key``), for the
            gate; empty where there are no backs. Each opens no other sheet.
    """

    pdf: bytes
    sheets: int
    sheets_per_copy: int
    sheet_digests: tuple[bytes, ...]
    back_keys: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return f"Rendered(bytes={len(self.pdf)}, sheets={self.sheets})"
