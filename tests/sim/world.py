"""One world: a city, its server and judge, terminals, people and weather, from a seed to an end.

``simulate`` is the door. Everything of a world is decided by its seed, mode and store; two runs
give the same trace, byte for byte. A bug can be planted by a callable that patches whatever it
likes before the world begins (``plant``); all is undone afterwards.

A world is built of ``plan`` (what the seed will do), ``loop`` and ``clocks`` (time), ``network``,
``server_node``, ``judge_node`` and ``terminal_node`` (the shipped parts as processes that die),
``store_edge`` and ``devices`` (disks, coins, paper), ``people``, ``staff`` and ``byzantine`` (who
acts), ``faults`` (what goes wrong), ``trace`` (what is observed) and ``checks`` (what must hold).
"""

import gc
import random
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TextIO

import pytest

from tests.sim import stand_ins
from tests.sim.byzantine import ByzantineTerminal
from tests.sim.checks.eligibility import Eligibility
from tests.sim.checks.ends import Ends
from tests.sim.checks.evidence import Evidence
from tests.sim.checks.issuances import Issuances
from tests.sim.checks.keys import Keys
from tests.sim.checks.money import Money
from tests.sim.checks.paper import Paper
from tests.sim.checks.pin import PinGhost
from tests.sim.checks.replies import Replies
from tests.sim.checks.second_looks import second_looks
from tests.sim.checks.witness import Court
from tests.sim.city import City, TerminalIdentity, draw_terminals
from tests.sim.clocks import CityClock, Clock
from tests.sim.drains import Drains
from tests.sim.faults import Faults
from tests.sim.judge_node import JudgeNode
from tests.sim.loop import US_PER_MS, SimLoop, Stalled, bury, pause_us
from tests.sim.network import CUT_MS_MAX, Network
from tests.sim.outcome import Outcome, Plant
from tests.sim.people import SimPerson
from tests.sim.plan import Mode, Plan, draw_plan
from tests.sim.residents import SampleResidents, residents
from tests.sim.server_node import ServerNode
from tests.sim.staff import Staff
from tests.sim.stores import lasting
from tests.sim.terminal_node import TerminalNode
from tests.sim.trace import Trace
from tests.sim.voice import Voice

SETTLED_WITHIN_MS = 2 * 60 * 60_000
"""After the last fault everything has ended within this (liveness)."""
SETTLE_EVERY_MS = 60_000
CLOCK_JUMP_MS_MAX = 90_000
GONE_SOME_TIME = 0.8
LOOKS_EVERY_US = 20_000_000
__all__ = ["Outcome", "Plant", "World", "simulate"]


class World:
    """All parts of one world.

    Attributes:
        plan: what will happen.
        loop: the time.
        network: the carrier.
        faults: what goes wrong.
        court: the checkers.
        server: the server's process.
        judge: the judge's.
        terminals: the honest machines.
    """

    def __init__(
        self,
        plan: Plan,
        store_kind: str,
        undo: ExitStack,
        stream: TextIO | None,
        people: SampleResidents,
    ) -> None:
        dice = random.Random(f"world {plan.seed} {plan.mode.value}")
        self.plan = plan
        self.loop = SimLoop(  # type: ignore[abstract]  # nobody calls what is not there
            random.Random(dice.random()), shuffles=plan.shuffles
        )
        self.faults = Faults(plan.rates, random.Random(dice.random()))
        self.trace = Trace(self.loop, stream)
        self.network = Network(self.loop, self.faults, self.trace)
        self._witnesses(people)
        city_dice = random.Random(dice.random())
        self.city = City(city_dice, people, cards=plan.cards, all_day=plan.all_day)
        undo.callback(self.city.judge_file.close)
        identities = draw_terminals(random.Random(dice.random()), plan.terminals + plan.byzantine)
        store = undo.enter_context(lasting(store_kind, self.city, identities))
        self.court.founded(store)
        self.server_clock = Clock(self.loop)
        ahead_ms = plan.start_ms - self.server_clock.real_ms()
        self._people(identities, store, CityClock(self.server_clock, ahead_ms))
        self.loop.thread_us = self._thread_us
        self._over = False

    def _witnesses(self, people: SampleResidents) -> None:
        self.paper, self.pin, self.replies, self.keys = Paper(), PinGhost(), Replies(), Keys()
        self.money = Money(self.paper)
        self.issuances = Issuances(self.paper, self.money)
        self.court = Court(
            (
                Voice(self.trace),
                self.paper,
                self.money,
                self.issuances,
                self.keys,
                self.pin,
                self.replies,
                Evidence(),
                Eligibility(people, all_day=self.plan.all_day),
                *second_looks(self.loop),
            )
        )
        self.ends = Ends(
            paper=self.paper, money=self.money, issuances=self.issuances, keys=self.keys
        )

    def _people(
        self, identities: tuple[TerminalIdentity, ...], store: Any, clock: CityClock
    ) -> None:
        around: dict[str, Any] = {"faults": self.faults, "court": self.court}
        self.judge = JudgeNode(self.loop, self.city, clock=self.server_clock, **around)
        self.server = ServerNode(
            self.loop,
            self.plan,
            city=self.city,
            store=store,
            clock=clock,
            network=self.network,
            judge=self.judge,
            **around,
        )
        self.terminals = [
            TerminalNode(
                identity, self.loop, self.plan, city=self.city, network=self.network, **around
            )
            for identity in identities[: self.plan.terminals]
        ]
        self.byzantine = [
            ByzantineTerminal(
                identity,
                self.loop,
                city=self.city,
                network=self.network,
                faults=self.faults,
                ids_of_others=lambda: list(self.issuances.state),
            )
            for identity in identities[self.plan.terminals :]
        ]
        self.staff = Staff(
            self.loop,
            city=self.city,
            server=self.server,
            clock=self.server_clock,
            faults=self.faults,
            terminals=identities,
        )

    def run(self) -> None:
        """Let it happen."""
        try:
            self.loop.run(self._course())
        except Stalled:
            self.court.found(8, "nothing is left to do, and not everything has ended")

    async def _course(self) -> None:
        loop, plan = self.loop, self.plan
        self.server.start()
        for work in (
            self.staff.edit(),
            self.staff.suppress(),
            self.staff.change_keys(),
            self.staff.relieve(),
            self._weather(),
            self._clocks(),
            Drains(loop, plan, server=self.server, faults=self.faults).work(),
        ):
            loop.create_task(work)
        for terminal in self.byzantine:
            loop.create_task(terminal.work(self._is_over))
        visits = [loop.create_task(self._visits(one)) for one in self.terminals]
        while loop.now_us < plan.calm_ms * US_PER_MS and not self._broken():
            await pause_us(LOOKS_EVERY_US)
        if plan.mode is Mode.SAFETY or self._broken():
            return
        self.faults.stop()
        self.network.heal()
        self._over = True
        while not all(task.done() for task in visits) and not self._broken():
            await pause_us(LOOKS_EVERY_US)
        await self._settle()

    async def _settle(self) -> None:
        """Give everybody the time to come to an end, and see whether they do."""
        until_us = self.loop.now_us + SETTLED_WITHIN_MS * US_PER_MS
        settling = [self.loop.create_task(self._settle_at(one)) for one in self.terminals]
        while self.loop.now_us < until_us and not self._broken():
            await pause_us(SETTLE_EVERY_MS * US_PER_MS)
            if all(task.done() for task in settling) and not self._left():
                return
        for rule, text in self._left():
            self.court.found(rule, text)

    async def _settle_at(self, terminal: TerminalNode) -> None:
        while not self._left_alone(terminal) and terminal.owes:
            await terminal.open(None)
            await pause_us(SETTLE_EVERY_MS * US_PER_MS)

    def _is_over(self) -> bool:
        """Tell whether nobody comes any more."""
        return self._over

    def _left_alone(self, terminal: TerminalNode) -> bool:
        """Tell whether nobody expects a word of it any more."""
        return terminal.gone or terminal.identity.name in self.issuances.revoked

    def _left(self) -> list[tuple[int, str]]:
        return list(self.ends.unfinished(self.terminals))

    def _broken(self) -> bool:
        for errors in (
            self.server.errors,
            self.judge.errors,
            *(one.errors for one in self.terminals),
        ):
            for broke in errors:
                self.court.found(0, f"a process broke: {broke!r}")
            errors.clear()
        for name, error, message in self.loop.errors:
            self.court.found(0, f"nobody caught in {name}: {error!r} {message}")
        self.loop.errors.clear()
        return bool(self.court.violations)

    async def _visits(self, terminal: TerminalNode) -> None:
        """Let people come to a machine, one after the other, until nobody comes any more."""
        plan, dice = self.plan, self.faults.dice
        goes = terminal in self.terminals[: plan.gone]
        revokes = terminal in self.terminals[len(self.terminals) - plan.revoked :]
        while not self._is_over():
            together = dice.random() < plan.rush
            if together:  # when others come as well
                await self._next(plan.gap_ms)
            else:
                await pause_us(self.faults.gap_us(plan.gap_ms))
            if self._is_over():
                return
            await terminal.open(self._person(together=together) if dice.random() < 0.95 else None)
            late = self.loop.now_us > GONE_SOME_TIME * dice.random() * plan.calm_ms * US_PER_MS
            if revokes and late:
                await self.staff.revoke(terminal.identity)
            if self._left_alone(terminal):
                return
            if goes and late and terminal.owes and not self._is_over():
                self.faults.note("power lost for ever")
                terminal.gone = True
                return

    async def _next(self, every_ms: int) -> None:
        """Wait for the next moment that is a multiple of some time."""
        past_us = self.loop.now_us % (every_ms * US_PER_MS)
        await pause_us(every_ms * US_PER_MS - past_us)

    def _person(self, *, together: bool) -> SimPerson:
        dice, plan = self.faults.dice, self.plan
        guesses = plan.attacked > 0 and dice.random() < 0.7
        holders = self.city.holders[: plan.attacked] if guesses else self.city.holders
        return SimPerson(
            dice.choice(holders),
            self.faults,
            self.loop,
            wishes=dice.randint(1, plan.wishes_max),
            together=together,
            guesses=guesses,
        )

    async def _weather(self) -> None:
        while every_ms := self.faults.rates.cut_every_ms:
            await pause_us(self.faults.gap_us(every_ms))
            dice = self.faults.dice
            line = "" if dice.random() < 0.3 else dice.choice(self.terminals).topic_up
            for_ms = int(dice.random() ** 2 * CUT_MS_MAX)
            if self.faults.rates.cut_every_ms:
                self.network.cut(line.rpartition("/")[0], for_ms)

    async def _clocks(self) -> None:
        while every_ms := self.faults.rates.clock_jump_every_ms:
            await pause_us(self.faults.gap_us(every_ms))
            dice = self.faults.dice
            clocks = (self.server_clock, *(one.clock for one in self.terminals))
            if self.faults.rates.clock_jump_every_ms:
                self.faults.note("clock jumped")
                jump_ms = (dice.random() * 2 - 1) ** 3 * CLOCK_JUMP_MS_MAX
                dice.choice(clocks).ahead_ms = int(jump_ms)

    def _thread_us(self) -> int:
        dice, rates = self.faults.dice, self.faults.rates
        if self.faults.hits(rates.slow_thread, "slow disk or thread"):
            return int(dice.random() ** 3 * 3_000_000)
        return 200 + int(dice.random() * 800)

    def outcome(self) -> Outcome:
        """Return what became of it."""
        counts = self.issuances.counts + Counter(
            papers=self.paper.papers,
            sheets=self.paper.sheets,
            same_second=self.issuances.same_second,
            comparisons=self.pin.comparisons,
            keys_given=self.replies.keys_given,
            server_lives=self.server.lives,
        )
        violations = tuple(self.court.violations)
        return Outcome(
            seed=self.plan.seed,
            mode=self.plan.mode,
            trace_hash=self.trace.digest(),
            virtual_ms=self.loop.now_us // US_PER_MS,
            steps=self.loop.steps,
            counts=counts,
            faults=self.faults.counts,
            violations=violations,
            last=tuple(self.trace.last()) if violations else (),
        )

    def close(self) -> None:
        """Bury what never ended; nothing of it can be seen any more."""
        bury(self.loop.tasks_left())


Watch = Callable[[World], None]


def simulate(
    seed: int,
    mode: Mode,
    *,
    store: str = "memory",
    plant: Plant | None = None,
    stream: TextIO | None = None,
    people_seed: int | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """Run one world.

    Args:
        seed: decides everything.
        mode: what it is watched for.
        store: ``memory`` or ``sqlite``.
        plant: patches the product before the world begins; undone afterwards.
        stream: gets every event as a line.
        people_seed: who the people are, and nothing else; None: the sample's.
        watch: is given the world before anything happens, and may add witnesses.
    """
    plan = draw_plan(seed, mode)
    entropy = random.Random(f"terminals {seed} {mode.value}")
    with ExitStack() as undo:
        undo.enter_context(stand_ins.in_place(entropy.randbytes))
        patch = undo.enter_context(pytest.MonkeyPatch.context())
        if plant is not None:
            plant(patch)
        world = World(plan, store, undo, stream, residents(people_seed))
        if watch is not None:
            watch(world)
        undo.enter_context(_unheard())
        try:
            world.run()
            return world.outcome()
        finally:
            world.close()


@contextmanager
def _unheard() -> Iterator[None]:
    """Let nobody hear what the dead still say when they are collected."""
    told = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    gc.disable()  # what a world leaves is collected at its end
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*was never awaited")
            yield
            gc.collect()
    finally:
        gc.enable()
        sys.unraisablehook = told
