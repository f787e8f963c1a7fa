"""What people at the city hall do meanwhile: edits, suppressions, new keys, unlocked cards.

They act as the control socket acts: through the runtime and the judge's client, in the server's
process. An act whose server died is not tried again; what lasts of it is what was committed.
"""

import random
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import msgspec

from issuance_server.adapters.pin_judge.counter import UNLOCK_ACT
from issuance_server.adapters.pin_judge.judge import UNFREEZE_ACT
from issuance_server.core import inputs as i
from issuance_server.core import register_feed as feed
from issuance_server.core.day_changes import ReopenLine
from issuance_server.core.register import Household
from issuance_server.core.suppression import (
    LiftedSuppression,
    NewSuppression,
    SubjectKind,
    Suppression,
    SuppressionReason,
)
from keys.operators import OperatorAct, SignedAct
from protocol.errors import AdapterError, JournalFailed, KeyManagementError
from tests.sim.city import CERTIFICATE_MS, City, TerminalIdentity
from tests.sim.clocks import Clock
from tests.sim.faults import Faults
from tests.sim.loop import US_PER_MS, SimLoop, pause_us
from tests.sim.server_node import ServerNode

ONE, TWO = "mado-1", "mado-2"
RELIEF_EVERY_MS = 5 * 60_000
"""How often somebody looks for locked cards, and frozen and stopped terminals."""
ACT_MS = 60_000


class Staff:
    """Does what the plan's rates say, and helps who is locked out."""

    def __init__(
        self,
        loop: SimLoop,
        *,
        city: City,
        server: ServerNode,
        clock: Clock,
        faults: Faults,
        terminals: tuple[TerminalIdentity, ...],
    ) -> None:
        self._loop = loop
        self._city = city
        self._server = server
        self._clock = clock
        self._faults = faults
        self._terminals = terminals
        self._dice: random.Random = faults.dice
        self._suppressions: list[str] = []
        self._edited: list[str] = []
        self._acts = 0

    async def edit(self) -> None:
        """Change the register for ever: households, and edits that begin and end."""
        while every_ms := self._faults.rates.register_change_every_ms:
            await pause_us(self._faults.gap_us(every_ms))
            await self._feed(self._next_change)

    async def suppress(self) -> None:
        """Set and lift suppressions for ever."""
        while every_ms := self._faults.rates.suppression_every_ms:
            await pause_us(self._faults.gap_us(every_ms))
            if self._suppressions and self._dice.random() < 0.6:
                at = int(self._dice.random() * len(self._suppressions))
                self._faults.note("suppression lifted")
                lifted = LiftedSuppression(suppression_id=self._suppressions.pop(at))
                await self._act("suppression.lift", lifted)
            else:
                await self._act("suppression.set", self._new_suppression())

    async def change_keys(self) -> None:
        """Give terminals further key certificates, and take the former ones off, for ever."""
        while every_ms := self._faults.rates.key_change_every_ms:
            await pause_us(self._faults.gap_us(every_ms))
            terminal = self._dice.choice(self._terminals)
            self._faults.note("key certificate renewed")
            fingerprint = self._dice.randbytes(32)
            certificate = i.NewCertificate(
                terminal=terminal.name,
                line_id=terminal.line_id,
                fingerprint=fingerprint,
                report_public_key=terminal.report_key.public_key,
                until_ms=self._clock.real_ms() + CERTIFICATE_MS,
            )
            overlap_ms = self._dice.choice((0, 1_000, 60_000))
            renewed = i.RenewedCertificate(certificate=certificate, overlap_ms=overlap_ms)
            terminal.fingerprint = fingerprint
            while not await self._act("terminal.renew", renewed):
                await pause_us(1_000_000)

    async def relieve(self) -> None:
        """Unlock cards, unfreeze and reopen terminals for ever."""
        while True:
            await pause_us(RELIEF_EVERY_MS * US_PER_MS)
            await self._run(self._relieve())

    async def revoke(self, terminal: TerminalIdentity) -> bool:
        """Take a terminal off the list."""
        self._faults.note("terminal revoked")
        return await self._act("terminal.revoke", i.Revocation(terminal=terminal.name))

    async def _relieve(self) -> None:
        client, runtime = self._server.judge_client, self._server.runtime
        if client is None or runtime is None:
            return
        for state in await client.card_states():
            if state.tries_left == 0:
                await self._of_judge(UNLOCK_ACT, state.card_ref, two=True)
        for terminal in self._terminals:
            await self._of_judge(UNFREEZE_ACT, terminal.name, two=False)
        for name in sorted(runtime.state.stopped_terminals):
            await runtime.record_act(self._accepted("line.reopen", ReopenLine(terminal=name)))

    async def _of_judge(self, act: str, subject: str, *, two: bool) -> None:
        client = self._server.judge_client
        first = self._signed(act, subject, ONE)
        try:
            if not two:
                assert client is not None
                await client.unfreeze(first)
                return
            second = SignedAct(
                act=msgspec.structs.replace(first.act, operator=TWO), signature=bytes(64)
            )
            assert client is not None
            await client.counter_act(first, second)
        except (AdapterError, KeyManagementError):
            return

    def _signed(self, act: str, subject: str, operator: str) -> SignedAct:
        asked = OperatorAct(
            act=act,
            subject=subject,
            reason="as asked",
            operator=operator,
            nonce=self._dice.randbytes(16),
            expires_at_ms=self._clock.real_ms() + ACT_MS,
        )
        return SignedAct(act=asked, signature=bytes(64))

    def _new_suppression(self) -> NewSuppression:
        self._acts += 1
        person = self._dice.random() < 0.5
        holder = self._dice.choice(self._city.holders).resident_id
        self._faults.note("suppression set")
        suppression_id = f"s-{self._acts}"
        self._suppressions.append(suppression_id)
        return NewSuppression(
            suppression=Suppression(
                suppression_id=suppression_id,
                subject_kind=SubjectKind.PERSON if person else SubjectKind.HOUSEHOLD,
                subject_id=holder if person else self._household_of(holder),
                reason=SuppressionReason.SUPPORT,
                since_ms=self._clock.real_ms(),
            )
        )

    async def _feed(self, change: Any) -> None:
        server = self._server
        if server.runtime is None or not server.ready:
            return

        async def fed() -> None:
            sequence = (await server.last_store.copy_state()).sequence + 1
            act = self._accepted(
                "register.feed", feed.Placed(changes=(change(sequence),), skipped=0)
            )
            assert server.runtime is not None
            await server.runtime.record_act(act)

        await self._run(fed())

    def _next_change(self, sequence: int) -> feed.AnyChange:
        as_of = datetime.fromtimestamp(self._clock.real_ms() / 1_000, UTC)
        if self._edited and self._dice.random() < 0.7:
            household_id = self._edited.pop()
            return feed.EditEnded(
                sequence=sequence,
                as_of=as_of,
                subject_kind=SubjectKind.HOUSEHOLD,
                subject_id=household_id,
            )
        holder = self._dice.choice(self._city.holders).resident_id
        household_id = self._household_of(holder)
        if self._dice.random() < 0.3:
            self._faults.note("edit begun")
            self._edited.append(household_id)
            return feed.EditBegun(
                sequence=sequence,
                as_of=as_of,
                subject_kind=SubjectKind.HOUSEHOLD,
                subject_id=household_id,
            )
        self._faults.note("household changed")
        return feed.HouseholdsChanged(
            sequence=sequence, as_of=as_of, put=(self._moved(household_id, sequence),)
        )

    def _household_of(self, holder: str) -> str:
        return self._city.residents.household_of(holder).household_id

    def _moved(self, household_id: str, number: int) -> Household:
        """Return a household with another room number: nothing else of it matters here."""
        household = next(
            one for one in self._city.residents.households if one.household_id == household_id
        )
        return msgspec.structs.replace(household, address=f"{household.address}　{number}号室")

    def _accepted(self, act: str, change: i.Change) -> i.ActAccepted:
        return i.ActAccepted(
            operator=ONE,
            second=TWO,
            act=act,
            subject="as asked",
            reason="as asked",
            nonce=self._dice.randbytes(16),
            change=change,
        )

    async def _act(self, act: str, change: i.Change) -> bool:
        runtime = self._server.runtime
        if runtime is None or not self._server.ready:
            return False
        return await self._run(runtime.record_act(self._accepted(act, change)))

    async def _run(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run in the server's process; False if it died over it, or before."""
        node = self._server.node
        if node is None or not node.alive:
            work.close()
            return False
        ended = self._loop.create_future()

        async def guarded() -> None:
            try:
                await work
            except (JournalFailed, AdapterError):
                if not ended.done():
                    ended.set_result(False)
                return
            if not ended.done():
                ended.set_result(True)

        self._loop.spawn(node, guarded())
        while not ended.done() and self._server.node is node:
            await pause_us(100_000)
        return ended.done() and bool(ended.result())
