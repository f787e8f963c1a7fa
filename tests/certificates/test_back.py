"""The back of a sheet: the face as a bitmap, scrambled, and set between markers."""

import io

import numpy as np
import pikepdf
import pypdfium2
import pytest
import zxingcpp

from issuance_server.certificates.back.glyphs import GlyphModules
from issuance_server.certificates.back.halftone import GAP, GRID, halftoned
from issuance_server.certificates.back.page import MARKER_TEXTS
from issuance_server.certificates.back.raster import FaceRaster
from issuance_server.certificates.back.scramble import keystream, scrambled, sheet_key
from issuance_server.certificates.back.window import (
    BITMAP_BYTES,
    COLUMNS,
    LEFT_PT,
    MODULE_PT,
    ROWS,
    TOP_PT,
    packed,
    unpacked,
)
from issuance_server.certificates.kinds import MAKINGS
from issuance_server.certificates.layout.display import SHEET_HEIGHT_PT, Line, Page
from issuance_server.sample.city import ISSUER
from protocol.errors import Misuse
from protocol.kinds import Kind
from protocol.secret import Secret
from tests.certificates.sample_faces import NUMBER, SECRET, Face, SampleFaces

LIKENESS_MIN = 0.75
SHARE_OFF_MAX = 0.005
BLANK = bytes(BITMAP_BYTES)


@pytest.fixture(scope="module")
def faces() -> SampleFaces:
    """Faces of all kinds."""
    return SampleFaces()


def first_of(faces: SampleFaces, kind: Kind) -> Face:
    """Return the first sheet of a kind."""
    return next(face for face in faces.faces if face.kind is kind)


def ends(line: Line) -> tuple[float, float]:
    """Return where the ink of a line may begin and end, in points."""
    spaces = (len(line.glyphs) - 1) * line.spacing_pt
    width = sum(glyph.advance for glyph in line.glyphs) * line.size_pt / 1000
    return line.x, line.x + width + spaces


def test_everything_that_a_certificate_says_is_within_the_window(faces: SampleFaces) -> None:
    """No line of any kind ends outside what the back repeats."""
    for face in faces.faces:
        for line in (line for line in face.page.lines if line.glyphs):
            left, right = ends(line)

            assert LEFT_PT <= left, line.text
            assert right <= LEFT_PT + COLUMNS * MODULE_PT, line.text
            assert line.y + 0.8 * line.size_pt <= TOP_PT, line.text
            assert line.y - 0.08 * line.size_pt >= TOP_PT - ROWS * MODULE_PT, line.text


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)
def test_the_bitmap_is_what_is_printed(faces: SampleFaces, kind: Kind) -> None:
    """Module for module it is like the page that a viewer draws, seal and impression too."""
    face = first_of(faces, kind)
    with pypdfium2.PdfDocument(faces.pdf(kind, face.page)) as document:
        drawn = document[0].render(scale=3 / MODULE_PT, grayscale=True).to_numpy()
    top, left = round((SHEET_HEIGHT_PT - TOP_PT) / MODULE_PT * 3), round(LEFT_PT / MODULE_PT * 3)
    window = drawn.reshape(drawn.shape[:2])[top : top + 3 * ROWS, left : left + 3 * COLUMNS]
    printed = 255 - window.reshape(ROWS, 3, COLUMNS, 3).mean(axis=(1, 3))
    bitmap = faces.bitmap(face)
    compared = np.s_[: ROWS - 90, :]  # beside the signed code, which is left out

    likeness = np.corrcoef(bitmap[compared].ravel(), printed[compared].ravel())[0, 1]
    assert likeness >= LIKENESS_MIN


def test_the_same_page_gives_the_same_bitmap_whatever_was_drawn_before(
    faces: SampleFaces,
) -> None:
    """Glyphs that are kept look as they do when they are drawn alone."""
    face = first_of(faces, Kind.KISAIJIKO)
    fresh = FaceRaster(GlyphModules(faces.fonts), MAKINGS[face.kind].forms(faces.fonts, ISSUER))
    for line in face.page.lines[::3]:
        fresh.bitmap(Page(forms=(), lines=(line,)))

    assert np.array_equal(faces.bitmap(face), fresh.bitmap(face.page))


def test_halftones_do_not_depend_on_their_neighbours() -> None:
    """A picture is the same alone and beside another, at its distance and on the grid."""
    draw = np.random.default_rng(1)
    first, second = (draw.integers(0, 256, (12, 12), np.uint8) for _ in range(2))
    left = -(-(12 + GAP) // GRID) * GRID
    both = np.zeros((12, left + 12), np.uint8)
    both[:, :12], both[:, left:] = first, second

    together = halftoned(both)
    assert np.array_equal(halftoned(first), together[:, :12])
    assert np.array_equal(halftoned(second), together[:, left:])


def test_what_was_scrambled_is_had_again_with_the_secret_only(faces: SampleFaces) -> None:
    """The same key, number and sheet give the face; any other gives noise."""
    bitmap = faces.bitmap(first_of(faces, Kind.JUMINHYO))
    rows = scrambled(packed(bitmap), sheet_key(SECRET, NUMBER, 1))

    assert np.array_equal(bitmap, unpacked(scrambled(rows, sheet_key(SECRET, NUMBER, 1))))
    others = ((Secret(bytes(32)), NUMBER, 1), (SECRET, NUMBER + "3", 1), (SECRET, NUMBER, 2))
    for secret, number, sheet in others:
        wrong = unpacked(scrambled(rows, sheet_key(secret, number, sheet)))
        assert abs(wrong.mean() - 0.5) < SHARE_OFF_MAX


def test_to_others_the_picture_is_noise(faces: SampleFaces) -> None:
    """Half of it is black, neighbours tell nothing, and nothing of the face shows through."""
    bitmap = faces.bitmap(first_of(faces, Kind.KOSEKI_ZENBU))
    picture = unpacked(scrambled(packed(bitmap), sheet_key(SECRET, NUMBER, 1)))

    assert abs(picture.mean() - 0.5) < SHARE_OFF_MAX
    assert abs((picture[:, 1:] == picture[:, :-1]).mean() - 0.5) < SHARE_OFF_MAX
    assert abs((picture[1:] == picture[:-1]).mean() - 0.5) < SHARE_OFF_MAX
    assert abs((picture == bitmap).mean() - 0.5) < SHARE_OFF_MAX


def test_what_is_no_window_or_no_secret_is_misuse() -> None:
    """Wrong lengths are an error of the program, not a weaker picture."""
    with pytest.raises(Misuse, match="one window"):
        scrambled(BLANK[1:], sheet_key(SECRET, NUMBER, 1))
    with pytest.raises(Misuse, match="32 bytes"):
        sheet_key(Secret(b"short"), NUMBER, 1)
    with pytest.raises(Misuse, match="44 bytes"):
        keystream(Secret(b"short"))


def test_the_back_bears_markers_number_and_the_way_to_verify(faces: SampleFaces) -> None:
    """People read the number and the address, machines the markers."""
    face = first_of(faces, Kind.JUMINHYO)
    with pypdfium2.PdfDocument(faces.back_pdf(face)) as document:
        drawn = document[0].render(scale=200 / 72, grayscale=True).to_pil()
        text = document[0].get_textpage().get_text_bounded()

    codes = zxingcpp.read_barcodes(drawn.convert("L"))
    assert set(MARKER_TEXTS) == {code.text for code in codes}
    assert f"{NUMBER} 1/{face.place.sheets}" in text
    assert ISSUER.verify_page in text


def test_the_picture_is_stored_as_it_is(faces: SampleFaces) -> None:
    """Noise is not deflated; the file holds it once, and is the same each time."""
    face = first_of(faces, Kind.JUMINHYO)
    pdf = faces.back_pdf(face)
    rows = scrambled(packed(faces.bitmap(face)), sheet_key(SECRET, NUMBER, 1))

    with pikepdf.Pdf.open(io.BytesIO(pdf)) as document:
        pictures = [
            bytes(each.read_raw_bytes())
            for each in document.objects
            if isinstance(each, pikepdf.Stream) and each.get("/Height") == ROWS
        ]
    assert [rows] == pictures
    assert pdf == faces.back_pdf(face)
