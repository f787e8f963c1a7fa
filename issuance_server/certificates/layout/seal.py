"""The seal (電子公印): square, black, at most 25 mm (標準仕様書 §5.6), from outlines."""

import math

from issuance_server.certificates.fonts import FontList, clusters
from issuance_server.certificates.layout.display import MM_PT, Box, Drawing
from issuance_server.certificates.layout.outline import character_outline
from issuance_server.certificates.layout.refusals import named
from issuance_server.certificates.order import CertificateRefused

SEAL_PT = 24 * MM_PT
"""Side of the seal, the frame included."""
_OUTER_RULE_PT = 2.2
_INNER_RULE_PT = 0.7
_INNER_RULE_INSET_PT = 3.4
_CHARACTERS_INSET_PT = 5.6
_GAP_PT = 2.4
_BOLDENING_PT = 0.75
_ITEM = "公印"


def seal(fonts: FontList, text: str, x: float, y: float) -> Drawing:
    """Draw a seal with its lower left corner at (x, y).

    Args:
        fonts: where the characters come from.
        text: read downwards, from the right column to the left, such as ``豊中市長之印``.
        x: left edge, in points.
        y: lower edge, in points.

    Raises:
        CertificateRefused: no font has a character of the text; the item is 公印.
    """
    operators = [b"q 0 g 0 G 1 j"]
    for width, inset in (
        (_OUTER_RULE_PT, _OUTER_RULE_PT / 2),
        (_INNER_RULE_PT, _INNER_RULE_INSET_PT),
    ):
        side = SEAL_PT - 2 * inset
        operators.append(
            b"%.2f w %.2f %.2f %.2f %.2f re S" % (width, x + inset, y + inset, side, side)
        )
    operators.append(b"%.2f w" % _BOLDENING_PT)
    inner = SEAL_PT - 2 * _CHARACTERS_INSET_PT
    columns = _columns(text)
    width = (inner - _GAP_PT * (len(columns) - 1)) / len(columns)
    for place, column in enumerate(reversed(columns)):
        left = x + _CHARACTERS_INSET_PT + place * (width + _GAP_PT)
        height = (inner - _GAP_PT * (len(column) - 1)) / len(column)
        for row, character in enumerate(reversed(column)):
            bottom = y + _CHARACTERS_INSET_PT + row * (height + _GAP_PT)
            box = Box(x=left, y=bottom, width=width, height=height)
            try:
                operators.append(character_outline(fonts, character, box))
            except CertificateRefused as refused:
                raise named(refused, _ITEM) from None
            operators.append(b"B")
    operators.append(b"Q")
    return Drawing(operators=b"\n".join(operators))


def _columns(text: str) -> list[tuple[str, ...]]:
    """Divide the characters, each with its variation selector, into columns.

    They are as even as can be, the longer ones first.
    """
    characters = tuple(clusters(text))
    count = math.ceil(len(characters) / math.ceil(math.sqrt(len(characters))))
    lengths = [(len(characters) - place + count - 1) // count for place in range(count)]
    columns, start = [], 0
    for length in lengths:
        columns.append(characters[start : start + length])
        start += length
    return columns
