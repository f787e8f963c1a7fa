"""One multicopy machine: the pure core, its journal, its devices and its line, in one event loop.

The order of every step is fixed: the core decides, its records go to the disk in one transaction,
and only then anything leaves: to the city, to a device, to the screen. If the journal cannot be
written, nothing leaves and the machine stops.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TypeAlias

from protocol.codes import ReplyCode
from protocol.errors import AdapterError, SetUpError
from protocol.limits import ID_BYTES
from protocol.visit import VisitState
from terminal_sim.carrier import Carrier
from terminal_sim.core import advices
from terminal_sim.core import effects as out
from terminal_sim.core import inputs as into
from terminal_sim.core.records import AnyRecord
from terminal_sim.core.state import TerminalState
from terminal_sim.core.terminal import next_deadline_ms, step
from terminal_sim.customer import Customer
from terminal_sim.desk_work import DeskWork
from terminal_sim.link import GaveUp, KeysFresh, Link, LinkEvent, Noticed, Replied

OPEN_MS_MAX = 20_000
"""How long the city may take to open the line before the set-up is doubted."""
SETTLE_FIRST_MS_MAX = 10_000
"""How long a card waits until what was left from before is settled."""
SETTLE_MS_MAX = 30_000
"""How long the machine tries to settle what is owed after the person has left."""
GRACE_MS_MAX = 5_000
"""How long a machine that was told to stop may take to say so to the city."""
MESSAGES_WAITING_MAX = 64
"""Messages of the carrier that wait for the loop; the carrier keeps, or drops, the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failed:
    """Something that ran beside the loop broke; the loop breaks with it."""

    error: Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class _Understood:
    """What a reply means to the core."""

    replied: Replied
    input_: into.Input


_Item: TypeAlias = bytes | into.Input | _Failed | _Understood


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a machine stands in.

    Attributes:
        carrier: carries messages.
        topic_up: where this terminal's messages go.
        clock: the time in milliseconds, never going back.
        append: writes the records of one step, durably.
        on_record: called for each record when it is durable.
        stepped: called with every step of the core, before its records are written.
    """

    carrier: Carrier
    topic_up: str
    clock: Callable[[], int]
    append: Callable[[list[AnyRecord]], None]
    on_record: Callable[[AnyRecord], None]
    stepped: Callable[[into.Input, int, list[out.Effect]], None] = lambda _input, _now, _out: None


class Machine:
    """Runs one opening of the line: settles what is owed and lets at most one person have a visit.

    Attributes:
        state: the core's state, to be read.
        refused: the reply code with which the city refused to open, if it did.
        closed: what both sides counted, once the line is closed.
        stopped_early: whether somebody stopped the machine, or time ran out.
    """

    def __init__(
        self,
        *,
        state: TerminalState,
        link: Link,
        work: DeskWork,
        surroundings: Surroundings,
        customer: Customer | None,
    ) -> None:
        """Prepare; nothing happens before ``run``.

        Args:
            state: folded from the journal.
            link: the line.
            work: what the devices do.
            surroundings: carrier, clock and journal.
            customer: who has a visit; None only settles.
        """
        self.state = state
        self.refused: ReplyCode | None = None
        self.closed: out.LineClosed | None = None
        self.stopped_early = False
        self._link = link
        self._work = work
        self._around = surroundings
        self._customer = customer
        self._inbox: asyncio.Queue[_Item] = asyncio.Queue()
        self._room = asyncio.Semaphore(MESSAGES_WAITING_MAX)
        self._tasks: set[asyncio.Task[None]] = set()
        self._menu: out.ShowMenu | None = None
        self._open_by_ms: int | None = None
        self._begin_by_ms: int | None = None
        self._stop_at_ms: int | None = None
        self._leaving = False
        self._done = False

    async def run(self, timeout_ms: int) -> None:
        """Run until the line is closed, refused, or time is over.

        Args:
            timeout_ms: after this the machine stops as if somebody had stopped it.

        Raises:
            SetUpError: broker or city do not answer at all.
            JournalFailed: the disk refuses; nothing was sent after it.
            AdapterError: a device broke.
            OSError: the spool cannot be erased.
        """
        timeout_at_ms = self._now() + timeout_ms
        self._open_by_ms = self._now() + OPEN_MS_MAX
        try:
            await self._step(into.Started())
            self._spawn(self._work.clear(self.state))
            if self.state.doubt is None:
                self._spawn(self._around.carrier.run())
                self._spawn(self._receive())
                self._run(self._connected())
            else:
                self._doubt()
            while not self._done:
                self._look_at_the_clock(timeout_at_ms)
                await self._round(timeout_at_ms)
        finally:
            await self._shut()

    def stop(self) -> None:
        """Cancel what was not released, and end soon; at the second call, at once.

        May be called from a signal handler.
        """
        if self.stopped_early:
            self._done = True
        else:
            self.stopped_early = True
            self._begin_by_ms = self._open_by_ms = None
            self._stop_at_ms = self._now() + (GRACE_MS_MAX if self.state.opening else 0)
        self._put(into.CancelAsked())
        self._put(into.CloseAsked())

    async def _connected(self) -> into.Input:
        await self._around.carrier.connected.wait()
        return into.TimePassed()

    def _look_at_the_clock(self, timeout_at_ms: int) -> None:
        now_ms = self._now()
        if self.state.doubt is not None and self._nothing_to_do_here():
            self._done = True
        if self._open_by_ms is not None and now_ms >= self._open_by_ms:
            if self._around.carrier.connected.is_set():
                raise SetUpError(
                    "the city does not answer on this line; is its server running, "
                    "and is this terminal admitted?"
                )
            raise SetUpError("the broker cannot be reached; is the city running?")
        if now_ms >= timeout_at_ms and not self.stopped_early:
            self.stop()
        if self._leaving and self._stop_at_ms is None and self._nobody_waits():
            self._stop_at_ms = now_ms + SETTLE_MS_MAX
        if self._stop_at_ms is not None and now_ms >= self._stop_at_ms:
            self._done = True
        settled = not advices.outstanding(self.state)
        if self._begin_by_ms is not None and (now_ms >= self._begin_by_ms or settled):
            self._begin_by_ms = None
            self._put(into.CardInserted(visit_id=secrets.token_bytes(ID_BYTES)))

    def _doubt(self) -> None:
        """Wait for nothing of the city any more; what is printing goes on (TP-122)."""
        self._open_by_ms = self._begin_by_ms = None

    def _nothing_to_do_here(self) -> bool:
        return all(one.over and one.erased_at_ms is not None for one in self.state.unfinished())

    def _nobody_waits(self) -> bool:
        """Tell whether whatever is unfinished is a matter between terminal and city alone."""
        return all(issuance.over for issuance in self.state.unfinished())

    async def _round(self, timeout_at_ms: int) -> None:
        """Wait for the next thing or the next deadline, and do what follows."""
        item = await self._next_item(self._wait_ms(timeout_at_ms))
        match item:
            case None:
                pass
            case _Failed():
                raise item.error
            case _Understood():
                if self._link.take(item.replied):
                    await self._step(item.input_)
            case bytes():
                self._room.release()
                await self._on_link(self._link.receive(item, self._now()))
            case _:
                await self._step(item)
        if self._around.carrier.connected.is_set() or self._link.ready:
            await self._on_link(self._link.wake(self._now()))
        due_ms = next_deadline_ms(self.state)
        if due_ms is not None and self._now() >= due_ms:
            await self._step(into.TimePassed())
        self._flush()

    def _wait_ms(self, timeout_at_ms: int) -> int:
        if self._done:
            return 0
        now_ms = self._now()
        times_ms = [
            self._open_by_ms,
            self._begin_by_ms,
            self._stop_at_ms,
            None if self.stopped_early else timeout_at_ms,
            next_deadline_ms(self.state),
        ]
        if self._around.carrier.connected.is_set() or self._link.ready:
            times_ms.append(self._link.next_deadline_ms())
        return max(0, min(at_ms for at_ms in times_ms if at_ms is not None) - now_ms)

    async def _next_item(self, wait_ms: int) -> _Item | None:
        if not self._inbox.empty():
            return self._inbox.get_nowait()
        try:
            async with asyncio.timeout(wait_ms / 1_000):
                return await self._inbox.get()
        except TimeoutError:
            return None

    async def _on_link(self, events: list[LinkEvent]) -> None:
        for event in events:
            match event:
                case KeysFresh():
                    await self._step(into.LineReady())
                case Replied():
                    self._spawn(self._understand(event))
                case GaveUp():
                    await self._step(into.Unanswered(request=event.request))
                case Noticed():
                    await self._step(into.NoticeGiven(notice=event.notice))

    async def _understand(self, replied: Replied) -> None:
        input_ = await self._work.understand(replied.request, replied.reply)
        self._inbox.put_nowait(_Understood(replied=replied, input_=input_))

    async def _step(self, input_: into.Input) -> None:
        now_ms = self._now()
        effects = step(self.state, input_, now_ms)
        self._around.stepped(input_, now_ms, effects)
        records = [effect.record for effect in effects if isinstance(effect, out.Record)]
        if records:
            await asyncio.to_thread(self._around.append, records)
            for record in records:
                self._around.on_record(record)
                self._watch(record)
        for effect in effects:
            if not isinstance(effect, out.Record):
                self._watch(effect)
                self._perform(effect)
        self._work.let_go(self.state)

    def _perform(self, effect: out.Leaving) -> None:
        match effect:
            case out.Ask():
                telegram = self._work.complete(effect.question)
                give_up_ms = effect.give_up_ms
                self._link.ask(effect.request, telegram, self._now(), give_up_ms=give_up_ms)
            case out.Forget():
                self._link.forget(effect.request)
            case out.LineOpened():
                self._link.resend_all(self._now())
                self._line_opened()
            case out.LineRefused():
                self.refused, self._done = effect.code, True
            case out.RecordDoubted():
                self._doubt()
            case out.LineClosed():
                self.closed, self._done = effect, True
            case out.ReturnCard():
                self._leave_soon()
            case out.IssuanceOver():
                self._offer_another()
            case out.AskForPin() | out.ShowMenu() | out.OfferDomicile() | out.AskForMoney():
                self._menu = effect if isinstance(effect, out.ShowMenu) else self._menu
                if self._customer is not None:
                    self._run(self._work.attend(effect, self._customer))
            case _:
                self._run(self._work.do(effect))

    def _offer_another(self) -> None:
        """Show the menu again; a visit is as many issuances as the person wants of it."""
        visit, menu = self.state.visit, self._menu
        ended = visit is None or visit.state is VisitState.ENDED
        if self._customer is not None and menu is not None and not ended:
            self._run(self._work.attend(menu, self._customer))

    def _line_opened(self) -> None:
        if self._open_by_ms is None:
            return  # opened again, in the middle of something
        self._open_by_ms = None
        if self._customer is None:
            self._leave_soon()
        else:
            self._begin_by_ms = self._now() + SETTLE_FIRST_MS_MAX

    def _leave_soon(self) -> None:
        """Close the line when all is settled, or leave the rest to the next opening."""
        self._leaving = True
        self._put(into.CloseAsked())

    def _watch(self, happened: AnyRecord | out.Leaving) -> None:
        if self._customer is not None:
            self._customer.watch(happened)
            cancelled = self._customer.cancels(happened)
            if cancelled is not None:
                self._put(into.CancelPressed(issuance_id=cancelled))

    def _flush(self) -> None:
        for message in self._link.messages_to_send():
            self._spawn(self._publish(message))

    async def _publish(self, message: bytes) -> None:
        # A message that is lost is repeated by the rules of its telegram or its handshake.
        with contextlib.suppress(AdapterError):
            await self._around.carrier.publish(self._around.topic_up, message)

    async def _receive(self) -> None:
        async for _, payload in self._around.carrier.incoming:
            await self._room.acquire()
            self._inbox.put_nowait(payload)

    def _run(self, work: Coroutine[None, None, into.Input | None]) -> None:
        """Let a device or a person act beside the loop; what comes of it is an input."""

        async def deliver() -> None:
            input_ = await work
            if input_ is not None:
                self._put(input_)

        self._spawn(deliver())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001  # the loop raises it again
                self._inbox.put_nowait(_Failed(error=error))

        task = asyncio.create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _put(self, input_: into.Input) -> None:
        self._inbox.put_nowait(input_)

    def _now(self) -> int:
        return self._around.clock()

    async def _shut(self) -> None:
        await self._around.carrier.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
