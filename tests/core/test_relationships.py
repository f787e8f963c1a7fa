"""続柄: the vocabulary, chains over up to four generations, and what cannot be."""

import pytest

from issuance_server.core.register import Sex
from issuance_server.core.relationships import is_possible, links_of

_MALE, _FEMALE = Sex.MALE, Sex.FEMALE


@pytest.mark.parametrize(
    ("relationship", "sex"),
    [
        ("世帯主", _MALE),
        ("夫", _MALE),
        ("妻(未届)", _FEMALE),
        ("子", _FEMALE),
        ("子(子の夫)", _MALE),
        ("子の妻", _FEMALE),
        ("妻の父", _MALE),
        ("子の子の子の子", _FEMALE),
        ("妻の父の弟の子", _MALE),
        ("縁故者", _MALE),
        ("同居人", _FEMALE),
    ],
)
def test_words_and_chains_of_the_standard(relationship: str, sex: Sex) -> None:
    """標準仕様書 §1.1.11 allows these."""
    assert is_possible(relationship, sex)


@pytest.mark.parametrize(
    ("relationship", "sex"),
    [
        ("", _MALE),
        ("祖父", _MALE),
        ("孫", _MALE),
        ("甥", _MALE),
        ("長男", _MALE),
        ("妻", _MALE),
        ("弟", _FEMALE),
        ("子の父", _FEMALE),
        ("子の子の子の子の子", _MALE),  # five: 縁故者
        ("妻の夫", _MALE),
        ("子の妻の夫", _MALE),
        ("父の母の妹の子の縁故者", _FEMALE),
        ("世帯主の子", _MALE),
        ("同居人の子", _MALE),
        ("子の", _MALE),
        ("の子", _MALE),
        ("子(子の妻)", _MALE),
    ],
)
def test_what_is_no_relationship(relationship: str, sex: Sex) -> None:
    """Other words, other sexes, five generations, the spouse's spouse, broken chains."""
    assert not is_possible(relationship, sex)


def test_the_words_of_a_chain() -> None:
    """A の within brackets joins nothing."""
    assert ("妻", "父", "弟", "子") == links_of("妻の父の弟の子")
    assert ("子(子の夫)",) == links_of("子(子の夫)")
