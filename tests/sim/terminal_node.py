"""A multicopy machine as a process: the shipped machine on devices of a world, which loses power.

What lasts of it are journal, spool, coins and paper. Each opening of the line is a life of its own.
"""

from typing import Any

from keys.cards import CardFile
from protocol.errors import JournalFailed, KofuError
from protocol.handshake_port import Peer, Role
from protocol.line import Line, Renewal
from protocol.topics import line_topic
from terminal_sim.core import records as r
from terminal_sim.core.records import AnyRecord
from terminal_sim.core.state import Profile, TerminalState, evolve
from terminal_sim.desk_work import DeskWork
from terminal_sim.devices import CardReader
from terminal_sim.link import Link, LinkEvent, Replied
from terminal_sim.machine import Machine, Surroundings
from tests.sim import stand_ins
from tests.sim.checks.witness import Court
from tests.sim.city import CITY, City, TerminalIdentity
from tests.sim.clocks import Clock, SteadyClock
from tests.sim.devices import MemoryCoinBox, MemoryPrinter, MemorySpool, Power
from tests.sim.faults import Faults
from tests.sim.loop import Killed, Node, SimLoop, present_node
from tests.sim.network import Network, Port
from tests.sim.people import SimPerson
from tests.sim.plan import Plan

OPENING_MS_MAX = 15 * 60_000
DIES_WITHIN_CALLBACKS = 120


class WatchedLink(Link):
    """A link whose answers the court hears as the machine does."""

    terminal: str
    court: Court

    def receive(self, message: bytes, now_ms: int) -> list[LinkEvent]:
        """Take a message."""
        events = super().receive(message, now_ms)
        for event in events:
            if isinstance(event, Replied):
                self.court.replied(self.terminal, event.request, event.reply)
        return events


class TerminalNode:
    """The machine's process, through all its lives.

    Attributes:
        identity: who it is.
        records: its journal, as far as it is durable.
        gone: whether it has lost power for ever.
        errors: what ended a life and is a bug.
        machine: of the present or last opening.
    """

    def __init__(
        self,
        identity: TerminalIdentity,
        loop: SimLoop,
        plan: Plan,
        *,
        city: City,
        network: Network,
        faults: Faults,
        court: Court,
    ) -> None:
        self.identity = identity
        self.records: list[AnyRecord] = []
        profile = Profile(
            terminal=identity.name,
            city=CITY,
            software="sim",
            binding_keys=(city.key.public_key,),
            checkpoint_keys=(city.key.public_key,),
        )
        self._folded = TerminalState(profile=profile)  # what ``fold`` makes of the records so far
        self.gone = False
        self.errors: list[BaseException] = []
        self.clock = Clock(loop)
        self.machine: Machine | None = None
        power = Power(identity.name, faults)
        self.spool = MemorySpool(power, faults, court)
        self.coin_box = MemoryCoinBox(power, court)
        self.printer = MemoryPrinter(power, faults, court)
        self._topic_down = line_topic(CITY, identity.line_id, "down")
        self.topic_up = line_topic(CITY, identity.line_id, "up")
        self._loop = loop
        self._plan = plan
        self._city = city
        self._network = network
        self._faults = faults
        self._court = court
        self._port: Port | None = None

    def state(self) -> TerminalState:
        """Return what a start would fold out of the journal."""
        return self._folded.copy()

    @property
    def owes(self) -> bool:
        """Whether another opening has something to settle."""
        state = self._folded
        unerased = any(one.over and one.erased_at_ms is None for one in state.issuances.values())
        visiting = state.open_visit is not None
        return bool(state.unfinished() or unerased or visiting or self.coin_box.held())

    async def open(self, person: SimPerson | None) -> None:
        """Run one opening to its end, or until the power fails."""
        ended = self._loop.create_future()

        def over(_: object) -> None:
            if not ended.done():
                ended.set_result(None)

        node = Node(self.identity.name, over)
        every_ms = self._faults.rates.power_cut_every_ms
        if every_ms and self._faults.dice.random() < self._plan.gap_ms / every_ms:
            self._faults.note("power cut")
            node.dies_in = int(self._faults.dice.random() ** 2 * DIES_WITHIN_CALLBACKS * 8)
        self._court.restarted(self.identity.name)
        task = self._loop.spawn(node, self._run(node, person))
        task.add_done_callback(over)
        await ended
        node.kill()
        if self._port is not None:
            self._port.detach()

    async def _run(self, node: Node, person: SimPerson | None) -> None:
        try:
            machine = self.machine = self._machine(node, person)
            if person is not None and self._faults.hits(self._faults.rates.stopped, "stopped"):
                wait_us = int(self._faults.dice.random() * 30_000_000)
                self._loop.after_us(wait_us, machine.stop)
            await machine.run(OPENING_MS_MAX)
        except (KofuError, OSError):
            return  # a way in which a machine may end: the disk, a device, a silent city
        except Exception as error:  # noqa: BLE001  # a bug: it ends the world
            self.errors.append(error)

    def _machine(self, node: Node, person: SimPerson | None) -> Machine:
        clock = SteadyClock(self.clock)
        self._port = Port(self._network, self._faults, self._topic_down)
        link = WatchedLink(
            self._line(), self._faults.dice.randbytes, Renewal(age_ms=self._plan.renewal_ms)
        )
        link.terminal, link.court = self.identity.name, self._court
        visitor = None if person is None else person.holder.resident_id

        def on_record(record: AnyRecord) -> None:
            if isinstance(record, r.VisitOpened) and visitor is not None:
                self._court.card_in(self.identity.name, record.visit_id, visitor)

        return Machine(
            state=self.state(),
            link=link,
            work=self._work(person),
            surroundings=Surroundings(
                carrier=self._port,
                topic_up=self.topic_up,
                clock=clock,
                append=self._append,
                on_record=on_record,
            ),
            customer=person,
        )

    def _line(self) -> Line:
        identity = self.identity
        shows = Peer(name=identity.name, line_id=identity.line_id, fingerprint=identity.fingerprint)
        return Line(
            role=Role.TERMINAL,
            city=CITY,
            terminal=identity.name,
            line_id=identity.line_id,
            handshakes=stand_ins.port(
                Role.TERMINAL, shows, self._faults.dice.randbytes, self._city.fingerprint
            ),
        )

    def _work(self, person: SimPerson | None) -> DeskWork:
        reader = None
        if person is not None:
            key: Any = person.holder.key
            card = CardFile(number=person.holder.number, holder="", signing_key=key)
            sealer: Any = stand_ins.StandInSealer(self._faults.dice.randbytes)
            reader = CardReader(card=card, sealer=sealer, terminal=self.identity.name, city=CITY)
        devices: dict[str, Any] = {
            "report_key": self.identity.report_key,
            "spool": self.spool,
            "coin_box": self.coin_box,
            "printer": self.printer,
        }
        return DeskWork(terminal=self.identity.name, card_reader=reader, **devices)

    def _append(self, records: list[AnyRecord]) -> None:
        """Write the records of one step: durable together, or not at all."""
        node, faults, rates = present_node(), self._faults, self._faults.rates
        if faults.hits(rates.terminal_disk_refuses, "terminal's disk refused"):
            raise JournalFailed("the disk is full")
        if faults.hits(rates.power_cut_at_record, f"power cut before {type(records[0]).__name__}"):
            node.kill()
            raise Killed
        self.records += records
        for record in records:
            evolve(self._folded, record)
        self._court.terminal_records(self.identity.name, records)
        if faults.hits(rates.power_cut_at_record, f"power cut after {type(records[-1]).__name__}"):
            node.kill()
            raise Killed
