"""Puts the signed code on a finished sheet, and the digests of its lines into the file."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

from issuance_server.certificates.code import claim
from issuance_server.certificates.code.claim import Claim
from issuance_server.certificates.code.line_digests import line_digests, text_digest
from issuance_server.certificates.code.symbol import MODULE_MM_MIN, link, symbol
from issuance_server.certificates.layout.display import MM_PT, Box, Page, Picture, sheet_text
from issuance_server.certificates.layout.furniture import CODE_BOX
from issuance_server.certificates.order import CertificateOrder
from issuance_server.certificates.render import SheetPlace
from keys.signing import SigningKey


@final
@dataclass(frozen=True, slots=True)
class SheetCodes:
    """Signs sheets; the same sheet gets the same code.

    Attributes:
        city: municipality code, 6 digits.
        signer: gives the key that signs codes now.
    """

    city: str
    signer: Callable[[], SigningKey]

    def __call__(self, order: CertificateOrder, place: SheetPlace, page: Page) -> Page:
        """Return the sheet with its code; without one if the issuer has no verification page.

        Raises:
            SetUpError: the page's address is too long.
        """
        if not order.issuer.verify_page:
            return page
        salt = order.salt
        digests = line_digests(sheet_text(page), salt=salt, sheet=place.sheet)
        signed = claim.sign(
            Claim(
                city=self.city,
                number=place.number,
                sheet=place.sheet,
                sheets=place.sheets,
                kind=order.kind,
                issued_on=order.issued_on,
                specimen=order.issuer.specimen,
                salt=salt,
                text_digest=text_digest(digests, salt=salt, sheet=place.sheet),
            ),
            self.signer(),
        )
        coded = page.with_marks(_picture(link(order.issuer.verify_page, signed)))
        return replace(coded, line_digests=digests)


def _picture(text: str) -> Picture:
    """Draw a code in the middle of its room, so that what is around it stays quiet."""
    drawn = symbol(text)
    side = drawn.modules * MODULE_MM_MIN * MM_PT
    box = Box(
        x=CODE_BOX.x + (CODE_BOX.width - side) / 2,
        y=CODE_BOX.y + (CODE_BOX.height - side) / 2,
        width=side,
        height=side,
    )
    side_dots = drawn.modules
    # Deflated it would be larger.
    return Picture(
        box=box, width_dots=side_dots, height_dots=side_dots, rows=drawn.rows, noise=True
    )
