"""Okayama, July 2023: fourteen family registers went out without the mayor's electronic seal.

A wrong operation, and a check that missed it; nobody noticed for eight days. Known from
https://newsdig.tbs.co.jp/articles/-/620439.

Here: a place where certificates are made draws no seal.
"""

import pytest

from issuance_server.certificates.order import CertificateOrder, Rendered
from protocol.kinds import Kind
from tests.incidents.conftest import Play
from tests.incidents.planted import without_seal
from tests.incidents.stage import (
    IncidentTown,
    Visit,
    Workers,
    assert_clean_refusal,
    assert_own_paper,
    make,
)

SEAL = "Seal"


async def sealless(order: CertificateOrder) -> Rendered:
    """Make a certificate without its seal."""
    return without_seal(await make(order))


def assert_seal_on_the_last_sheet_alone(visit: Visit) -> None:
    """Assert where the seal is drawn."""
    drawn = [SEAL in [form.name for form in sheet.forms] for sheet in visit.sheets]
    assert [False] * (len(drawn) - 1) + [True] == drawn


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_its_seal(play: Play, kind: Kind) -> None:
    """On the last sheet, and on no other."""

    async def scene(town: IncidentTown) -> None:
        visit = await town.machines[1].visit(kind)
        assert_own_paper(visit)
        assert_seal_on_the_last_sheet_alone(visit)

    play(scene)


@pytest.mark.parametrize("kind", [Kind.KOSEKI_ZENBU, Kind.INKAN])
def test_first_one_without_a_seal_is_refused_and_told(play: Play, kind: Kind) -> None:
    """Not the fifteenth, and not after eight days."""

    async def scene(town: IncidentTown) -> None:
        assert_clean_refusal(await town.machines[1].visit(kind))
        assert ["seal-misplaced"] == town.alarms()

    play(scene, workers=Workers(sealless))


def test_the_assertion_sees_the_fault_where_there_is_no_gate(play: Play) -> None:
    """Without the gate it is printed, and seen here."""

    async def scene(town: IncidentTown) -> None:
        assert_seal_on_the_last_sheet_alone(await town.machines[1].visit(Kind.KOSEKI_ZENBU))

    with pytest.raises(AssertionError):
        play(scene, workers=Workers(sealless), gated=False)
