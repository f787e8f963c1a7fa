"""Kawasaki, 2 May 2023, 07:31: a family register went to somebody else.

Two people at two stores applied within one second for what an added program fetched from the family
register system; the later application overwrote the earlier one. Known from the maker's statement
of 9 May 2023, quoted at http://note.dev1x.org/tech/item/5077. That its files were named by the
second is a reading of it and not published.

Here: two stores in the same millisecond, ids while the clock stands still, and files named by the
second.
"""

import asyncio
from pathlib import Path

import pytest

from issuance_server.core import records as r
from keys.signing import SigningKey
from protocol.kinds import Kind, Options
from protocol.secret import Secret
from protocol.telegrams import MenuItem
from terminal_sim.core.effects import ShowMenu
from terminal_sim.core.inputs import CertificateChosen
from terminal_sim.customer import Choice
from terminal_sim.desk_work import DeskWork
from terminal_sim.devices import CoinBox
from terminal_sim.person import Keypad, Person
from terminal_sim.spool import Spool
from tests.incidents.conftest import Play
from tests.incidents.planted import FileNamedBy
from tests.incidents.stage import (
    IncidentTown,
    Visit,
    Workers,
    assert_clean_refusal,
    assert_own_paper,
    assert_own_paper_or_refusal,
)

IDS = 10_000
SAME_SECOND = ["20230502073100", "20230502073100"]


async def two_stores(town: IncidentTown) -> list[Visit]:
    """Let two people at two stores apply for their family registers at the same moment."""
    machines = town.machines[:2]
    return list(await asyncio.gather(*(one.visit(Kind.KOSEKI_ZENBU) for one in machines)))


def test_two_stores_in_the_same_millisecond_get_their_own(play: Play) -> None:
    """Both applications bear the same time in the journal, and nothing else that is the same."""

    async def scene(town: IncidentTown) -> None:
        for visit in await two_stores(town):
            assert_own_paper(visit)
            assert 3 == len(visit.sheets)
        applied = [one for one in town.journal() if isinstance(one, r.IssuanceApplied)]
        assert (2, 1) == (len(applied), len({one.at_ms for one in applied}))
        assert 2 == len({one.issuance_id for one in applied})
        assert 2 == len({number for one in applied for number in one.numbers})

    play(scene)


async def test_ids_differ_while_the_clock_stands_still(tmp_path: Path) -> None:
    """Ten thousand choices at a machine whose clock never moves: ten thousand ids."""
    choice = Choice(kind=Kind.KOSEKI_ZENBU, options=Options(), copies=1)
    person = Person(
        keypad=Keypad(pins=[Secret(b"1234")]),
        choices=[choice] * IDS,
        insert_yen=None,
        say=lambda _: None,
        clock=lambda: 0,
    )
    coin_box = CoinBox(tmp_path)
    desk = DeskWork(
        terminal="HB-0001",
        report_key=SigningKey.generate(),
        spool=Spool(tmp_path),
        coin_box=coin_box,
    )
    items: tuple[MenuItem, ...] = ()
    menu = ShowMenu(visit_id=bytes(16), items=items, unavailable=())
    chosen = [await desk.attend(menu, person) for _ in range(IDS)]
    coin_box.close()

    assert all(isinstance(one, CertificateChosen) for one in chosen)
    assert IDS == len({one.issuance_id for one in chosen if isinstance(one, CertificateChosen)})


def test_ids_named_by_the_second_are_refused_to_the_later_one(play: Play) -> None:
    """Machines that drew their ids from the clock: the later one does not get the earlier's."""

    async def scene(town: IncidentTown) -> None:
        for machine in town.machines:
            machine.draw_id = lambda: b"%016d" % (town.loop.now_ms // 1_000)
        first, second = await two_stores(town)
        assert_own_paper(first)
        assert_clean_refusal(second, "UNKNOWN")

    play(scene)


def test_file_that_the_later_one_overwrote_is_seen_by_the_gate(play: Play) -> None:
    """The very fault in the place where certificates are made: the earlier one gets nothing."""

    async def scene(town: IncidentTown) -> None:
        first, second = await two_stores(town)
        assert_clean_refusal(first)
        assert_own_paper_or_refusal(second)
        assert "another-document" == town.alarms()[0]

    play(scene, workers=Workers(FileNamedBy(SAME_SECOND, expected=2)))


def test_the_assertion_sees_the_fault_where_there_is_no_gate(play: Play) -> None:
    """Without the gate the earlier one takes home the later one's family register."""

    async def scene(town: IncidentTown) -> None:
        for visit in await two_stores(town):
            assert_own_paper_or_refusal(visit)

    workers = Workers(FileNamedBy(SAME_SECOND, expected=2))
    with pytest.raises(AssertionError, match="not the applicant's"):
        play(scene, workers=workers, gated=False)
