"""The sheet digest: a sheet of paper with one side or two (TP-073)."""

import hashlib

import pytest

from protocol.errors import MalformedTelegram
from protocol.limits import SHEETS_MAX
from protocol.page_digest import page_digests
from protocol.sheet_digest import first_sheets, sheet_digests
from protocol.statements import statement
from tests.protocol.test_page_digest import ONE, TWO, document


def test_a_face_alone_has_its_page_digest() -> None:
    """A document without backs has the digests of its pages."""
    pdf = document([ONE, TWO])

    assert page_digests(pdf) == sheet_digests(pdf, 2)


def test_both_sides_of_a_sheet_count() -> None:
    """The digest names face and back; another back, or the two the other way round, is another."""
    face, back = page_digests(document([ONE, TWO]))
    named = hashlib.sha256(statement("sheet", face, back)).digest()

    assert (named,) == sheet_digests(document([ONE, TWO]), 1)
    for other in ([ONE, ONE], [TWO, ONE]):
        assert (named,) != sheet_digests(document(other), 1)


def test_sheets_are_taken_two_by_two() -> None:
    """Each sheet has the digest that it has alone."""
    whole = sheet_digests(document([ONE, TWO, TWO, TWO]), 2)

    assert sheet_digests(document([ONE, TWO]), 1) + sheet_digests(document([TWO, TWO]), 1) == whole


@pytest.mark.parametrize(("pages", "sheets"), [(3, 2), (1, 2), (3, 1), (2, 0), (4, SHEETS_MAX)])
def test_any_other_number_of_pages_is_malformed(pages: int, sheets: int) -> None:
    """There are as many pages as sheets, or twice as many."""
    with pytest.raises(MalformedTelegram):
        sheet_digests(document([ONE] * pages), sheets)
    with pytest.raises(MalformedTelegram):
        first_sheets(document([ONE] * pages), first=1, sheets=sheets)


def test_every_sheet_may_have_a_back() -> None:
    """The most sheets that an issuance may have, printed on both sides."""
    assert SHEETS_MAX == len(sheet_digests(document([ONE, TWO] * SHEETS_MAX), SHEETS_MAX))


def test_the_first_sheets_keep_their_digests() -> None:
    """What lies in the tray after k sheets is the first k, with both their sides."""
    whole = document([ONE, TWO, TWO, ONE])

    laid = first_sheets(whole, first=1, sheets=2)
    assert page_digests(whole)[:2] == page_digests(laid)
    assert sheet_digests(whole, 2)[:1] == sheet_digests(laid, 1)
