"""Niigata, Saitama and Kumamoto, December 2020 to May 2023: certificates of abolished seals.

Three, three and five certificates were issued of seals whose registration had ended. Known from
https://piyolog.hatenadiary.jp/entry/2023/05/22/000742. Why was not published; that the issuing side
worked on an old copy, to which the end had not come, is a reading of it.

Here: the end of a registration at each step of a visit, a change that is lost on its way, and a
link on which nothing comes any more.
"""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.core import records as r
from issuance_server.core.register_feed import AnyChange, RecordPut, RecordRemoved
from issuance_server.core.seal_register import SealRegistration
from issuance_server.sample.records import records_of
from protocol.kinds import Kind
from tests.core.changes import beats, change
from tests.core.made import MINUTE_MS, RULES
from tests.incidents.conftest import Play
from tests.incidents.stage import (
    IncidentTown,
    assert_clean_refusal,
    assert_own_paper,
    make,
)

OWNER = 1
_MS_PER_S = 1_000


def abolished(town: IncidentTown, sequence: int) -> AnyChange:
    """Return the end of the owner's registration, as the seal register tells it."""
    household = town.machines[OWNER].applicant.household
    record = records_of([household])[household.head_id, Kind.INKAN]
    assert isinstance(record, SealRegistration)
    return change(RecordPut, sequence, record=msgspec.structs.replace(record, abolished=True))


def removed(town: IncidentTown, sequence: int) -> AnyChange:
    """Return the same, told as a record that is gone."""
    key = f"seal/{town.machines[OWNER].applicant.resident_id}"
    return change(RecordRemoved, sequence, key=key)


async def wait(town: IncidentTown, wait_ms: int) -> None:
    """Let time pass."""
    await asyncio.sleep(wait_ms / _MS_PER_S)
    assert town.loop.now_ms >= wait_ms


@pytest.mark.parametrize("ended", [abolished, removed])
@pytest.mark.parametrize("moment", ["before", "while it is made", "while she pays"])
def test_seal_that_is_abolished_at_any_moment_is_not_certified(
    play: Play, moment: str, ended: Callable[[IncidentTown, int], AnyChange]
) -> None:
    """From the commit of its end on, no key of a certificate of it leaves the city."""

    async def scene(town: IncidentTown) -> None:
        machine = town.machines[OWNER]

        async def work() -> None:
            await town.change_register(ended(town, 1))

        async def making(order: CertificateOrder) -> Rendered:
            made = await make(order)
            await work()
            return made

        if moment == "before":
            assert_own_paper(await machine.visit(Kind.INKAN))
            await work()
        elif moment == "while it is made":
            town.workers.making = making
        else:
            machine.before_paying = work
        visit = await machine.visit(Kind.INKAN)
        assert_clean_refusal(visit, "SEAL_ABOLISHED", "SEAL_NOT_REGISTERED", "DATA_CHANGED")
        assert_own_paper(await machine.visit())  # the certificate of residence, as before

    play(scene)


def test_lost_change_is_missed_and_ends_issuing(play: Play) -> None:
    """Its number is missing: that is recorded and told, and the copy does not become any newer."""

    async def scene(town: IncidentTown) -> None:
        machine = town.machines[OWNER]
        await town.change_register(*beats(1))
        lost = abolished(town, 2)
        await town.change_register(*beats(lost.sequence + 1))  # the next one comes, it does not
        (gap,) = [one for one in town.journal() if isinstance(one, r.RegisterGapFound)]
        assert (2, 3) == (gap.expected, gap.found)
        assert 1 == len(town.log.of("register.feed_gap"))
        await wait(town, RULES.register_age_ms_max + MINUTE_MS)
        assert_clean_refusal(await machine.visit(Kind.INKAN), "REGISTER_STALE")
        assert 1 == len(town.log.of("register.stale"))

    play(scene, feeds=False)


def test_copy_on_which_nothing_comes_any_more_refuses(play: Play) -> None:
    """A link that is cut: after ten minutes nothing is certified from what lies here."""

    async def scene(town: IncidentTown) -> None:
        machine = town.machines[OWNER]
        assert_own_paper(await machine.visit(Kind.INKAN))
        await wait(town, RULES.register_age_ms_max + MINUTE_MS)
        for kind in (Kind.INKAN, Kind.JUMINHYO):
            assert_clean_refusal(await machine.visit(kind), "REGISTER_STALE")
        assert 1 == len(town.log.of("register.stale"))

    play(scene, feeds=False)


def test_the_assertion_sees_the_fault_where_the_copy_only_seems_fresh(play: Play) -> None:
    """A register that says that nothing has changed, and keeps an end to itself, is believed.

    That is what the city cannot see by itself; the copy is compared with a full extract for that.
    """

    async def scene(town: IncidentTown) -> None:
        abolished(town, 1)  # happened, and was never told
        visit = await town.machines[OWNER].visit(Kind.INKAN)
        assert_clean_refusal(visit, "SEAL_ABOLISHED")

    with pytest.raises(AssertionError):
        play(scene)
