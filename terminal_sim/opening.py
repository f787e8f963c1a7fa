"""Puts one terminal together from its files, and runs one opening of its line."""

import asyncio
import contextlib
import secrets
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from keys.cards import Card
from keys.line_tls import LineTls
from keys.pin_sealing import PinSealer
from keys.terminal_keys import TerminalKeys
from protocol.handshake_port import Role
from protocol.line import Line
from protocol.shells.mqtt import BrokerAddress, MqttGateway
from protocol.telegrams import Member
from protocol.topics import line_topic
from terminal_sim.carrier import Carrier
from terminal_sim.config import TerminalConfig
from terminal_sim.core.records import AnyRecord
from terminal_sim.core.state import Profile, TerminalState, fold
from terminal_sim.customer import Customer
from terminal_sim.desk_work import DeskWork
from terminal_sim.devices import CardReader, CoinBox, Printer
from terminal_sim.journal import JOURNAL_FILE, Journal, locked_storage
from terminal_sim.link import Link
from terminal_sim.machine import Machine, Surroundings
from terminal_sim.recording import Recording
from terminal_sim.spool import Spool

SOFTWARE = "terminal-sim 0.1.0"
INCOMING_MAX = 256
_MS_PER_S = 1_000
_NS_PER_MS = 1_000_000


class Clock:
    """The real time at the start, and from then on a clock that never goes back."""

    def __init__(self) -> None:
        self._offset_ms = int(time.time() * _MS_PER_S) - time.monotonic_ns() // _NS_PER_MS

    def __call__(self) -> int:
        """Return milliseconds since 1970."""
        return self._offset_ms + time.monotonic_ns() // _NS_PER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who stands in front of the terminal.

    Attributes:
        customer: answers the machine.
        card: in the slot.
        tray: where the paper lies.
        printer: lays it there; None: one without faults.
        on_members: takes the names of the holder's household, where they are to be chosen from.
    """

    customer: Customer
    card: Card
    tray: Path
    printer: Printer | None = None
    on_members: Callable[[tuple[Member, ...]], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an opening is run.

    Attributes:
        timeout_ms: when the machine stops by itself.
        clock: the time.
        on_record: called for each durable record.
        say: shows what happens at the broker, for ``--verbose``.
        carrier: instead of MQTT, such as memory.
        conduct: runs the machine for so many ms; None: until then or a signal stops it.
        traces: files in which telegrams and the core's steps are recorded; None: they are not.
    """

    timeout_ms: int
    clock: Callable[[], int]
    on_record: Callable[[AnyRecord], None]
    say: Callable[[str], None]
    carrier: Carrier | None = None
    conduct: Callable[[Machine, int], Awaitable[None]] | None = None
    traces: tuple[Path | None, Path | None] = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the opening ended.

    Attributes:
        machine: with its state.
        counts: what was late or dropped, by reason.
        remarks: what went wrong with a recording.
    """

    machine: Machine
    counts: dict[str, int]
    remarks: tuple[str, ...] = ()

    @property
    def state(self) -> TerminalState:
        """The terminal's state."""
        return self.machine.state

    @property
    def counters_agree(self) -> bool | None:
        """Whether both sides counted the same; None if they could not be compared."""
        closed = self.machine.closed
        if closed is None or closed.theirs is None:
            return None
        return closed.ours == closed.theirs


async def run_opening(config: TerminalConfig, visitor: Visitor | None, settings: Settings) -> Ended:
    """Open the line, settle what is owed, let the visitor have a visit, and close.

    Args:
        config: the terminal.
        visitor: who has a visit; None only settles.
        settings: how.

    Raises:
        SetUpError: files, broker or city are not as needed.
        KeyManagementError: the terminal's keys are not as needed.
        AdapterError: the journal or a device failed.
        OSError: the disk failed.
    """
    keys = config.load_keys()
    with locked_storage(config.storage):
        journal = Journal(config.storage / JOURNAL_FILE, config.terminal)
        coin_box = CoinBox(config.storage)
        with contextlib.ExitStack() as opened:
            opened.callback(journal.close)
            opened.callback(coin_box.close)
            profile, records = _profile(config, keys), journal.read()
            recording = Recording(profile, settings.traces, clock=settings.clock, before=records)
            opened.callback(recording.close)
            link = Link(_line(config, keys, recording.make_line), secrets.token_bytes)
            machine = Machine(
                state=fold(profile, records),
                link=link,
                work=_work(config, keys, coin_box, visitor),
                surroundings=Surroundings(
                    carrier=settings.carrier
                    or gateway(config, settings.say, recording.carrier_event),
                    topic_up=line_topic(config.city, config.line_id, "up"),
                    clock=settings.clock,
                    append=journal.append,
                    on_record=settings.on_record,
                    stepped=recording.stepped,
                ),
                customer=None if visitor is None else visitor.customer,
            )
            await (settings.conduct or _run_until_signalled)(machine, settings.timeout_ms)
            recording.close()
            return Ended(machine=machine, counts=dict(link.counts), remarks=recording.remarks())


def _profile(config: TerminalConfig, keys: TerminalKeys) -> Profile:
    return Profile(
        terminal=config.terminal,
        city=config.city,
        software=SOFTWARE,
        binding_keys=keys.trust.binding_keys,
        checkpoint_keys=keys.trust.checkpoint_keys,
    )


async def _run_until_signalled(machine: Machine, timeout_ms: int) -> None:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, machine.stop)
    try:
        await machine.run(timeout_ms)
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _line(config: TerminalConfig, keys: TerminalKeys, make_line: Callable[..., Line]) -> Line:
    handshakes = LineTls(
        Role.TERMINAL, keys.line, keys.trust.authority_certificate, expected_city=config.city
    )
    return make_line(
        role=Role.TERMINAL,
        city=config.city,
        terminal=config.terminal,
        line_id=config.line_id,
        handshakes=handshakes,
    )


def gateway(
    config: TerminalConfig,
    say: Callable[[str], None],
    on_event: Callable[..., None] = lambda _event, **_fields: None,
) -> MqttGateway:
    """Return the carrier over MQTT; both are told what happens at the broker, ``say`` in words."""

    def tell(event: str, **fields: object) -> None:
        on_event(event, **fields)
        say(" ".join([event, *(f"{name}={value}" for name, value in fields.items())]))

    return MqttGateway(
        broker=BrokerAddress(host=config.broker_host, port=config.broker_port),
        client_id=f"kofu-{config.line_id.hex()}",
        subscriptions=[line_topic(config.city, config.line_id, "down")],
        incoming_max=INCOMING_MAX,
        on_event=tell,
    )


def _work(
    config: TerminalConfig, keys: TerminalKeys, coin_box: CoinBox, visitor: Visitor | None
) -> DeskWork:
    reader = printer = None
    if visitor is not None:
        reader = CardReader(
            card=visitor.card,
            sealer=PinSealer(keys.trust.pin_sealing_key),
            terminal=config.terminal,
            city=config.city,
        )
        printer = visitor.printer or Printer(visitor.tray)
    work = DeskWork(
        terminal=config.terminal,
        report_key=keys.report_key,
        spool=Spool(config.storage),
        coin_box=coin_box,
        card_reader=reader,
        printer=printer,
    )
    work.on_members = None if visitor is None else visitor.on_members
    return work
