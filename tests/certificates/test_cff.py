"""Small fonts cut out of a large one, compared with what HarfBuzz cuts."""

import struct

import pytest
import uharfbuzz as hb

from issuance_server.certificates import cff
from issuance_server.certificates.fonts import FontFile, default_font_paths

LETTERS = "見本健豊中市長之印０123々ー𠮷﨑"


class Recorder:
    """Records an outline; the method names are those of fontTools' pens."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, tuple[tuple[float, float], ...]]] = []

    def moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        self.steps.append(("m", (point,)))

    def lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        self.steps.append(("l", (point,)))

    def curveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802
        self.steps.append(("c", points))

    def qCurveTo(self, *points: tuple[float, float]) -> None:  # noqa: N802
        self.steps.append(("q", points))

    def closePath(self) -> None:  # noqa: N802
        self.steps.append(("h", ()))


@pytest.fixture(scope="module")
def font() -> FontFile:
    """Noto Serif JP."""
    return FontFile(default_font_paths()[0])


def outline(font: hb.Font, glyph_id: int) -> list[object]:
    """Return a glyph's outline."""
    pen = Recorder()
    font.draw_glyph_with_pen(glyph_id, pen)
    return list(pen.steps)


def opened(program: bytes, font: FontFile, glyphs: int) -> hb.Font:
    """Open a bare CFF table as a font, with the two tables that HarfBuzz asks for beside it."""
    tables = {
        "CFF ": program,
        "head": bytes(font._face.reference_table("head").data),
        "maxp": struct.pack(">IH", 0x00005000, glyphs),
    }
    return hb.Font(hb.Face.create_for_tables(lambda _face, tag, _data: tables.get(tag), None))


def test_every_glyph_keeps_its_outline(font: FontFile) -> None:
    """The cut font, opened again by HarfBuzz, draws each glyph as the whole font does."""
    ids = sorted({0, *(font._font.get_nominal_glyph(ord(letter)) for letter in LETTERS)})
    subset = font.subset(ids)
    cut = opened(subset.program, font, len(ids))
    assert list(range(len(ids))) == [subset.codes[glyph_id] for glyph_id in ids]
    for glyph_id, code in subset.codes.items():
        drawn = outline(cut, code)
        assert drawn == outline(font._font, glyph_id)
        assert drawn


def test_glyphs_of_every_font_dict(font: FontFile) -> None:
    """A glyph of each part of the font (kanji, kana, Latin, ...) survives together."""
    assert font._cff is not None
    selected = font._cff._selected
    ids = sorted({0, *(selected.index(part) for part in set(selected))})
    cut = opened(font.subset(ids).program, font, len(ids))
    for code, glyph_id in enumerate(ids):
        assert outline(font._font, glyph_id) == outline(cut, code)


def test_a_font_of_nothing_is_a_font(font: FontFile) -> None:
    """The glyph for what is missing is always there."""
    subset = font.subset([])
    assert {0: 0} == subset.codes
    assert outline(font._font, 0) == outline(opened(subset.program, font, 1), 0)


def test_real_numbers_and_offsets_are_skipped_as_a_whole() -> None:
    """Operands of every form are taken apart as the note's table 3 says."""
    operands = bytes.fromhex("1e e2 a2 5f 8b ef 27 fa 7c fe 7c 1c 27 10 1d 00 01 86 a0")
    assert [(b"\x11", operands)] == list(cff._entries(operands + b"\x11"))
    numbers = bytes.fromhex("8b ef 27 fa 7c fe 7c 1c 27 10 1c d8 f0 1d 00 01 86 a0")
    assert [0, 100, -100, 1000, -1000, 10000, -10000, 100000] == cff._numbers(numbers)
