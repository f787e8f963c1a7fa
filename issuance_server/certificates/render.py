"""The renderer: an order in, a finished PDF and the digests of its sheets out."""

from collections.abc import Sequence
from pathlib import Path

from issuance_server.certificates import content, juminhyo, pdf_writer
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout import juminhyo as juminhyo_layout
from issuance_server.certificates.layout.display import Page
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
from protocol.page_digest import page_digests

STATIC_PARTS_MAX = 4
"""Prepared forms kept in a process; one city needs one, and a second when its seal changes."""


class CertificateRenderer:
    """Renders certificates; the same order gives the same bytes.

    One renderer per process: fonts are opened and forms prepared once, on first use. It holds
    nothing of an order once ``render`` has returned.

    Args:
        font_paths: fonts in order of preference; by default those of the Python packages.

    Raises:
        SetUpError: a font file does not exist.
    """

    def __init__(self, font_paths: Sequence[Path] = ()) -> None:
        self._fonts = FontList(font_paths)
        self._static_parts: dict[tuple[str, bool], StaticPart] = {}

    def render(self, order: CertificateOrder) -> Rendered:
        """Render every copy of a certificate into one file, copy after copy.

        Raises:
            CertificateRefused: it cannot be made as it must be; see its ``reason``.
            SetUpError: a font file is not a font.
        """
        if not 1 <= len(order.numbers) <= limits.COPIES_MAX:
            raise Misuse("an order has a number for each of its copies")
        if order.kind is not Kind.JUMINHYO:
            raise CertificateRefused("kind-not-offered")
        sheets = juminhyo.sheets(order)
        if len(sheets) * len(order.numbers) > limits.SHEETS_MAX:
            raise CertificateRefused("too-many-sheets")
        pages = self._pages(order, sheets)
        pdf = pdf_writer.write(
            self._fonts, self._static_part(order.issuer), pages, order.issuance_id
        )
        return Rendered(
            pdf=pdf,
            sheets=len(pages),
            sheets_per_copy=len(sheets),
            page_digests=page_digests(pdf),
        )

    def _pages(
        self, order: CertificateOrder, sheets: tuple[juminhyo.Sheet, ...]
    ) -> tuple[Page, ...]:
        return tuple(
            juminhyo_layout.page(
                self._fonts, sheet, content.number_line(number, place, len(sheets))
            )
            for number in order.numbers
            for place, sheet in enumerate(sheets, start=1)
        )

    def _static_part(self, issuer: Issuer) -> StaticPart:
        key = (issuer.seal_text, issuer.specimen)
        if key not in self._static_parts:
            if len(self._static_parts) == STATIC_PARTS_MAX:
                self._static_parts.clear()
            forms = juminhyo_layout.forms(
                self._fonts, seal_text=issuer.seal_text, specimen=issuer.specimen
            )
            self._static_parts[key] = pdf_writer.prepare(self._fonts, forms)
        return self._static_parts[key]
