"""Digests of a sheet's lines: they say whether its text was altered, and in which line.

A line's digest is salted, so that nobody can look a name up in a table made ahead, and bound to its
place, so that lines cannot be exchanged. The list of them lies in the PDF; the code on the sheet
holds the digest of the list. Who changes a line and the list contradicts the code.
"""

from collections.abc import Sequence
from hashlib import sha256

from protocol.statements import statement

LINE_DIGEST_BYTES = 8
"""Enough to say where: that something was altered is said by the 32 bytes over all of them."""
LINES_MAX = 400


def line_digests(lines: Sequence[str], *, salt: bytes, sheet: int) -> bytes:
    """Return the digests of all lines of a sheet, 8 bytes each, in their order.

    Args:
        lines: the texts, as they stand on the sheet.
        salt: 16 bytes, drawn for this certificate.
        sheet: number of the sheet, from 1.
    """
    return b"".join(
        [
            sha256(statement("sheet-line", salt, sheet, place, line)).digest()[:LINE_DIGEST_BYTES]
            for place, line in enumerate(lines)
        ]
    )


def text_digest(digests: bytes, *, salt: bytes, sheet: int) -> bytes:
    """Return the digest over a sheet's line digests, 32 bytes, that its code claims."""
    return sha256(statement("sheet-text", salt, sheet, digests)).digest()


def altered_lines(lines: Sequence[str], digests: bytes, *, salt: bytes, sheet: int) -> list[int]:
    """Return the places (from 0) of lines that are not as they were; lines too many count too.

    A line that was taken out or put in moves those behind it, and all of them are named.
    """
    found = line_digests(lines, salt=salt, sheet=sheet)
    size = LINE_DIGEST_BYTES
    places = max(len(found), len(digests)) // size
    return [
        place
        for place in range(places)
        if found[place * size : (place + 1) * size] != digests[place * size : (place + 1) * size]
    ]
