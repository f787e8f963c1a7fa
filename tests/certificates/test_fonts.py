"""Fonts: rare characters, variation sequences, fallback, and what is refused."""

from pathlib import Path

import pytest

from issuance_server.certificates.fonts import FontList, clusters, default_font_paths
from issuance_server.certificates.order import CertificateRefused
from protocol.errors import SetUpError

GLYPH_KAZURA_OLD = "葛\U000e0100"


@pytest.fixture(scope="module")
def fonts() -> FontList:
    """The fonts of the Python packages."""
    return FontList()


@pytest.mark.parametrize("text", ["𠮷田　髙橋", "山﨑", "か゚", "令和8年", "＊＊＊"])
def test_texts_are_set_glyph_by_glyph(fonts: FontList, text: str) -> None:
    """Every character is carried by a real glyph, and together they spell the text."""
    for _ in range(2):  # a second time from what is known
        glyphs = fonts.glyphs(text)
        assert text == "".join(glyph.text for glyph in glyphs)
        assert 0 not in [glyph.glyph_id for glyph in glyphs]


def test_a_variation_selector_chooses_another_glyph(fonts: FontList) -> None:
    """葛 with U+E0100 is not 葛, and stays together with its selector."""
    (plain,), (varied,) = fonts.glyphs("葛"), fonts.glyphs(GLYPH_KAZURA_OLD)
    assert plain.glyph_id != varied.glyph_id
    assert GLYPH_KAZURA_OLD == varied.text


@pytest.mark.parametrize(
    "text",
    [
        "\u4db6",  # an ideograph that the fonts lack
        "\ue000",  # private use
        "吉\U000e01ef",  # a variation sequence that nobody registered
        "見本\u200b太郎",  # invisible
        "見本\u202e太郎",  # turns the direction
        "見本\n太郎",
        "\U000e0100",  # a selector without a character
    ],
)
def test_what_cannot_be_printed_as_it_is_is_refused(fonts: FontList, text: str) -> None:
    """Neither a box nor another form of the character nor nothing is printed instead."""
    with pytest.raises(CertificateRefused) as caught:
        fonts.glyphs(text)
    assert caught.value.reason == "missing-glyph"
    assert text not in str(caught.value)


def test_a_later_font_helps_out(fonts: FontList) -> None:
    """A character that only the second font has is set in the second."""
    assert [0, 1, 0] == [glyph.font for glyph in fonts.glyphs("本\u670c本")]


def test_clusters_keep_marks_with_their_character() -> None:
    """Selectors and combining marks stay with what they change."""
    assert ["葛\U000e0100", "西", "か\u309a"] == list(clusters("葛\U000e0100西か\u309a"))


def test_a_subset_holds_the_glyphs_and_little_else(fonts: FontList) -> None:
    """Two glyphs of six megabytes are two kilobytes, the same ones every time."""
    file = fonts.files[0]
    wanted = [glyph.glyph_id for glyph in fonts.glyphs("豊中")]
    subset = file.subset(wanted)
    assert {0, *wanted} == set(subset.codes)
    assert [0, 1, 2] == sorted(subset.codes.values())
    assert len(subset.program) < 2_500
    assert subset == file.subset(wanted)


def test_a_missing_font_is_named(tmp_path: Path) -> None:
    """A wrong path in the configuration is found at the start."""
    with pytest.raises(SetUpError, match=r"none\.otf"):
        FontList((*default_font_paths(), tmp_path / "none.otf"))


def test_a_file_that_is_no_font_is_named(tmp_path: Path) -> None:
    """A file with other content is found when it is first used."""
    path = tmp_path / "letter.otf"
    path.write_text("Dear city, ...", encoding="utf-8")
    with pytest.raises(SetUpError, match=r"letter\.otf"):
        FontList((path,)).glyphs("見")
