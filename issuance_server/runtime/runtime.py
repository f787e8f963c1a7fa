"""All loops of a running server, from the first to the last.

A failure of the journal ends them all at once (fail closed). An orderly stop drains first: no new
issuances, those under way finish, and only then the lines go.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from issuance_server.core import inputs as i
from issuance_server.core.copy_changes import staged_by
from issuance_server.core.domicile_desk import APPLICANT_KEPT_MS
from issuance_server.core.line_table import LineTable, RegisteredTerminal
from issuance_server.core.records import Evidence
from issuance_server.core.rules import CityRules
from issuance_server.core.state import SwitchState
from issuance_server.core.switch import Switch
from issuance_server.ports import Clock, Gateway, NoticeSender, Sign, Store
from issuance_server.runtime.audit_signer import AuditSigner
from issuance_server.runtime.commit_loop import CommitLoop
from issuance_server.runtime.evidence_watch import EvidenceWatch
from issuance_server.runtime.folding import fold_into
from issuance_server.runtime.intervals import INTERVALS, Intervals
from issuance_server.runtime.key_destroyer import KeyDestroyer
from issuance_server.runtime.line_shell import PUBLISHERS, LineShell
from issuance_server.runtime.notice_deliverer import NoticeDeliverer
from issuance_server.runtime.performer import CityHand, Performer, World
from issuance_server.runtime.recording import NO_RECORDING, Recording
from issuance_server.runtime.register_watch import RegisterWatch
from protocol.errors import AdapterError, JournalFailed
from protocol.handshake_port import HandshakePort
from protocol.telegrams import NoticeKind

DAY_KEYS_KEPT = 2
"""The latest day keys stay: what was rendered before midnight may be committed after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a runtime is made of.

    Attributes:
        rules: the city's rules.
        store: the open database.
        gateway: the way to the terminals.
        handshakes: the server's end of handshakes.
        hand: what the city signs with.
        sign_checkpoint: signs the audit tree.
        world: judge, renderer, clock, entropy, log.
        heartbeat: the register copy feeds itself (sample city only).
        notices: how notices to holders leave; None: they wait in the outbox.
        intervals: how often the periodic work is done.
        log_is_written: tells whether the log can be written now.
        recording: what is told to traces.
    """

    rules: CityRules
    store: Store
    gateway: Gateway
    handshakes: HandshakePort
    hand: CityHand
    sign_checkpoint: Sign
    world: World
    heartbeat: bool
    notices: NoticeSender | None = None
    intervals: Intervals = INTERVALS
    log_is_written: Callable[[], bool] = lambda: True
    recording: Recording = NO_RECORDING


class Runtime:
    """One running city."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._clock: Clock = parts.world.clock
        self._log: Callable[..., None] = parts.world.log
        self._listed: dict[bytes, RegisteredTerminal] = {}
        self._listing = asyncio.Lock()  # what was read earlier must not replace what was read later
        self.state = SwitchState()
        self.switch = Switch(parts.rules, self.state)
        self._signer = AuditSigner(
            city=parts.rules.city,
            store=parts.store,
            clock=self._clock,
            sign=parts.sign_checkpoint,
        )
        self._performer = Performer(
            state=self.state,
            store=parts.store,
            hand=parts.hand,
            world=parts.world,
            witnessed=self._signer.answer,
        )
        self._timer_changed = asyncio.Event()
        self._commits = CommitLoop(
            switch=self.switch,
            store=parts.store,
            clock=self._clock,
            perform=self._performer.perform,
            committed=self._timer_changed.set,
            stepped=parts.recording.stepped if parts.recording.takes_steps else None,
        )
        lines = LineTable(
            city=parts.rules.city,
            handshakes=parts.handshakes,
            find=self._listed.get,
            make_line=parts.recording.make_line,
        )
        self.lines = LineShell(
            city=parts.rules.city,
            lines=lines,
            gateway=parts.gateway,
            clock=self._clock,
            offer=self._commits.offer,
            log=self._log,
        )
        self._destroyer = KeyDestroyer(
            store=parts.store, clock=self._clock, submit=self._commits.submit, log=self._log
        )
        self._register_watch = RegisterWatch(
            store=parts.store,
            clock=self._clock,
            age_ms_max=parts.rules.register_age_ms_max,
            log=self._log,
        )
        self._evidence = EvidenceWatch(
            clock=self._clock, submit=self._commits.submit, log_is_written=parts.log_is_written
        )
        self._performer.connect(
            lines=self.lines, submit=self._commits.submit, destroy=self._destroyer.add
        )

    @property
    def evidence_lost(self) -> tuple[str, ...]:
        """What could not be kept for too long, by its word; nothing new is accepted then."""
        return tuple(sorted(one.value for one in self.state.evidence_lost))

    @property
    def terminal_count(self) -> int:
        """How many terminals are on the list."""
        return len(self._listed)

    async def prepare(self) -> None:
        """Fold the journal and settle what only the last process's memory held."""
        now_ms = self._clock.now().real_ms
        recording = self._parts.recording
        recording.begun(
            await fold_into(self.state, self._parts.store, now_ms, folded=recording.folded)
        )
        await self._read_list()
        await self._retire_day_keys()
        if self._parts.heartbeat:
            await self._parts.store.set_watermark(now_ms)
        await self._commits.commit([i.Restarted()])

    async def run(self) -> None:
        """Run all loops until cancelled.

        Raises:
            JournalFailed: the journal could not be written; nothing was sent after that.
        """
        every = self._parts.intervals
        loops = [
            self._parts.gateway.run(),
            self.lines.read(),
            self.lines.keep_time(),
            *(self.lines.publish() for _ in range(PUBLISHERS)),
            self._commits.run(),
            self._destroyer.run(),
            self._keep_time(),
            self._every(every.judge_events_ms, self._collect_judge_events),
            self._every(every.tree_ms, self._keep_checkpoint),
            self._every(every.evidence_ms, self._evidence.look),
            self._every(every.list_ms, self._read_list),
            self._every(every.register_ms, self._register_watch.look),
            self._every(every.day_keys_ms, self._retire_day_keys),
            self._every(every.drops_ms, self.lines.report_drops),
            self._every(every.write_ahead_log_ms, self._empty_write_ahead_log),
            self._every(every.forget_ms, self._forget_applicants),
            self._signer.prepare(),
            self._stop_when_broken(),
        ]
        if self._parts.heartbeat:
            loops.append(self._every(every.heartbeat_ms, self._beat))
        if self._parts.recording.goes_on:
            loops.append(self._every(every.trace_ms, self._parts.recording.look))
        if self._parts.notices is not None:
            loops.append(self._deliverer(self._parts.notices).run())
        try:
            async with asyncio.TaskGroup() as group:
                for loop in loops:
                    group.create_task(loop)
        except* JournalFailed as failed:
            raise JournalFailed(str(failed.exceptions[0])) from None
        finally:
            await self._performer.stop()

    async def drain(self, wait_ms_max: int) -> bool:
        """予備閉局: take nothing new, and wait until what is under way has ended.

        Returns:
            False if something was still under way when the time was over; it is in the journal.
        """
        await self._commits.submit(i.DrainBegun())
        self.lines.notify_all(NoticeKind.DRAINING)
        until_ms = self._clock.now().real_ms + wait_ms_max
        while not self.switch.idle:
            if self._clock.now().real_ms >= until_ms:
                return False
            await asyncio.sleep(self._parts.intervals.drain_poll_ms / 1_000)
        return True

    async def record_act(self, act: i.ActAccepted | i.ActEnded) -> None:
        """Journal a signed act, or what came of it; it is on the disk when this returns.

        If it is about the list of terminals, it is carried out as well: the lines that it ends have
        no keys any more.

        Raises:
            JournalFailed: it could not be written; the server stops.
        """
        staged = staged_by(act.change) if isinstance(act, i.ActAccepted) else None
        try:
            await self._commits.commit([act], attached=staged)
            if isinstance(act, i.ActAccepted) and act.change is not None:
                await self._read_list()
        except JournalFailed as error:
            if not self._performer.broken.done():
                self._performer.broken.set_exception(error)
            raise

    async def sign_tree(self) -> None:
        """Sign the audit tree as it stands, if it has grown."""
        await self._signer.sign()

    async def _keep_checkpoint(self) -> None:
        """Sign the tree; what cannot be signed is tried again, and missed by the watch."""
        if await self._signer.try_to_sign():
            self._evidence.kept(Evidence.CHECKPOINTS)

    async def _forget_applicants(self) -> None:
        """Erase what applicants typed, a while after the counter's decision."""
        before_ms = self._clock.now().real_ms - APPLICANT_KEPT_MS
        count = await self._parts.store.forget_applicants(before_ms)
        if count:
            self._log("domicile.forgotten", count=count)

    def _deliverer(self, sender: NoticeSender) -> NoticeDeliverer:
        outbox = self._parts.store.outbox
        return NoticeDeliverer(outbox=outbox, sender=sender, clock=self._clock, log=self._log)

    async def _keep_time(self) -> None:
        while True:
            self._timer_changed.clear()
            deadline_ms = self.switch.next_deadline_ms()
            now_ms = self._clock.now().real_ms
            wait_s = None if deadline_ms is None else max(0, deadline_ms - now_ms) / 1_000
            try:
                async with asyncio.timeout(wait_s):
                    await self._timer_changed.wait()
            except TimeoutError:
                await self._commits.submit(i.Woken())
                await self._timer_changed.wait()

    async def _every(self, interval_ms: int, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(interval_ms / 1_000)
            await work()

    async def _empty_write_ahead_log(self) -> None:
        """Keep the log short also on a day without deletions; a reader in the way is no matter."""
        await self._parts.store.checkpoint()

    async def _stop_when_broken(self) -> None:
        """End all loops with what broke outside of them."""
        await self._performer.broken

    async def _collect_judge_events(self) -> None:
        try:
            events = await self._parts.world.judge.collect_events()
        except AdapterError:
            return  # it is being restarted, and keeps its events until they are collected
        self._evidence.kept(Evidence.JUDGE_EVENTS)
        if events:  # on the disk before they are collected again, for then the judge forgets them
            await self._commits.commit([i.JudgeSaid(events=tuple(events))])

    async def _read_list(self) -> None:
        """Take the list of terminals anew, and end the lines that it allows no more."""
        async with self._listing:
            now_ms = self._clock.now().real_ms
            listed = await self._parts.store.terminals(now_ms)
            self._listed.clear()
            self._listed.update((entry.line_id, entry) for entry in listed)
            self.lines.close_refused()

    async def _retire_day_keys(self) -> None:
        """Destroy the keys of days that wrap nothing any more."""
        used = await self._parts.store.key_days()
        day_keys = self._parts.hand.day_keys
        for day in sorted(day_keys.days())[:-DAY_KEYS_KEPT]:
            if day not in used:
                day_keys.destroy(day)

    async def _beat(self) -> None:
        await self._parts.store.set_watermark(self._clock.now().real_ms)
