"""Paragraphs: lines are full, break where Japanese may break, and lose nothing."""

import itertools

import pytest

from issuance_server.certificates.fonts import PDF_UNITS_PER_EM, FontList, Glyph
from issuance_server.certificates.layout.display import Box, Field
from issuance_server.certificates.layout.paragraphs import (
    NEVER_FIRST,
    NEVER_LAST,
    broken,
    set_paragraph,
)
from issuance_server.certificates.layout.typesetting import set_line
from issuance_server.certificates.order import CertificateRefused

REMARKS = Field(box=Box(x=50, y=300, width=100, height=26), size_pt=10, padding_pt=0, item="備考")
KAZURA = "葛\U000e0100"
LONG = (
    f"【訂正事由】{KAZURA}城家の記録（昭和２１年、第１２号）を移記するに当たり、誤って「父」と"
    f"あるを「母」としたため、２０２６年に訂正。{KAZURA}{KAZURA}{KAZURA}ー12345678か゚か゚っ々。"
) * 4


@pytest.fixture(scope="module")
def fonts() -> FontList:
    """The fonts of the Python packages."""
    return FontList()


def said(line: tuple[Glyph, ...]) -> str:
    """Return a line's characters."""
    return "".join(glyph.text for glyph in line)


@pytest.mark.parametrize("ems", [*range(8, 40), 12.5, 19.99])
def test_lines_break_by_the_rules_at_every_width(fonts: FontList, ems: float) -> None:
    """Nothing is lost, too wide, apart from its selector, or against 禁則; lines are full."""
    lines = broken(fonts, LONG, size_pt=10, width_pt=10 * ems)
    assert LONG == "".join(map(said, lines))
    for line, following in itertools.pairwise(lines):
        width = sum(glyph.advance for glyph in line) / PDF_UNITS_PER_EM
        assert ems - 8 < width <= ems
        assert said(following)[0] not in NEVER_FIRST | {"\U000e0100", "\u309a"}
        assert said(line)[-1] not in NEVER_LAST
        assert not (said(line)[-1].isascii() and said(following)[0].isascii())


def test_a_short_text_is_one_line(fonts: FontList) -> None:
    """What fits is not broken, and nothing is one empty line."""
    assert ["【名】健"] == [
        said(line) for line in broken(fonts, "【名】健", size_pt=10, width_pt=99)
    ]
    assert [()] == broken(fonts, "", size_pt=10, width_pt=99)


def test_what_cannot_break_is_broken_all_the_same(fonts: FontList) -> None:
    """A run of digits longer than a line goes on on the next."""
    lines = broken(fonts, "1" * 50, size_pt=10, width_pt=100)
    assert "1" * 50 == "".join(map(said, lines))
    assert len(lines) > 1
    assert ["ーーーー", "ーーー"] == [
        said(line) for line in broken(fonts, "ー" * 7, size_pt=10, width_pt=40)
    ]


def test_a_mark_stays_with_its_character_where_nothing_may_break(fonts: FontList) -> None:
    """か゚ is two glyphs of one text: a line that must end anywhere ends before it."""
    lines = broken(fonts, "ーーーか゚ーーーー", size_pt=10, width_pt=45)
    assert "ーーーか゚ーーーー" == "".join(map(said, lines))
    assert all(said(line)[0] != "\u309a" for line in lines)


@pytest.mark.parametrize(("characters", "lines", "size"), [(0, 1, 10), (10, 1, 10), (11, 2, 10)])
def test_a_field_of_several_lines(
    fonts: FontList, characters: int, lines: int, size: float
) -> None:
    """Lines of one size, in the middle of the field; a single one stands where a line would."""
    found = set_paragraph(fonts, REMARKS, "豊" * characters)
    assert "豊" * characters == "".join(line.text for line in found)
    assert lines == len(found)
    assert {size} == {line.size_pt for line in found}
    middle = sum(line.y for line in found) / lines
    assert set_line(fonts, REMARKS, "").y == pytest.approx(middle)


def test_a_long_remark_is_set_smaller_and_at_last_refused(fonts: FontList) -> None:
    """All of it stands within the field, or there is no certificate; nothing is cut."""
    seen, box, most = set(), REMARKS.box, 48
    for characters in range(most + 1):
        text = "豊" * characters
        found = set_paragraph(fonts, REMARKS, text)
        assert text == "".join(line.text for line in found)
        seen.add(found[0].size_pt)
        for line in found:
            assert box.y <= line.y - line.size_pt * 0.12
            assert line.y + line.size_pt * 0.88 <= box.y + box.height
            assert len(line.glyphs) * line.size_pt <= box.width
    assert {10, 6} < seen
    with pytest.raises(CertificateRefused) as caught:
        set_paragraph(fonts, REMARKS, "豊" * (most + 1))
    assert ("text-too-long", "備考") == (caught.value.reason, caught.value.item)


def test_a_missing_glyph_refuses(fonts: FontList) -> None:
    """Paragraphs are as strict as fields."""
    with pytest.raises(CertificateRefused) as caught:
        broken(fonts, "見本\u4db6", size_pt=10, width_pt=100)
    assert "missing-glyph" == caught.value.reason
