"""The gallery in docs/: certificates still look as they do there."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pypdfium2
import pytest
from PIL import Image

from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout.display import MM_PT, Line, Page
from issuance_server.certificates.order import CertificateOrder
from issuance_server.certificates.render import CertificateRenderer, SheetPlace
from protocol.kinds import Kind
from tools.gallery.__main__ import BYTES_MAX, FOLDER
from tools.gallery.pictures import back_picture, difference, picture, pictures
from tools.gallery.samples import GALLERY_SECRET, SAMPLES, Sample, gallery_codes

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 6.0
"""Of 255, where two pictures differ most; another version of the drawing library may take it up."""

FIRST_OF_KIND = [next(sample for sample in SAMPLES if sample.kind is kind) for kind in Kind]
Change = Callable[[Line], Line]


def _golden(sample: Sample, sheet: int) -> Image.Image:
    return Image.open(ROOT / FOLDER / f"{sample.name}-{sheet}.png")


def _changed(sample: Sample, change: Change) -> Image.Image:
    """Draw the first sheet of a sample in which the longest line was changed after signing."""

    def code(order: CertificateOrder, place: SheetPlace, page: Page) -> Page:
        longest = max(page.lines, key=lambda line: len(line.glyphs))
        lines = tuple(change(line) if line is longest else line for line in page.lines)
        return replace(gallery_codes()(order, place, page), lines=lines)

    renderer = CertificateRenderer(code=code, back_secret=lambda: GALLERY_SECRET)
    pdf = renderer.render(sample.order()).pdf
    with pypdfium2.PdfDocument(pdf) as document:
        return picture(document[0])


def _other_glyph(line: Line) -> Line:
    """Exchange the first character of a line."""
    (other,) = FontList().glyphs("鬱" if line.text[0] != "鬱" else "一")
    return msgspec.structs.replace(line, glyphs=(other, *line.glyphs[1:]))


@pytest.mark.parametrize("sample", FIRST_OF_KIND, ids=lambda sample: sample.name)
def test_each_kind_looks_as_in_the_gallery(sample: Sample) -> None:
    """Otherwise: look at it, and if it is meant so, make gallery."""
    sheet, drawn = next(pictures(sample))
    assert difference(_golden(sample, sheet), drawn) <= TOLERANCE


def test_a_back_looks_as_in_the_gallery() -> None:
    """Module for module, since the secret of the gallery does not change."""
    sample = next(sample for sample in SAMPLES if sample.with_back)
    golden = Image.open(ROOT / FOLDER / f"{sample.name}-1-back.png")
    assert difference(golden, back_picture(sample)) <= TOLERANCE


@pytest.mark.parametrize("sample", FIRST_OF_KIND[:2], ids=lambda sample: sample.name)
@pytest.mark.parametrize(
    "change",
    [
        lambda line: line,
        _other_glyph,
        lambda line: msgspec.structs.replace(line, y=line.y + 0.7 * MM_PT),
        lambda line: msgspec.structs.replace(line, x=line.x + 0.7 * MM_PT),
        lambda line: msgspec.structs.replace(line, size_pt=line.size_pt * 0.9),
    ],
    ids=["unchanged", "other glyph", "up", "aside", "smaller"],
)
def test_a_small_change_is_seen(
    sample: Sample, change: Change, request: pytest.FixtureRequest
) -> None:
    """A line moved by 0.7 mm, set a tenth smaller or with one other glyph is no golden picture."""
    apart = difference(_golden(sample, 1), _changed(sample, change))
    assert ("unchanged" in request.node.name) == (apart <= TOLERANCE)


def _shown() -> Iterator[str]:
    for sample in SAMPLES:
        yield from (f"{sample.name}-{sheet}.png" for sheet in sample.sheets or (1,))


def test_the_gallery_is_whole_and_small() -> None:
    """Every sample has its picture and its place on the page; all together are not too much."""
    paths = list((ROOT / FOLDER).glob("*.png"))
    assert set(_shown()) <= {path.name for path in paths}
    assert sum(path.stat().st_size for path in paths) <= BYTES_MAX
    page = (ROOT / FOLDER / "README.md").read_text(encoding="utf-8")
    for path in paths:
        assert f"({path.name})" in page
        assert Image.open(path).mode == "P"
    for sample in SAMPLES:
        assert f"{sample.kind.title}（{sample.name}）" in page
        assert sample.shows in page


def test_the_same_sample_gives_the_same_picture() -> None:
    """Names of samples differ, and a sample is drawn the same twice."""
    assert len(SAMPLES) == len({sample.name for sample in SAMPLES})
    (_, first), (_, second) = (next(pictures(FIRST_OF_KIND[2])) for _ in range(2))
    assert hashlib.sha256(first.tobytes()).digest() == hashlib.sha256(second.tobytes()).digest()
