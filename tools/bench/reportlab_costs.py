"""The same certificate made with ReportLab, beside ours.

What it says, where it stands and what the codes hold come from the same code as ours; fonts,
content streams and the file are ReportLab's. It has no way to keep forms with their labels from one
document to the next, so they are drawn for every one; the operators of ground and seal are ready.
It is spared the dots of the latent word in the ground, and what makes a file PDF/A. It embeds
TrueType fonts only: see ``tools.bench.truetype``.
"""

import functools
import io
from collections.abc import Mapping, Sequence

from PIL import Image
from reportlab import rl_config  # type: ignore[import-untyped]
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from issuance_server.certificates.content.common import number_line
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.kinds import MAKINGS
from issuance_server.certificates.layout.display import (
    SHEET_HEIGHT_PT,
    SHEET_WIDTH_PT,
    Drawing,
    Frame,
    Line,
    Mark,
    Page,
    Picture,
    Rule,
    Shade,
)
from issuance_server.certificates.layout.furniture import numbered
from issuance_server.certificates.order import CertificateOrder
from issuance_server.certificates.render import Coding, SheetPlace
from tools.bench.truetype import truetype

_FONT = "KofuBench"
_BYTES_OF_INK = bytes(255 - byte for byte in range(256))


class ReportLabCertificates:
    """Makes one certificate again and again.

    Args:
        order: it; all of its characters lie in the Basic Multilingual Plane.
        code: puts the signed code on each sheet.
    """

    def __init__(self, order: CertificateOrder, code: Coding) -> None:
        self._order, self._code = order, code
        self._making = MAKINGS[order.kind]
        self._fonts = FontList()
        self._forms = self._making.forms(self._fonts, order.issuer)
        pages = self._pages()
        rl_config.useA85 = 0
        used = {placed.form for page in pages for placed in page.forms}
        self._used = {name: self._forms[name] for name in self._forms if name in used}
        pdfmetrics.registerFont(TTFont(_FONT, io.BytesIO(self._font_file(pages))))

    def make(self) -> bytes:
        """Return the file."""
        file = io.BytesIO()
        size = (SHEET_WIDTH_PT, SHEET_HEIGHT_PT)
        canvas = Canvas(file, pagesize=size, pageCompression=1, invariant=1)
        for name, marks in self._used.items():
            canvas.beginForm(name)
            for mark in marks:
                _draw(canvas, mark)
            canvas.endForm()
        for page in self._pages():
            for placed in page.forms:
                canvas.saveState()
                canvas.translate(0, placed.dy)
                canvas.doForm(placed.form)
                canvas.restoreState()
            for mark in (*page.marks, *page.lines):
                _draw(canvas, mark)
            canvas.showPage()
        canvas.save()
        return file.getvalue()

    def _pages(self) -> list[Page]:
        """Say and set the sheets, and sign their codes."""
        copy = self._making.set(self._fonts, self._making.say(self._order))
        (number,) = self._order.numbers
        places = [SheetPlace(number, sheet, len(copy)) for sheet in range(1, len(copy) + 1)]
        return [
            self._code(self._order, place, numbered(self._fonts, page, number_line(*place)))
            for page, place in zip(copy, places, strict=True)
        ]

    def _font_file(self, pages: Sequence[Page]) -> bytes:
        lines = [line for page in pages for line in page.lines]
        lines += [mark for marks in self._used.values() for mark in marks if isinstance(mark, Line)]
        glyphs: Mapping[str, int] = {
            glyph.text: glyph.glyph_id for line in lines for glyph in line.glyphs
        }
        return truetype(self._fonts.files[0], glyphs)


def _draw(canvas: Canvas, mark: Mark) -> None:
    match mark:
        case Line():
            text = canvas.beginText(mark.x, mark.y)
            text.setFont(_FONT, mark.size_pt)
            text.setCharSpace(mark.spacing_pt)
            text.textOut(mark.text)
            canvas.drawText(text)
        case Rule():
            canvas.setLineWidth(mark.width_pt)
            canvas.line(mark.x1, mark.y1, mark.x2, mark.y2)
        case Frame(box=box):
            canvas.setLineWidth(mark.width_pt)
            canvas.rect(box.x, box.y, box.width, box.height)
        case Shade(box=box):
            canvas.saveState()
            canvas.setFillColorRGB(*mark.colour)
            canvas.rect(box.x, box.y, box.width, box.height, stroke=0, fill=1)
            canvas.restoreState()
        case Drawing():
            canvas.addLiteral(_without_stencils(mark.operators))
        case Picture(box=box):
            size = (mark.width_dots, mark.height_dots)
            dots = Image.frombytes("1", size, mark.rows.translate(_BYTES_OF_INK))
            canvas.drawImage(ImageReader(dots), box.x, box.y, box.width, box.height)


@functools.cache
def _without_stencils(operators: bytes) -> str:
    """Return operators without the pictures that our writer would put beside them."""
    lines = operators.decode("ascii").split("\n")
    return "\n".join(line for line in lines if not line.endswith(" Do Q"))
