"""Every fixed string of the panel, in seven languages: one table each, all with the same keys.

What the city says by a reply code is worded in ``protocol.codes`` for Japanese and English, and in
the tables for the other languages.
"""

from functools import cache
from importlib.resources import files

import msgspec

from protocol.codes import ReplyCode
from protocol.errors import SetUpError

LANGUAGES = ("ja", "ja-easy", "en", "zh", "ko", "vi", "pt")
_WORDED_ELSEWHERE = frozenset({"ja", "en"})


@cache
def table(language: str) -> dict[str, str]:
    """Return the words of a language.

    Args:
        language: one of ``LANGUAGES``.

    Raises:
        SetUpError: the table is missing or no table.
    """
    try:
        text = (files(__package__) / f"{language}.json").read_bytes()
        words = msgspec.json.decode(text, type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        raise SetUpError(
            f"the words of {language} are missing; install the package again"
        ) from None
    if language in _WORDED_ELSEWHERE:
        words |= {f"code-{code.value}": code.sentence(language) for code in ReplyCode}
    return words
