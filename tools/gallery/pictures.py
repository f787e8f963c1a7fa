"""Sheets into small pictures that are the same every time."""

import io
from collections.abc import Iterator

import numpy as np
import pypdfium2
from PIL import Image

from protocol.limits import SIDES_MAX
from tools.gallery.samples import Sample, gallery_renderer

PICTURE_DPI = 100
_OVERSAMPLING = 3
"""Dots of the ground are finer than those of a picture: they are drawn finer and averaged."""
_PAPER = ((255, 255, 255), (243, 250, 248), (233, 242, 239), (222, 239, 234), (204, 227, 221))
_INKS = (0, 36, 72, 104, 136, 164, 188, 208, 226, 240)
_COMPARED_BLOCK = 8


def pictures(sample: Sample) -> Iterator[tuple[int, Image.Image]]:
    """Yield the faces of a sample that are shown, each with its sheet's number from 1."""
    rendered = gallery_renderer().render(sample.order())
    with pypdfium2.PdfDocument(rendered.pdf) as document:
        for sheet in sample.sheets or range(1, rendered.sheets + 1):
            yield sheet, picture(document[SIDES_MAX * (sheet - 1)])


def back_picture(sample: Sample) -> Image.Image:
    """Return the back of a sample's first sheet."""
    with pypdfium2.PdfDocument(gallery_renderer().render(sample.order()).pdf) as document:
        return picture(document[1])


def picture(page: pypdfium2.PdfPage) -> Image.Image:
    """Return a page as a picture of a few colours."""
    scale = PICTURE_DPI * _OVERSAMPLING / 72
    fine: Image.Image = page.render(scale=scale).to_pil().convert("RGB")
    return fine.reduce(_OVERSAMPLING).quantize(palette=_palette(), dither=Image.Dither.NONE)


def png(image: Image.Image) -> bytes:
    """Return the picture as a PNG file."""
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return how far two pictures differ where they differ most.

    They are compared as grey pictures of 50 dpi in blocks of 4 mm: a hair line that a new version
    of the drawing library puts elsewhere by a fraction of a dot counts little, another glyph much.

    Returns:
        0 for the same, 255 for white against black; infinity for another size.
    """
    if one.size != other.size:
        return float("inf")
    first, second = (np.asarray(image.convert("L").reduce(2), np.float64) for image in (one, other))
    apart = np.abs(first - second)
    height, width = (edge // _COMPARED_BLOCK for edge in apart.shape)
    whole = apart[: height * _COMPARED_BLOCK, : width * _COMPARED_BLOCK]
    blocks = whole.reshape(height, _COMPARED_BLOCK, width, _COMPARED_BLOCK).mean(axis=(1, 3))
    return float(blocks.max())


def _palette() -> Image.Image:
    """Return the colours of all pictures: papers and greys."""
    colours = [*_PAPER, *((ink, ink, ink) for ink in _INKS)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([channel for colour in colours for channel in colour])
    return palette
