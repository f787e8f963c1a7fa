"""Losses around an opening must not make the two sides count differently (TP-103)."""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from issuance_server.core import inputs as i
from protocol.envelope import HEADER_BYTES, Direction, EnvelopeKind
from protocol.issuance import IssuanceState
from protocol.limits import MENU_BUCKET_BYTES
from protocol.telegrams import Close, Closed, Counters, Opened
from tests.core.desk import Desk
from tests.core.made import ISSUANCE, deletion, opening
from tests.hostile.acts import ForgeRejection
from tests.hostile.broker import HostileBroker, Passing
from tests.hostile.founding import PIN, Keys
from tests.hostile.town import Opening, Town
from tests.hostile.virtual_time import VirtualLoop, run

LATE_MS = 4_000
OPENED_BYTES = HEADER_BYTES + MENU_BUCKET_BYTES + 16
ONE_COMPLETED = Counters(completed=1, reversed=0, fees_earned_yen=200)


@dataclass(slots=True)
class WhenPrinted:
    """Forges a rejection once a sheet is out, and later loses answers to the second opening.

    Until the line has new keys, nothing more of the old ones gets through.
    """

    town: Town
    rejected: bool = False
    lost: int = 0

    def __call__(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        envelope = passing.envelope
        assert envelope is not None
        telegram = envelope.kind is EnvelopeKind.TELEGRAM
        if not telegram or not self.town.log.of("issuance.printed"):
            return (passing,)
        if len(self.town.log.of("line.opened")) < 2 and envelope.direction is Direction.UP:
            if envelope.generation != self.first_generation:
                return (passing,)
            self.rejected = True
            forged = tuple(ForgeRejection(dice=random.Random(1))(passing, broker))
            return forged[1:]
        if self.lost < 3 and OPENED_BYTES == len(passing.message):
            self.lost += 1
            return ()
        return (passing,)

    @property
    def first_generation(self) -> int:
        """The generation of the first flight that ever passed."""
        first = self.town.broker.history[0].envelope
        assert first is not None
        return first.generation


def test_a_deletion_between_opening_and_its_answer_is_counted_by_both(
    keys: Keys, folder: Path
) -> None:
    """The answers to the second opening are lost while the deletion report gets through."""

    async def work(loop: VirtualLoop) -> tuple[Town, Opening]:
        town = Town(loop, keys, folder, random.Random(1))
        act = WhenPrinted(town)
        town.broker.acts = [act]
        async with town.running():
            opening = await town.terminals[0].open(PIN)
        assert act.rejected
        assert 3 == act.lost
        return town, opening

    town, seen = run(work)

    assert "closed" == seen.outcome
    assert ["in-order"] == [line["reason"] for line in town.log.of("line.closed")]
    assert 1 == len(town.log.of("issuance.completed"))


@dataclass(slots=True)
class OpenLate:
    """Answers the application with a rejection, and keeps the answer to the new opening away.

    Only when the application that was repeated has been released, the opening may go on.
    """

    town: Town
    rejected: bool = False
    kept: int = 0

    def __call__(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Reject, once; keep openings and the answer to the first one."""
        envelope = passing.envelope
        assert envelope is not None
        log = self.town.log
        if not log.of("pin.right") or log.of("issuance.released"):
            return (passing,)
        if not self.rejected and envelope.direction is Direction.DOWN:
            return (passing,)  # the menu
        if not self.rejected:
            self.rejected = True
            return tuple(ForgeRejection(dice=random.Random(1))(passing, broker))[1:]
        twice = len(log.of("line.opened")) == 2
        if twice and OPENED_BYTES == len(passing.message):
            self.kept += 1
            return ()
        return (passing,)


def test_what_is_applied_for_between_opening_and_its_answer_is_counted_by_both(
    keys: Keys, folder: Path
) -> None:
    """A visit goes on although the answer to the second opening is late; it ends in order."""

    async def work(loop: VirtualLoop) -> tuple[Town, Opening]:
        town = Town(loop, keys, folder, random.Random(1))
        act = OpenLate(town)
        town.broker.acts = [act]
        async with town.running():
            opening = await town.terminals[0].open(PIN)
        assert act.kept
        return town, opening

    town, seen = run(work)

    assert "closed" == seen.outcome
    assert ["in-order"] == [line["reason"] for line in town.log.of("line.closed")]
    assert 1 == len(town.log.of("issuance.completed"))


@dataclass(slots=True)
class RejectClosing:
    """Answers the last telegram of a machine with a rejection instead of the closing."""

    town: Town
    done: bool = False

    def __call__(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        envelope = passing.envelope
        assert envelope is not None
        ended = bool(self.town.log.of("issuance.completed"))
        if self.done or not ended or envelope.direction is Direction.DOWN:
            return (passing,)
        self.done = True
        return tuple(ForgeRejection(dice=random.Random(1))(passing, broker))[1:]


def test_a_closing_that_is_cut_by_new_keys_is_asked_again(keys: Keys, folder: Path) -> None:
    """The machine closes within seconds, instead of leaving without a word."""

    async def work(loop: VirtualLoop) -> Opening:
        town = Town(loop, keys, folder, random.Random(1))
        act = RejectClosing(town)
        town.broker.acts = [act]
        async with town.running():
            opening = await town.terminals[0].open(PIN)
        assert act.done
        return opening

    seen = run(work)

    assert "closed" == seen.outcome
    assert seen.ended_ms <= 5_000


@dataclass(slots=True)
class DelayClosing(RejectClosing):
    """The same, and the closing itself arrives when the line has been opened again."""

    def __call__(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Delay it, once."""
        before = self.done
        arriving = tuple(RejectClosing.__call__(self, passing, broker))
        if self.done and not before:
            return (*arriving, replace(passing, delay_ms=LATE_MS))
        return arriving


def test_a_closing_that_comes_late_is_not_compared(keys: Keys, folder: Path) -> None:
    """Its counters are those of an opening that is over; there is no alarm."""

    async def work(loop: VirtualLoop) -> Town:
        town = Town(loop, keys, folder, random.Random(1))
        town.broker.acts = [DelayClosing(town)]
        async with town.running():
            opening = await town.terminals[0].open(PIN)
            assert "closed" == opening.outcome
            assert opening.ended_ms < LATE_MS
            await asyncio.sleep(LATE_MS / 1_000)
        return town

    town = run(work)

    assert ["in-order"] == [line["reason"] for line in town.log.of("line.closed")]
    assert ["closing-under-old-keys"] == [x["reason"] for x in town.log.of("telegram.dropped")]


def test_a_repeated_opening_gets_the_same_list_and_opens_nothing() -> None:
    """Also when what was listed has ended meanwhile, and when its copy comes after the closing."""
    desk = Desk()
    desk.reach(IssuanceState.PRINTED)
    asked = opening(ISSUANCE)
    first = desk.ask(asked)
    assert isinstance(first, Opened)
    desk.ask(deletion())
    desk.give(i.KeysDestroyed(issuance_ids=(ISSUANCE,)))
    again = desk.ask(asked)
    assert isinstance(again, Opened)
    assert [ISSUANCE] == [listed.issuance_id for listed in first.unfinished]
    assert first.unfinished == again.unfinished
    assert Closed(counters=ONE_COMPLETED) == desk.ask(Close(counters=ONE_COMPLETED))
    desk.ask(asked)

    assert Closed(counters=ONE_COMPLETED) == desk.ask(Close(counters=ONE_COMPLETED))
    assert 1 == len([record for record in desk.records if "LineOpened" == type(record).__name__])
