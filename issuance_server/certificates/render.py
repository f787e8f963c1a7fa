"""The renderer: an order in, a finished PDF and the digests of its sheets out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from issuance_server.certificates import pdf_writer
from issuance_server.certificates.content.common import number_line
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.kinds import MAKINGS, Making
from issuance_server.certificates.layout.display import Page
from issuance_server.certificates.layout.furniture import numbered
from issuance_server.certificates.order import (
    CertificateOrder,
    CertificateRefused,
    Issuer,
    Rendered,
)
from issuance_server.certificates.pdf_writer import StaticPart
from protocol import limits
from protocol.errors import Misuse
from protocol.kinds import Kind

STATIC_PARTS_MAX = 32
"""Prepared forms kept in a process: for each kind, and some changes of the seal."""


class SheetPlace(NamedTuple):
    """Which sheet of which copy.

    Attributes:
        number: 発行番号 of the copy.
        sheet: from 1.
        sheets: of each copy.
    """

    number: str
    sheet: int
    sheets: int


Coding = Callable[[CertificateOrder, SheetPlace, Page], Page]
"""Puts the signed code on a finished sheet, within ``furniture.CODE_BOX``."""


def no_code(_order: CertificateOrder, _place: SheetPlace, page: Page) -> Page:
    """Leave the room for the code white."""
    return page


class CertificateRenderer:
    """Renders certificates; the same order gives the same bytes.

    One renderer per process: fonts are opened and forms prepared once, on first use. It holds
    nothing of an order once ``render`` has returned.

    Args:
        font_paths: fonts in order of preference; by default those of the Python packages.
        makings: content and layout of each kind that the city offers.
        code: puts the signed code on each sheet, whose text is complete by then.

    Raises:
        SetUpError: a font file does not exist.
    """

    def __init__(
        self,
        font_paths: Sequence[Path] = (),
        *,
        makings: Mapping[Kind, Making[Any]] = MAKINGS,
        code: Coding = no_code,
    ) -> None:
        self._fonts = FontList(font_paths)
        self._makings = makings
        self._code = code
        self._static_parts: dict[tuple[Making[Any], Issuer], StaticPart] = {}

    def render(self, order: CertificateOrder) -> Rendered:
        """Render every copy of a certificate into one file, copy after copy.

        Raises:
            CertificateRefused: it cannot be made as it must be; see its ``reason``.
            SetUpError: a font file is not a font.
        """
        if not 1 <= len(order.numbers) <= limits.COPIES_MAX:
            raise Misuse("an order has a number for each of its copies")
        making = self._makings.get(order.kind)
        if making is None:
            raise CertificateRefused("kind-not-offered")
        copy = making.set(self._fonts, making.say(order))
        if len(copy) * len(order.numbers) > limits.SHEETS_MAX:
            raise CertificateRefused("too-many-sheets")
        pages = tuple(self._sheets(order, copy))
        static = self._static_part(making, order.issuer)
        pdf, digests = pdf_writer.write_digested(self._fonts, static, pages, order.issuance_id)
        return Rendered(
            pdf=pdf,
            sheets=len(pages),
            sheets_per_copy=len(copy),
            page_digests=digests,
        )

    def _sheets(self, order: CertificateOrder, copy: tuple[Page, ...]) -> Iterator[Page]:
        """Yield the sheets of all copies, with their numbers and codes."""
        for number in order.numbers:
            for sheet, page in enumerate(copy, start=1):
                place = SheetPlace(number, sheet, len(copy))
                complete = numbered(self._fonts, page, number_line(*place))
                yield self._code(order, place, complete)

    def _static_part(self, making: Making[Any], issuer: Issuer) -> StaticPart:
        key = (making, issuer)
        if key not in self._static_parts:
            if len(self._static_parts) == STATIC_PARTS_MAX:
                self._static_parts.clear()
            forms = making.forms(self._fonts, issuer)
            self._static_parts[key] = pdf_writer.prepare(self._fonts, forms)
        return self._static_parts[key]
