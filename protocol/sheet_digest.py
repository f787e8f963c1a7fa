"""The sheet digest: what a sheet of paper shows on its face, and on its back if it has one.

A file has the faces alone, or of every sheet the face and then the back, as a printer of both sides
takes them. In the protocol a sheet is always a sheet of paper (TP-073).
"""

import hashlib
from collections.abc import Sequence

from protocol.errors import MalformedTelegram
from protocol.limits import SIDES_MAX
from protocol.page_digest import first_pages, page_digests
from protocol.statements import statement

_FIELD = "$.pdf"


def sheet_digests(pdf: bytes, sheets: int) -> tuple[bytes, ...]:
    """Return the digest of every sheet of a PDF, in order (TP-073).

    Args:
        pdf: a whole file, as for ``page_digest.page_digests``.
        sheets: how many sheets of paper it is for.

    Returns:
        32 bytes for each sheet: of a face alone its page digest.

    Raises:
        MalformedTelegram: it is no PDF that fits the rules, or has other sheets.
    """
    return digests_of_sheets(page_digests(pdf), sheets)


def digests_of_sheets(pages: Sequence[bytes], sheets: int) -> tuple[bytes, ...]:
    """Return the digests of sheets from the page digests of their sides.

    Args:
        pages: of every page in order, 32 bytes each.
        sheets: how many sheets of paper they are for.

    Raises:
        MalformedTelegram: there are other sheets.
    """
    if _sides(len(pages), sheets) == 1:
        return tuple(pages)
    return tuple(map(sheet_digest, pages[::SIDES_MAX], pages[1::SIDES_MAX]))


def sheet_digest(face: bytes, back: bytes) -> bytes:
    """Return the digest of a sheet with two sides (TP-073), 32 bytes.

    Args:
        face: the page digest of the face.
        back: that of the back.
    """
    return hashlib.sha256(statement("sheet", face, back)).digest()


def first_sheets(pdf: bytes, *, first: int, sheets: int) -> bytes:
    """Return a PDF of the first sheets, as it would lie in the tray of a printer that stopped.

    Args:
        pdf: a whole file, as for ``page_digest.page_digests``.
        first: how many sheets to keep, from 0 (an empty document) to all of them.
        sheets: how many sheets of paper the file is for.

    Raises:
        MalformedTelegram: it is no PDF, or has other sheets.
    """
    return first_pages(pdf, first * _sides(len(page_digests(pdf)), sheets))


def _sides(pages: int, sheets: int) -> int:
    """Return how many sides each sheet has."""
    for sides in range(1, SIDES_MAX + 1):
        if pages == sides * sheets:
            return sides
    raise MalformedTelegram(_FIELD)
