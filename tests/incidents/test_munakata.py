"""Munakata, 28 June 2023: a woman got the certificate of residence of a man she did not know.

He had applied at a convenience store at 14:35, staff had updated her data at about 14:30, and she
applied at 14:50 at the machine in the hall: out came the document of the person just before her.
The fix had existed since 2019 and had not been applied there. Ten days earlier everything had been
checked under load. Known from https://wandersolar.com/post/20230630,
https://nordot.app/1047284583994737648 and https://makunouchibento.com/?p=126041; that the failed
request left the last job in its place is a reading of them and not published.

Here: an update of the applicant's entry at each step of her visit, after somebody else has had his
paper, and a place that still holds what the last one left.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from issuance_server.certificates.order import CertificateOrder, CertificateRefused, Rendered
from issuance_server.core.register_feed import AnyChange, EditBegun, HouseholdsChanged
from issuance_server.core.suppression import SubjectKind
from protocol.kinds import Kind
from tests.core.changes import change, remarked
from tests.incidents.conftest import Play
from tests.incidents.planted import sealing_the_last_one
from tests.incidents.stage import (
    IncidentTown,
    Visit,
    Workers,
    assert_clean_refusal,
    assert_own_paper,
    assert_own_paper_or_refusal,
    make,
)

MAN, WOMAN = 0, 1
MARK = "更新された備考"
REFUSALS = ("RECORD_UNDER_EDIT", "DATA_CHANGED")


async def update(town: IncidentTown, *, finished: bool) -> None:
    """Let staff work on the woman's entry: begin, or do all of it."""
    household = town.machines[WOMAN].applicant.household
    sequence = (await town.store.copy_state()).sequence + 1
    changes: list[AnyChange] = [
        change(
            EditBegun,
            sequence,
            subject_kind=SubjectKind.PERSON,
            subject_id=household.head_id,
        )
    ]
    if finished:
        put = (remarked(household, remarks=MARK),)
        changes.append(change(HouseholdsChanged, sequence + 1, put=put))
    await town.change_register(*changes)


Moment = Callable[[IncidentTown, Callable[[], Awaitable[None]]], None]


def before(_town: IncidentTown, _work: Callable[[], Awaitable[None]]) -> None:
    """Before she comes."""


def while_it_is_made(town: IncidentTown, work: Callable[[], Awaitable[None]]) -> None:
    """After her application, before her certificate is finished."""

    async def making(order: CertificateOrder) -> Rendered:
        made = await make(order)
        if order.holder_id == town.machines[WOMAN].applicant.resident_id:
            await work()
        return made

    town.workers.making = making


def while_she_pays(town: IncidentTown, work: Callable[[], Awaitable[None]]) -> None:
    """After the machine has her certificate under seal, before the city gives the key."""
    town.machines[WOMAN].before_paying = work


@pytest.mark.parametrize("finished", [False, True], ids=["begun", "finished"])
@pytest.mark.parametrize("moment", [before, while_it_is_made, while_she_pays])
def test_update_at_any_moment_gives_her_own_paper_or_none(
    play: Play, moment: Moment, finished: bool
) -> None:
    """Only where all of it was done before she came is there a paper, and it has the new entry."""

    async def scene(town: IncidentTown) -> None:
        async def work() -> None:
            await update(town, finished=finished)

        moment(town, work)
        assert_own_paper(await town.machines[MAN].visit())
        if moment is before:
            await work()
        visit = await town.machines[WOMAN].visit()
        if moment is before and finished:
            assert_own_paper(visit)
            assert MARK in visit.said
        else:
            assert_clean_refusal(visit, *REFUSALS)
        assert [] == town.alarms()

    play(scene)


def test_both_at_once_while_staff_works(play: Play) -> None:
    """The man's paper is his, whatever becomes of hers."""

    async def scene(town: IncidentTown) -> None:
        async def work() -> None:
            await update(town, finished=True)

        while_she_pays(town, work)
        man, woman = await asyncio.gather(*(one.visit() for one in town.machines[:2]))
        assert_own_paper(man)
        assert_clean_refusal(woman, *REFUSALS)

    play(scene)


class Leftover:
    """A place where her request comes to nothing, and the last document is still there."""

    def __init__(self, *, told: bool) -> None:
        self._told = told
        self._left: list[Rendered] = []

    async def __call__(self, order: CertificateOrder) -> Rendered:
        """Make a certificate; the second one fails."""
        if not self._left:
            self._left.append(await make(order))
        elif self._told:
            raise CertificateRefused("record-inconsistent")
        return self._left[0]


async def one_after_the_other(town: IncidentTown) -> tuple[Visit, Visit]:
    """Let him have his certificate, and her ask for hers."""
    man = await town.machines[MAN].visit(Kind.INKAN)
    return man, await town.machines[WOMAN].visit(Kind.INKAN)


def test_request_that_fails_finds_nothing_of_the_last_one(play: Play) -> None:
    """She is refused, and the operator reads why."""

    async def scene(town: IncidentTown) -> None:
        man, woman = await one_after_the_other(town)
        assert_own_paper(man)
        assert_clean_refusal(woman, "CANNOT_BE_PRINTED")
        assert ["record-inconsistent"] == town.withdrawn()

    play(scene, workers=Workers(Leftover(told=True)))


def test_place_of_another_build_that_gives_the_last_document_is_seen(play: Play) -> None:
    """A worker without the fix: the gate of this build sees it at its first document."""

    async def scene(town: IncidentTown) -> None:
        man, woman = await one_after_the_other(town)
        assert_own_paper(man)
        assert_clean_refusal(woman)
        assert ["another-document"] == town.alarms()

    play(scene, workers=Workers(Leftover(told=False)))


def test_server_of_another_build_that_seals_the_last_document_is_seen(play: Play) -> None:
    """A server without the fix and without a gate: her machine sees it and prints nothing."""

    async def scene(town: IncidentTown) -> None:
        with sealing_the_last_one():
            man, woman = await one_after_the_other(town)
        assert_own_paper(man)
        assert_clean_refusal(woman, "BINDING_MISMATCH")
        assert ["binding-mismatch"] == town.alarms()

    play(scene, gated=False)


def test_the_assertion_sees_the_fault_where_nothing_looks(play: Play) -> None:
    """Without the gate a place that gives the last document hands her his certificate."""

    async def scene(town: IncidentTown) -> None:
        for visit in await one_after_the_other(town):
            assert_own_paper_or_refusal(visit)

    with pytest.raises(AssertionError, match="not the applicant's"):
        play(scene, workers=Workers(Leftover(told=False)), gated=False)
