"""The tables of words: complete in every language, with the same gaps, and with nothing else."""

import re

import pytest

from protocol.codes import ReplyCode
from terminal_sim.kiosk.words import LANGUAGES, table

GAP = re.compile(r"\{\w+\}")
KANJI = re.compile(r"[一-鿿]")


@pytest.mark.parametrize("language", LANGUAGES)
def test_complete(language: str) -> None:
    """Every language says everything, reply codes as well."""
    words, japanese = table(language), table("ja")

    assert set() == japanese.keys() - words.keys()
    assert set() == words.keys() - japanese.keys()
    assert [] == [key for key, text in words.items() if not text.strip()]
    assert {f"code-{code.value}" for code in ReplyCode} <= words.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_gaps(language: str) -> None:
    """What a sentence is filled with is the same in every language."""
    words = table(language)
    gaps = {key: set(GAP.findall(text)) for key, text in table("ja").items()}

    assert gaps == {key: set(GAP.findall(text)) for key, text in words.items()}
