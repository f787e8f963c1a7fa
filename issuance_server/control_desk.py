"""Answers commands: questions for everybody on the machine, changes only with a signature.

An act is checked, recorded in the journal, and only then carried out: no change without its trace.
The same desk works inside a running server and, when none runs, in the command's own process.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import assert_never

from issuance_server import control_wire as wire
from issuance_server.adapters.pin_judge.client import JudgeClient
from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.core.inputs import ActAccepted
from issuance_server.core.pin_policy import TRIES_MAX, CardState
from issuance_server.ports import Clock
from keys.operators import OperatorAct, OperatorRing
from protocol.codec import UNREADABLE
from protocol.errors import AdapterError, KeyManagementError, KofuError

_ACTS = (wire.ACT_CARD_UNLOCK, wire.ACT_TERMINAL_UNFREEZE)


class ControlDesk:
    """One per process that serves commands."""

    def __init__(
        self,
        *,
        queries: Queries,
        judge: JudgeClient,
        operators: Callable[[], OperatorRing],
        record: Callable[[ActAccepted], Awaitable[None]],
        clock: Clock,
        log: Callable[..., None],
    ) -> None:
        self._queries = queries
        self._judge = judge
        self._operators = operators
        self._record = record
        self._clock = clock
        self._log = log
        self._acting = asyncio.Lock()  # a nonce is looked up and recorded without a rival

    async def handle(self, content: bytes) -> bytes:
        """Answer one request, as it comes over the control socket.

        Raises:
            KofuError: a refusal; its text goes back to the command.
        """
        try:
            request = wire.decode_request(content)
        except UNREADABLE:
            raise AdapterError("the command speaks another version than the server") from None
        return wire.encode(await self._answer(request))

    async def _answer(self, request: wire.Request) -> wire.Answer:
        match request:
            case wire.ListIssuances(limit=limit):
                return wire.Issuances(rows=tuple(await self._queries.issuances(limit)))
            case wire.ShowIssuance(issuance_id=issuance_id):
                return wire.Life(steps=tuple(await self._queries.life(issuance_id)))
            case wire.ListCards(card_ref=card_ref):
                return wire.Cards(rows=await self._cards(card_ref))
            case wire.ReadJournal(after=after):
                return wire.Journal(rows=tuple(await self._queries.journal(after)))
            case wire.ReadCheckpoints(after=after):
                return wire.Checkpoints(rows=tuple(await self._queries.checkpoints(after)))
            case wire.Act():
                async with self._acting:
                    await self._act(request)
                return wire.Done()
            case _:
                assert_never(request)

    async def _cards(self, card_ref: str | None) -> tuple[wire.CardRow, ...]:
        registered = await self._queries.cards()
        asked = [(ref, at_ms) for ref, at_ms in registered if card_ref in {None, ref}]
        if not asked:
            return ()
        states = {state.card_ref: state for state in await self._judge.card_states(card_ref)}
        return tuple(_card(ref, at_ms, states.get(ref)) for ref, at_ms in asked)

    async def _act(self, request: wire.Act) -> None:
        asked = request.signed.act
        names = {"act": asked.act, "operator": asked.operator, "subject": asked.subject}
        try:
            act = await self._checked(request)
            await self._record(
                ActAccepted(
                    operator=act.operator,
                    act=act.act,
                    subject=act.subject,
                    reason=act.reason,
                    nonce=act.nonce,
                )
            )
            if act.act == wire.ACT_CARD_UNLOCK:
                await self._judge.unlock(request.signed)
            else:
                await self._judge.unfreeze(request.signed)
        except KofuError as error:
            self._log("control.act_refused", **names, reason=str(error))
            raise
        self._log("control.act_done", **names)
        if act.act == wire.ACT_CARD_UNLOCK:
            operator, card_ref = act.operator, act.subject
            self._log("card.unlocked", card_ref=card_ref, operator=operator, reason=act.reason)
        else:
            self._log(
                "terminal.unfrozen",
                terminal=act.subject,
                operator=act.operator,
                reason=act.reason,
            )

    async def _checked(self, request: wire.Act) -> OperatorAct:
        asked = request.signed.act
        if asked.act not in _ACTS:
            raise KeyManagementError(f"{asked.act} is no act of this server")
        act = self._operators().verify(
            request.signed, self._clock.now().real_ms, act=asked.act, subject=asked.subject
        )
        if await self._queries.nonce_used(act.nonce):
            raise KeyManagementError("this act was carried out before; sign a new one")
        if act.act == wire.ACT_CARD_UNLOCK and not await self._card_known(act.subject):
            raise KeyManagementError(f"no card has the reference {act.subject}")
        return act

    async def _card_known(self, card_ref: str) -> bool:
        registered = dict(await self._queries.cards())
        return card_ref in registered and await self._judge.card_known(card_ref)


def _card(card_ref: str, registered_at_ms: int, state: CardState | None) -> wire.CardRow:
    """A card that the judge does not list has all its tries."""
    if state is None or not state.locked:
        tries_left = TRIES_MAX if state is None else state.tries_left
        return wire.CardRow(
            card_ref=card_ref,
            state="usable",
            tries_left=tries_left,
            registered_at_ms=registered_at_ms,
        )
    return wire.CardRow(
        card_ref=card_ref,
        state="locked",
        tries_left=state.tries_left,
        registered_at_ms=registered_at_ms,
        locked_at_ms=state.locked_at_ms,
    )
