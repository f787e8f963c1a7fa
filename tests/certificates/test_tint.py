"""The ground of a sheet: pale to the eye, 「複写」 on a copy."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pypdfium2
import pytest
from PIL import Image, ImageFilter

from issuance_server.certificates import pdf_writer
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout.display import Page, Placed
from issuance_server.certificates.layout.furniture import CODE_BOX
from issuance_server.certificates.layout.latent import (
    COARSE_SIDE_DOTS,
    COARSE_STEP_DOTS,
    DOTS_PER_INCH,
    FINE_SIDE_DOTS,
    FINE_STEP_DOTS,
    TILE_HEIGHT_DOTS,
    TILE_WIDTH_DOTS,
    latent_tile,
    letter_rows,
    tile_dots,
)
from issuance_server.certificates.layout.tint import tint
from issuance_server.certificates.order import CertificateOrder
from issuance_server.certificates.render import CertificateRenderer

Dots = npt.NDArray[np.bool_]


def _dots(rows: list[int]) -> Dots:
    packed = b"".join(row.to_bytes(TILE_WIDTH_DOTS // 8, "big") for row in rows)
    flat = np.unpackbits(np.frombuffer(packed, np.uint8)).astype(bool)
    return flat.reshape(TILE_HEIGHT_DOTS, TILE_WIDTH_DOTS)


@pytest.fixture(scope="module")
def fonts() -> FontList:
    """The fonts of the Python packages."""
    return FontList()


@pytest.fixture(scope="module")
def letters(fonts: FontList) -> Dots:
    """Where a tile has letters."""
    return _dots(letter_rows(fonts))


@pytest.fixture(scope="module")
def tile(fonts: FontList) -> Dots:
    """The dots of a tile."""
    return _dots(tile_dots(letter_rows(fonts)))


@pytest.fixture(scope="module")
def printed(fonts: FontList) -> Image.Image:
    """A sheet with nothing but its ground, as a printer of 600 dpi lays it down."""
    static = pdf_writer.prepare(fonts, {"Ground": [tint(fonts, specimen=False)]})
    page = Page(forms=(Placed(form="Ground"),), lines=())
    pdf = pdf_writer.write(fonts, static, [page], bytes(16))
    with pypdfium2.PdfDocument(pdf) as document:
        sheet: Image.Image = document[0].render(scale=DOTS_PER_INCH / 72, grayscale=True).to_pil()
        return sheet.copy()


def _copied(printed: Image.Image, black_below: int) -> Image.Image:
    """Copy a print: optics that blur by 0.09 mm, 300 dpi, some noise, black or white."""
    seen = printed.filter(ImageFilter.GaussianBlur(2.2))
    seen = seen.resize((printed.width // 2, printed.height // 2), Image.Resampling.BOX)
    noise = np.random.default_rng(1).normal(0, 4, (seen.height, seen.width))
    return Image.fromarray((np.asarray(seen) + noise < black_below).astype(np.uint8) * 255)


def _shares(ink: npt.NDArray[np.float64], letters: Dots) -> tuple[float, float]:
    """Return how much is inked of the letters and of the ground, in the lower left tile."""
    dots_high = round(ink.shape[0] * TILE_HEIGHT_DOTS / 7016)
    dots_wide = round(ink.shape[1] * TILE_WIDTH_DOTS / 4960)
    corner = ink[-dots_high:, :dots_wide]
    small = Image.fromarray(letters).resize((dots_wide, dots_high))
    within = np.asarray(small).astype(bool)
    return float(corner[within].mean()), float(corner[~within].mean())


def test_letters_and_ground_cover_the_same_share(tile: Dots, letters: Dots) -> None:
    """A twentieth of the paper, and the difference below 0.3 hundredths of it."""
    inside, outside = float(tile[letters].mean()), float(tile[~letters].mean())
    assert 0.05 < outside < 0.06
    assert abs(inside - outside) < 0.003
    fine = FINE_SIDE_DOTS**2 / (2 * FINE_STEP_DOTS**2)
    assert fine == COARSE_SIDE_DOTS**2 / (2 * COARSE_STEP_DOTS**2)


def test_all_dots_are_whole_across_the_seams(tile: Dots) -> None:
    """Side by side, tiles hold no dot but squares of two or five, apart from each other."""
    counted = 0
    for side in (COARSE_SIDE_DOTS, FINE_SIDE_DOTS):
        whole = np.ones_like(tile)
        for down in range(-1, side + 1):
            for right in range(-1, side + 1):
                inside = 0 <= down < side and 0 <= right < side
                whole &= np.roll(tile, (-down, -right), axis=(0, 1)) == inside
        counted += int(whole.sum()) * side * side
    assert tile.sum() == counted


def test_the_eye_sees_one_ground(printed: Image.Image, letters: Dots) -> None:
    """In the print the letters are as dark as what is around them."""
    ink = 1 - np.asarray(printed) / 255
    inside, outside = _shares(ink, letters)
    assert abs(inside - outside) < 0.003
    assert outside < 0.06  # pale


@pytest.mark.parametrize("black_below", [195, 205, 215])
def test_a_copy_shows_the_word(printed: Image.Image, letters: Dots, black_below: int) -> None:
    """Whether the copier is set lighter or darker, letters stand out on nearly white paper."""
    copy = np.asarray(_copied(printed, black_below)) / 255
    inside, outside = _shares(copy, letters)
    assert inside > 0.01
    assert inside > 8 * outside


def test_the_room_for_the_code_stays_white(
    renderer: CertificateRenderer, make_order: Callable[..., CertificateOrder]
) -> None:
    """No dot of the ground lies in it."""
    pdf = renderer.render(make_order()).pdf
    with pypdfium2.PdfDocument(pdf) as document:
        sheet = document[0].render(scale=DOTS_PER_INCH / 72, grayscale=True).to_numpy()
    left, right = CODE_BOX.x, CODE_BOX.x + CODE_BOX.width
    top, bottom = 841.92 - CODE_BOX.y - CODE_BOX.height, 841.92 - CODE_BOX.y
    edges = [round(edge * DOTS_PER_INCH / 72) for edge in (top, bottom, left, right)]
    inner = sheet[edges[0] + 2 : edges[1] - 2, edges[2] + 2 : edges[3] - 2]
    assert 255 == inner.min()
    assert sheet[edges[0] - 60 : edges[0] - 2, edges[2] : edges[3]].min() < 255


def test_the_ground_is_small(
    renderer: CertificateRenderer, make_order: Callable[..., CertificateOrder], fonts: FontList
) -> None:
    """At most ten kilobytes of a file of two sheets, which has at most 120."""
    assert len(latent_tile(fonts).packed_rows) <= 10_000
    assert latent_tile(fonts) == latent_tile(FontList())
    rendered = renderer.render(make_order())
    assert 2 == rendered.sheets
    assert len(rendered.pdf) <= 120_000
