"""The gate lets every certificate through that is what was ordered, and nothing else."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import msgspec
import pikepdf
import pytest

from issuance_server.certificates import gate
from issuance_server.certificates.gate import (
    DEEP_LOOK_BYTES,
    DEEP_LOOK_EVERY,
    gate_fault,
    looks_deep,
    pdfium_fault,
)
from issuance_server.certificates.order import CertificateOrder, CertificateRefused, Rendered
from issuance_server.certificates.reading.sheets import read
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.core.register import Household
from issuance_server.sample.records import sample_records
from protocol.kinds import Kind, Options, Scope
from protocol.page_digest import page_digests

OrderMaker = Callable[..., CertificateOrder]
HOUSEHOLDS_SHORT = 12
OF_ONE_PERSON = [kind for kind in Kind if kind is not Kind.KOSEKI_ZENBU]
"""Husband and wife stand in one family register, and each gets all of it."""
_WRITTEN_ID = re.compile(rb"/ID \[.*?\]", re.DOTALL)


def orders(households: tuple[Household, ...], make_order: OrderMaker) -> list[CertificateOrder]:
    """Return an order of every kind for every person."""
    records = sample_records()
    made = []
    for household in households:
        for member in household.members:
            for kind in Kind:
                asked = {"kind": kind, "holder_id": member.resident_id, "options": Options()}
                record = records.get((member.resident_id, kind))
                made.append(make_order(household, record=record, **asked))
    return made


def test_what_was_ordered_passes(
    renderer: CertificateRenderer,
    households: tuple[Household, ...],
    make_order: OrderMaker,
    pytestconfig: pytest.Config,
) -> None:
    """No false alarm on any certificate of the sample, by either reader."""
    full = pytestconfig.getoption("--full")
    chosen = households if full else households[:HOUSEHOLDS_SHORT]
    passed = 0
    for order in orders(chosen, make_order):
        try:
            rendered = renderer.render(order)
        except CertificateRefused:
            continue
        assert gate_fault(order, rendered) is None
        if passed % 10 == 0 or full:
            assert pdfium_fault(rendered.pdf, read(rendered.pdf).sheets) is None
        passed += 1

    assert passed > 150


@pytest.fixture
def family(make_order: OrderMaker) -> CertificateOrder:
    """The household of five, two sheets, two copies."""
    return make_order(numbers=("20261130 豊中市 1", "20261130 豊中市 2"))


def test_another_persons_certificate_is_stopped(
    renderer: CertificateRenderer, households: tuple[Household, ...], make_order: OrderMaker
) -> None:
    """The accident of 2023: a whole and well-made certificate, but of somebody else."""
    for one, other in ((0, 1), (1, 2), (2, 0)):
        mine, theirs = make_order(households[one]), make_order(households[other])
        given = renderer.render(theirs)
        assert gate_fault(theirs, given) is None
        assert gate_fault(mine, given) is not None


@pytest.mark.parametrize("kind", OF_ONE_PERSON, ids=lambda kind: kind.value)
def test_a_relatives_certificate_is_stopped(
    renderer: CertificateRenderer,
    households: tuple[Household, ...],
    make_order: OrderMaker,
    kind: Kind,
) -> None:
    """Same household, same address, same family name: still not the person who asked."""
    head, wife = households[0].members[:2]
    records = sample_records()
    made = [
        make_order(
            kind=kind,
            options=Options(),
            holder_id=member.resident_id,
            record=records.get((member.resident_id, kind)),
        )
        for member in (head, wife)
    ]

    assert gate_fault(made[0], renderer.render(made[1])) is not None


def test_more_people_than_were_asked_for_are_stopped(
    renderer: CertificateRenderer, make_order: OrderMaker
) -> None:
    """The whole household in place of one person gives four people away."""
    alone = make_order(options=Options(scope=Scope.SELF))
    everybody = make_order(options=Options(scope=Scope.HOUSEHOLD))

    assert gate_fault(alone, renderer.render(everybody)) is not None
    assert gate_fault(everybody, renderer.render(alone)) is not None


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"issuance_id": b"another issuance"}, "another-document"),
        ({"issued_on": date(2026, 12, 1)}, "certifying-words-wrong"),
        ({"issued_on": date(2019, 4, 30)}, "certifying-words-wrong"),
        ({"numbers": ("20261130 豊中市 1", "20261130 豊中市 3")}, "number-wrong"),
        ({"numbers": ("20261130 豊中市 1",)}, "sheets-miscounted"),
        ({"kind": Kind.KISAIJIKO}, "certifying-words-wrong"),
    ],
    ids=["issuance", "day", "era", "number", "copies", "kind"],
)
def test_whatever_differs_from_the_order_is_named(
    renderer: CertificateRenderer,
    family: CertificateOrder,
    changes: dict[str, object],
    fault: str,
) -> None:
    """Each point of the order is held against the paper."""
    rendered = renderer.render(family)

    assert gate_fault(family, rendered, deep=True) is None
    assert fault == gate_fault(msgspec.structs.replace(family, **changes), rendered, deep=True)


def rearranged(rendered: Rendered, change: Callable[[pikepdf.Pdf], None]) -> Rendered:
    """Return what a worker might have given back: page digests and identifier fit."""
    with pikepdf.open(io.BytesIO(rendered.pdf)) as document:
        identifier = bytes(document.trailer["/ID"][0])
        change(document)
        written = io.BytesIO()
        document.save(written, static_id=True)
    pdf = _WRITTEN_ID.sub(b"/ID [(%b) (%b)]" % (identifier, identifier), written.getvalue())
    return msgspec.structs.replace(rendered, pdf=pdf, sheet_digests=page_digests(pdf))


def exchanged(document: pikepdf.Pdf) -> None:
    """Exchange the sheets of the first copy."""
    document.pages.insert(0, document.pages[1])
    del document.pages[2]


def doubled(document: pikepdf.Pdf) -> None:
    """Put the first sheet where the second belongs."""
    document.pages.insert(1, document.pages[0])
    del document.pages[2]


def without_seal(document: pikepdf.Pdf) -> None:
    """Leave the seal away."""
    page = document.pages[1]
    content = page.Contents.read_bytes()
    assert b"/Seal Do" in content
    page.Contents = document.make_stream(content.replace(b"/Seal Do", b"/Ground Do"))


@pytest.mark.parametrize(
    ("change", "fault"),
    [(exchanged, "number-wrong"), (doubled, "number-wrong"), (without_seal, "seal-misplaced")],
)
def test_sheets_in_disorder_are_stopped(
    renderer: CertificateRenderer,
    family: CertificateOrder,
    change: Callable[[pikepdf.Pdf], None],
    fault: str,
) -> None:
    """A doubled, exchanged or unsealed sheet does not pass, though its digests fit the file."""
    given = rearranged(renderer.render(family), change)

    assert fault == gate_fault(family, given, deep=True)


def test_digests_of_another_file_are_stopped(
    renderer: CertificateRenderer, family: CertificateOrder
) -> None:
    """What the city would sign is what this file shows."""
    rendered = renderer.render(family)
    other = msgspec.structs.replace(rendered, sheet_digests=rendered.sheet_digests[::-1])

    assert "sheets-differ" == gate_fault(family, other)
    assert "unreadable" == gate_fault(family, msgspec.structs.replace(rendered, pdf=b"%PDF-"))


def test_the_two_readers_have_to_agree(
    renderer: CertificateRenderer, family: CertificateOrder
) -> None:
    """A line that only one of them sees is a fault."""
    rendered = renderer.render(family)
    sheets = read(rendered.pdf).sheets
    line = sheets[0].lines[0]._replace(text="見えない行")
    strange = (replace(sheets[0], lines=(line, *sheets[0].lines[1:])), *sheets[1:])

    assert pdfium_fault(rendered.pdf, sheets) is None
    assert "readers-disagree" == pdfium_fault(rendered.pdf, strange)


def test_pdfium_looks_when_it_is_told_to(
    renderer: CertificateRenderer, family: CertificateOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in the order decides: what the terminal chose does not spare a certificate."""
    looks: list[bytes] = []
    monkeypatch.setattr(gate, "pdfium_fault", lambda pdf, *_more: looks.append(pdf))
    rendered = renderer.render(family)
    for deep in (False, True):
        assert gate_fault(family, rendered, deep=deep) is None

    assert [rendered.pdf] == looks


def test_one_draw_in_twenty_tells_pdfium_to_look() -> None:
    """As many of any run of draws as there should be."""
    draws = [looks_deep(number.to_bytes(DEEP_LOOK_BYTES)) for number in range(1_000)]

    assert 1_000 // DEEP_LOOK_EVERY == sum(draws)
