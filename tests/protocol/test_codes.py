"""Reply codes: bands, numbers and sentences."""

import re

import pytest

from protocol.codes import ReplyCode

BANDS = {0, 10, 20, 30, 40, 50, 90}
PERSONAL = re.compile(
    r"様|さん|氏名|世帯|死亡|転出|転入|支援措置|抑止|国籍|成年後見|"
    r"deceased|died|moved|suppress|protect|household|guardian|national",
    re.IGNORECASE,
)


@pytest.mark.parametrize("code", ReplyCode)
def test_every_code_has_a_sentence_in_both_languages(code: ReplyCode) -> None:
    """Japanese ends with 。 and English with a full stop, and they are not the same."""
    japanese, english = code.sentence(), code.sentence("en")

    assert japanese.endswith("。")
    assert english.endswith(".")
    assert english.isascii()
    assert not japanese.isascii()


@pytest.mark.parametrize("code", ReplyCode)
def test_no_sentence_speaks_of_a_person(code: ReplyCode) -> None:
    """Nothing in a sentence betrays why this person is refused."""
    assert [] == PERSONAL.findall(code.sentence() + code.sentence("en"))


@pytest.mark.parametrize("code", ReplyCode)
def test_every_code_is_in_a_band(code: ReplyCode) -> None:
    """The first two digits name a band of meaning."""
    assert code.band in BANDS
    assert code is ReplyCode.DONE or 1_000 <= code.value <= 9_999


def test_numbers_are_unique() -> None:
    """No two names share a number."""
    assert len(ReplyCode.__members__) == len({code.value for code in ReplyCode})


def test_another_language_falls_back_to_english() -> None:
    """A terminal that asks for a language we lack gets English."""
    assert ReplyCode.BUSY.sentence("en") == ReplyCode.BUSY.sentence("pt")


def test_who_has_no_family_register_is_not_told_to_have_one() -> None:
    """A foreign resident has no 本籍; the sentence fits who has one elsewhere as well."""
    code = ReplyCode.NO_FAMILY_REGISTER
    assert "戸籍がある方は" in code.sentence()
    assert "If you have one" in code.sentence("en")
