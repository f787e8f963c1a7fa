"""The panel's own font: Noto Sans JP, cut to the characters of its fixed strings.

Names of people and places come in the system's font, and so do Chinese and Korean, whose shapes
another font has better.
"""

from pathlib import Path

import pylopdf_fonts_jp
import uharfbuzz

from protocol.errors import SetUpError
from terminal_sim.kiosk.words import LANGUAGES, table

SYSTEM_FONT_LANGUAGES = frozenset({"zh", "ko"})
_ALWAYS = "0123456789,.:;/()-–¥%（）、。・ "


def cut_font() -> bytes:
    """Return the font, an OpenType file.

    Raises:
        SetUpError: the font of the Python package is missing.
    """
    characters = set(_ALWAYS)
    for language in LANGUAGES:
        if language not in SYSTEM_FONT_LANGUAGES:
            characters.update("".join(table(language).values()))
    try:
        face = uharfbuzz.Face(Path(pylopdf_fonts_jp.sans_path()).read_bytes())
    except OSError:
        raise SetUpError("Noto Sans JP is missing; install the package again") from None
    wanted = uharfbuzz.SubsetInput()
    wanted.sets(uharfbuzz.SubsetInputSets.UNICODE).update(map(ord, characters))
    return bytes(uharfbuzz.subset(face, wanted).blob.data)
