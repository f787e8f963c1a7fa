"""The server's own gate: what came back from a worker is the document that was ordered.

A second look with other eyes than the writer's: the file is parsed again by an independent library
and held against the order, sheet by sheet, so that a worker's mix-up is never sealed or signed. It
shares neither code nor wording with content and layout; a change there that forgets the gate stops
here. Every certificate goes through the lean reader, one in ``DEEP_LOOK_EVERY`` through PDFium too:
which ones is drawn when they are made, so that neither terminal nor worker can choose.
"""

import re
import threading
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

import pypdfium2

from issuance_server.certificates.back.drawn_face import is_drawn
from issuance_server.certificates.gate_backs import backs_fault, decoded
from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.certificates.reading.sheets import ReadSheet, Unreadable, read
from issuance_server.core.family_register import AddressHistory, FamilyRegister
from issuance_server.core.register import Resident
from issuance_server.core.tax_register import TaxRecord
from protocol.errors import MalformedTelegram
from protocol.kinds import Kind, Scope
from protocol.page_digest import page_digests
from protocol.sheet_digest import digests_of_sheets

DEEP_LOOK_EVERY = 20
DEEP_LOOK_BYTES = 4
"""What is drawn for each certificate; so many bytes favour nobody by more than one in 10**8."""

_SEAL_FORM = "Seal"
_NUMBER = "発行番号"
_CERTIFYING = re.compile("証明(する|します|した書面である)。$")
_SENTENCE_BEGINNINGS = {
    Kind.JUMINHYO: "この写しは、",
    Kind.KISAIJIKO: "この証明書の記載事項は、",
    Kind.INKAN: "この写しは、登録された印影",
    Kind.KAZEI: "上記のとおり",
    Kind.KOSEKI_ZENBU: "これは、戸籍に記録されている事項の全部",
    Kind.KOSEKI_KOJIN: "これは、戸籍中の一部の者",
    Kind.FUHYO: "この写しは、戸籍の附票",
}
_ERA_YEARS = (("令和", (2019, 5, 1)), ("平成", (1989, 1, 8)))
_HALF_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")
_pdfium = threading.Lock()
"""PDFium is not to be called from two threads."""


class Gate(Protocol):
    """Says in a word what is not as ordered, as ``gate_fault`` does."""

    def __call__(self, order: CertificateOrder, rendered: Rendered, /, *, deep: bool) -> str | None:
        """Return the word, or None if everything is as ordered."""
        ...


def looks_deep(drawn: bytes) -> bool:
    """Tell whether PDFium reads a certificate too.

    Args:
        drawn: ``DEEP_LOOK_BYTES`` random bytes, drawn after the worker gave the certificate back.
    """
    return int.from_bytes(drawn) % DEEP_LOOK_EVERY == 0


def gate_fault(order: CertificateOrder, rendered: Rendered, *, deep: bool = False) -> str | None:
    """Return what is not as ordered, as a word for the alarm; None if everything is.

    Checks that the file carries the order's issuance id, that it has so many sheets in each copy,
    with backs if the city's have some, that the digests which the city will sign are those of this
    very file, and for every copy: its number with n/N on every sheet, the people who were asked for
    and nobody else, and on the last sheet alone the certifying words of the kind, the day, the
    authority and the seal. A back bears the number of the face before it and holds that face.

    Args:
        order: what was ordered.
        rendered: what a worker gave back.
        deep: whether PDFium reads it too; ``looks_deep`` tells.
    """
    try:
        document, digests = read(rendered.pdf), page_digests(rendered.pdf)
    except (Unreadable, MalformedTelegram):
        return "unreadable"
    if document.identifier != order.issuance_id.hex().encode():
        return "another-document"
    sides, of_copy = (2 if order.issuer.backs else 1), rendered.sheets_per_copy
    pages, faces = document.sheets, document.sheets[::sides]
    if not len(pages) == sides * rendered.sheets == sides * len(order.numbers) * of_copy:
        return "sheets-miscounted"
    if digests_of_sheets(digests, rendered.sheets) != rendered.sheet_digests:
        return "sheets-differ"
    fault = backs_fault(faces, pages[1::2], rendered.back_keys) if order.issuer.backs else None
    if fault is not None:
        return fault
    for place, number in enumerate(order.numbers):
        fault = _copy_fault(order, number, faces[place * of_copy : (place + 1) * of_copy])
        if fault is not None:
            return fault
    return pdfium_fault(rendered.pdf, pages, rendered.back_keys) if deep else None


def pdfium_fault(
    pdf: bytes, pages: Sequence[ReadSheet], back_keys: Sequence[bytes] = ()
) -> str | None:
    """Return a word if PDFium does not show what the lean reader read.

    Args:
        pdf: the file.
        pages: as read.
        back_keys: what each sheet was scrambled with, if there are backs.
    """
    with _pdfium, pypdfium2.PdfDocument(pdf) as document:
        texts = [_flat(page.get_textpage().get_text_range()) for page in document]
        drawn = all(
            (bitmap := decoded(pages[2 * sheet + 1], key)) is not None
            and is_drawn(bitmap, pages[2 * sheet].lines, document[2 * sheet])
            for sheet, key in enumerate(back_keys)
        )
    agreed = len(texts) == len(pages) and all(
        _flat(line) in text for text, page in zip(texts, pages, strict=True) for line in page.texts
    )
    return None if agreed and drawn else "readers-disagree"


def _copy_fault(order: CertificateOrder, number: str, sheets: Sequence[ReadSheet]) -> str | None:
    last = len(sheets)
    for place, sheet in enumerate(sheets, start=1):
        numbers = [text for text in sheet.texts if text.startswith(_NUMBER)]
        if numbers != [f"{_NUMBER}　{number} {place}/{last}"]:
            return "number-wrong"
        if (_SEAL_FORM in [form.name for form in sheet.forms]) != (place == last):
            return "seal-misplaced"
        if (place == last) != _certifies(order, sheet):
            return "certifying-words-wrong"
    texts = [text for sheet in sheets for text in sheet.texts]
    said = "".join(_flat(text) for text in texts)
    if not all(_flat(text) in said for text in _must_be_said(order)):
        return "another-holder"
    if not frozenset(texts).isdisjoint(_must_not_be_said(order)):
        return "somebody-else"
    return None


def _certifies(order: CertificateOrder, sheet: ReadSheet) -> bool:
    """Tell whether a sheet has the certifying words, the day and the authority, once each."""
    issuer = order.issuer
    authority = f"{issuer.prefecture}{issuer.title}　{issuer.name}"
    sentences = [text for text in sheet.texts if _CERTIFYING.search(text)]
    if not sentences:
        return False
    return (
        len(sentences) == 1
        and sentences[0].startswith(_SENTENCE_BEGINNINGS[order.kind])
        and sheet.texts.count(_japanese(order.issued_on)) >= 1
        and sheet.texts.count(authority) == 1
    )


def _must_be_said(order: CertificateOrder) -> Iterator[str]:
    """Yield what shows that the sheets are about the people who were asked for."""
    match order.record:
        case FamilyRegister(people=people):
            for person in people:
                if person.resident_id == order.holder_id or order.kind is Kind.KOSEKI_ZENBU:
                    yield f"【名】{person.name}"
                    yield f"【生年月日】{person.birth.text}"
        case AddressHistory(people=people):
            for holder in people:
                if holder.resident_id == order.holder_id:
                    yield holder.name
        case TaxRecord():
            yield order.record.name
            yield order.record.address
        case _:
            yield order.household.address
            for member in _chosen(order):
                yield member.name
                if member.foreign is None:
                    yield member.birth.text


def _must_not_be_said(order: CertificateOrder) -> frozenset[str]:
    """Return readings of names of the household that were not asked for.

    Names will not do: the head's stands on everybody's certificate. Readings are printed for those
    alone whom it is about.
    """
    if order.kind not in (Kind.JUMINHYO, Kind.KISAIJIKO, Kind.INKAN):
        return frozenset()
    chosen = _chosen(order)
    asked_for = {member.kana for member in chosen}
    return frozenset(member.kana for member in order.household.members) - asked_for


def _chosen(order: CertificateOrder) -> list[Resident]:
    members, options = order.household.members, order.options
    if options.scope is Scope.HOUSEHOLD:
        return list(members)
    if options.scope is Scope.SOME:
        return [member for place, member in enumerate(members, 1) if place in options.members]
    return [member for member in members if member.resident_id == order.holder_id]


def _japanese(day: date) -> str:
    """Write a day of issue; certificates of this city are younger than 平成."""
    for era, (year, month, first) in _ERA_YEARS:
        if (day.year, day.month, day.day) >= (year, month, first):
            count = day.year - year + 1
            return f"{era}{'元' if count == 1 else count}年{day.month}月{day.day}日"
    return ""


def _flat(text: str) -> str:
    return "".join(text.split()).translate(_HALF_WIDTH)
