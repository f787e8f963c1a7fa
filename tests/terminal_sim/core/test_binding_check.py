"""Nothing prints that is not, in every point, what was asked for and what the city signed."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from protocol.issuance import IssuanceState
from protocol.kinds import Kind, Options, Scope
from protocol.terminal_statements import FailureCause
from terminal_sim.core.records import Mismatch
from terminal_sim.core.requests import Document, DocumentFault, KeyGiven
from tests.terminal_sim import world as world_module
from tests.terminal_sim.city import FEE_YEN, City, bent
from tests.terminal_sim.world import World, number

THE_ISSUANCE = number(101)


def with_document(document: Document | DocumentFault) -> Callable[[KeyGiven], KeyGiven]:
    return lambda given: replace(given, document=document)


def other_pages(given: KeyGiven) -> KeyGiven:
    assert isinstance(given.document, Document)
    pages = given.document.pages[::-1]
    return replace(given, document=Document(file_digest=given.document.file_digest, pages=pages))


def one_page(given: KeyGiven) -> KeyGiven:
    assert isinstance(given.document, Document)
    pages = given.document.pages[:1]
    return bent(pages=pages)(
        replace(given, document=Document(file_digest=given.document.file_digest, pages=pages))
    )


ODD = {
    "signature of another key": (
        lambda given: replace(given, binding_signature=bytes(64)),
        Mismatch.SIGNATURE,
    ),
    "signed for another issuance": (bent(issuance_id=number(5)), Mismatch.ISSUANCE),
    "telegram for another issuance": (
        lambda given: replace(given, issuance_id=number(5)),
        Mismatch.ISSUANCE,
    ),
    "another application": (bent(request_digest=bytes(32)), Mismatch.REQUEST),
    "another kind": (bent(kind=Kind.INKAN), Mismatch.KIND),
    "other options": (bent(options=Options(scope=Scope.SELF)), Mismatch.OPTIONS),
    "a number too many": (bent(numbers=("a", "b")), Mismatch.NUMBERS),
    "no number": (bent(numbers=()), Mismatch.NUMBERS),
    "another file": (bent(file_digest=bytes(32)), Mismatch.FILE),
    "other sheets signed": (bent(pages=(bytes(32), bytes(32))), Mismatch.PAGES),
    "sheets in another order": (other_pages, Mismatch.PAGES),
    "fewer sheets than quoted": (one_page, Mismatch.SHEETS),
    "a key that does not open": (with_document(DocumentFault.SEAL), Mismatch.SEAL),
    "no document inside": (with_document(DocumentFault.NOT_A_DOCUMENT), Mismatch.DOCUMENT),
    "a page too many": (with_document(DocumentFault.OTHER_SHEETS), Mismatch.SHEETS),
}


@pytest.mark.parametrize("odd", ODD)
def test_a_mismatch_prints_nothing_and_returns_the_money(odd: str) -> None:
    """The city gets a report of the mismatch, at page 0, and the deletion."""
    bend, mismatch = ODD[odd]
    world = World(City(bend=bend)).visit()

    world.check()
    issuance = world.state.issuances[THE_ISSUANCE]
    assert {} == world.paper
    assert IssuanceState.REVERSED is issuance.state
    assert issuance.failure is not None
    assert mismatch is issuance.failure.mismatch
    assert FEE_YEN == world.hoppers[THE_ISSUANCE].returned_yen
    report = world.city.reports[THE_ISSUANCE]
    assert (FailureCause.BINDING_MISMATCH, 0) == (report.cause, report.sheets_out)


def test_a_lost_spool_is_our_own_fault_and_no_mismatch() -> None:
    """A disk that lost the ciphertext does not stop the line."""
    world = World(City(bend=with_document(DocumentFault.SPOOL_LOST))).visit()

    world.check()
    assert {} == world.paper
    assert FailureCause.PRINTER is world.city.reports[THE_ISSUANCE].cause


@pytest.mark.parametrize(("keys", "sheets"), [("other city", 2), ("city other", 2), ("other", 0)])
def test_any_key_that_the_city_told_of_may_have_signed(
    keys: str, sheets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the city changes its binding key a terminal knows two (TP-071)."""
    (own,) = world_module.PROFILE.binding_keys
    known = tuple(own if name == "city" else bytes(32) for name in keys.split())
    profile = replace(world_module.PROFILE, binding_keys=known)
    monkeypatch.setattr(world_module, "PROFILE", profile)
    world = World(City()).visit()

    world.check()
    assert sheets == len(world.paper.get(THE_ISSUANCE, ()))
