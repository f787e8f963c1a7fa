"""Tokushima, end of March 2023: the second of three sheets of a family register was a stranger's.

How the sheets came together was not published. Known from
https://piyolog.hatenadiary.jp/entry/2023/05/22/000742.

Here: a sheet of another document, at each of the places where it could get in: where certificates
are made, there but with the right number on it, and after the city has looked and signed.
"""

import pytest

from protocol.kinds import Kind
from tests.incidents.conftest import Play
from tests.incidents.planted import exchanging_sheet, sealing_the_last_one
from tests.incidents.stage import (
    IncidentTown,
    Visit,
    Workers,
    assert_clean_refusal,
    assert_own_paper,
    assert_own_paper_or_refusal,
)

SECOND = 2


async def one_after_the_other(town: IncidentTown) -> list[Visit]:
    """Let two people have their family registers, one after the other."""
    return [await machine.visit(Kind.KOSEKI_ZENBU) for machine in town.machines[1:]]


def test_sheet_of_another_document_is_seen_by_the_gate(play: Play) -> None:
    """Its number is that of another issuance."""

    async def scene(town: IncidentTown) -> None:
        first, second = await one_after_the_other(town)
        assert_own_paper(first)
        assert_clean_refusal(second)
        assert "number-wrong" == town.alarms()[0]

    play(scene, workers=Workers(exchanging_sheet(SECOND)))


def test_sheet_with_the_right_number_is_seen_by_the_gate(play: Play) -> None:
    """It was mixed up before it got its number; those who stood on the right one are missing."""

    async def scene(town: IncidentTown) -> None:
        assert_own_paper(await town.machines[1].visit(Kind.KOSEKI_ZENBU))
        (stranger,) = town.workers.orders
        town.workers.making = exchanging_sheet(SECOND, other=stranger)
        assert_clean_refusal(await town.machines[2].visit(Kind.KOSEKI_ZENBU))
        assert "another-holder" == town.alarms()[0]

    play(scene, workers=Workers())


def test_sheet_that_got_in_after_signing_is_seen_by_the_machine(play: Play) -> None:
    """The machine holds every sheet against what the city signed, before any of them is printed."""

    async def scene(town: IncidentTown) -> None:
        with sealing_the_last_one(sheet=SECOND):
            first, second = await one_after_the_other(town)
        assert_own_paper(first)
        assert_clean_refusal(second, "BINDING_MISMATCH")
        assert ["binding-mismatch"] == town.alarms()

    play(scene)


def test_the_assertion_sees_the_fault_where_there_is_no_gate(play: Play) -> None:
    """Without the gate a stranger's sheet lies between the applicant's."""

    async def scene(town: IncidentTown) -> None:
        for visit in await one_after_the_other(town):
            assert_own_paper_or_refusal(visit)

    with pytest.raises(AssertionError, match="not the applicant's"):
        play(scene, workers=Workers(exchanging_sheet(SECOND)), gated=False)
