"""Adachi, 22 March and 18 April 2023: a certificate of residence and one of a seal went to others.

Two processings at the same time, in a set-up of its own; the rest was not published. The national
centre had seen errors on 17 January, 22 March and 18 April and had asked. The answer was that the
people had applied again and had got their papers: the alarm was closed as harmless. Known from
https://www.fujitsu.com/jp/group/fjj/about/resources/news/topics/2023/0501.html and from
https://net-tokuhou.com/; that there were two processings, from
https://makunouchibento.com/archives/123319.

Here: two at the same time whose documents are exchanged, and an alarm that no repeat closes.
"""

import asyncio

import pytest

from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.core import records as r
from issuance_server.core.day_changes import ReopenLine
from issuance_server.core.issuing_changes import ReopenIssuing
from protocol.kinds import Kind
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


class Exchanged:
    """Two that are made at the same time each come out as the other; later ones do not."""

    def __init__(self) -> None:
        self._both = asyncio.Barrier(2)
        self._made: list[Rendered] = []

    async def __call__(self, order: CertificateOrder) -> Rendered:
        """Make a certificate."""
        place = len(self._made)
        self._made.append(await make(order))
        if place > 1:
            return self._made[place]
        await self._both.wait()
        return self._made[1 - place]


async def two_at_once(town: IncidentTown) -> list[Visit]:
    """Let two people ask for certificates of their seals at the same moment."""
    return list(await asyncio.gather(*(one.visit(Kind.INKAN) for one in town.machines[1:])))


def test_two_that_came_out_as_each_other_are_seen_by_the_gate(play: Play) -> None:
    """Nobody gets a paper, and the first one that was seen is told at once."""

    async def scene(town: IncidentTown) -> None:
        for visit in await two_at_once(town):
            assert_clean_refusal(visit)
        assert "another-document" == town.alarms()[0]

    play(scene, workers=Workers(Exchanged()))


def test_applying_again_does_not_close_the_citys_alarm(play: Play) -> None:
    """After one document that is another's, nobody gets anything until two operators reopen."""

    async def scene(town: IncidentTown) -> None:
        await two_at_once(town)
        for _ in range(2):  # what was answered in 2023: "applied again, and it was printed"
            for visit in await town.all_visit(Kind.INKAN):
                assert_clean_refusal(visit, "ISSUING_STOPPED")
        (stopped,) = [one for one in town.journal() if isinstance(one, r.IssuingStopped)]
        assert "another-document" == stopped.fault

        await town.act("issuance.reopen", "city", ReopenIssuing(), second="mado-2")
        for visit in await town.all_visit(Kind.INKAN):
            assert_own_paper(visit)
        assert [stopped.fault] == [line["fault"] for line in town.log.of("issuing.stopped")]

    play(scene, workers=Workers(Exchanged()))


def test_applying_again_does_not_close_a_machines_alarm(play: Play) -> None:
    """A machine that got another's document prints nothing more until two operators reopen it."""

    async def scene(town: IncidentTown) -> None:
        machine = town.machines[2]
        with sealing_the_last_one():
            first, second = [await one.visit(Kind.INKAN) for one in town.machines[1:]]
        assert_own_paper(first)
        assert_clean_refusal(second, "BINDING_MISMATCH")
        for _ in range(2):  # what was answered in 2023: "applied again, and it was printed"
            assert_clean_refusal(await machine.visit(Kind.INKAN), "LINE_STOPPED")
        (stopped,) = [one for one in town.journal() if isinstance(one, r.LineStopped)]
        assert machine.name == stopped.terminal
        assert 1 == len(town.alarms())

        change = ReopenLine(terminal=machine.name)
        await town.act("terminal.reopen", machine.name, change, second="mado-2")
        assert_own_paper(await machine.visit(Kind.INKAN))
        assert [stopped.terminal] == [
            one.terminal for one in town.journal() if isinstance(one, r.LineReopened)
        ]

    play(scene)


def test_the_assertion_sees_the_fault_where_there_is_no_gate(play: Play) -> None:
    """Without the gate each takes home the other's certificate."""

    async def scene(town: IncidentTown) -> None:
        for visit in await two_at_once(town):
            assert_own_paper_or_refusal(visit)

    with pytest.raises(AssertionError, match="not the applicant's"):
        play(scene, workers=Workers(Exchanged()), gated=False)
