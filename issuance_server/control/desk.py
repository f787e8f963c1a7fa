"""Answers commands: questions for everybody on the machine, changes only with a signature.

An act is checked, recorded in the journal, and only then carried out: no change without its trace.
What came of it is recorded too, so that a refused act does not stand there as if it were done.
The same desk works inside a running server and, when none runs, in the command's own process.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable

from issuance_server.adapters.pin_judge.client import JudgeClient
from issuance_server.adapters.sqlite.cards import RegisteredCard, registered_cards
from issuance_server.adapters.sqlite.issuing_projections import (
    declared_manifest,
    issuing_stop,
)
from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.control import wire
from issuance_server.control.act_check import ActCheck, Believed, CarryOut, RefusedAt
from issuance_server.control.acts import ACTS
from issuance_server.control.answers import ANSWERS
from issuance_server.core.card_registration import TRIAL_TERMINAL_PREFIX
from issuance_server.core.cards import CardKind
from issuance_server.core.inputs import ActAccepted, ActEnded
from issuance_server.core.pin_policy import TRIES_MAX, CardState
from issuance_server.core.records import ActOutcome
from issuance_server.ports import Clock
from protocol.codec import UNREADABLE
from protocol.errors import AdapterError, KeyManagementError, KofuError

_DIGEST = re.compile(r"[0-9a-f]{64}")


class ControlDesk:
    """One per process that serves commands.

    Attributes:
        live: gives what only a running server knows of itself; None: none runs here.
    """

    def __init__(
        self,
        *,
        queries: Queries,
        judge: JudgeClient,
        believed: Believed,
        record: Callable[[ActAccepted | ActEnded], Awaitable[None]],
        clock: Clock,
        log: Callable[..., None],
    ) -> None:
        self._queries = queries
        self._judge = judge
        self._check = ActCheck(ACTS, queries=queries, judge=judge, believed=believed, clock=clock)
        self._record = record
        self._clock = clock
        self._log = log
        self.live: Callable[[], wire.Live] | None = None
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
            case wire.ListCards(card_ref=card_ref):
                return wire.Cards(rows=await self._cards(card_ref))
            case wire.DrawCardChallenge(visit_id=visit_id):
                return await self._card_challenge(visit_id)
            case wire.ReadStatus():
                return await self._status()
            case wire.Act():
                async with self._acting:
                    await self._act(request)
                answer = ACTS[request.signed.act.act].answer
                return (
                    wire.Done()
                    if answer is None
                    else await answer(self._queries, self._clock.now(), request)
                )
        return await ANSWERS[type(request)](self._queries, self._clock.now(), request)

    async def _status(self) -> wire.Status:
        fetch = self._queries.reader.all
        return wire.Status(
            live=None if self.live is None else self.live(),
            stopped=await issuing_stop(fetch),
            declared=await declared_manifest(fetch),
        )

    async def _cards(self, card_ref: str | None) -> tuple[wire.CardRow, ...]:
        asked = await registered_cards(self._queries.reader, card_ref)
        if not asked:
            return ()
        states = {state.card_ref: state for state in await self._judge.card_states(card_ref)}
        return tuple(_card(card, states.get(card.card_ref)) for card in asked)

    async def _card_challenge(self, visit_id: bytes) -> wire.CardChallenge:
        """Give a challenge for a trial; each has a name of its own, so that none freezes."""
        terminal = TRIAL_TERMINAL_PREFIX + visit_id.hex()
        challenge = await self._judge.challenge(terminal, visit_id, 1)
        if challenge is None:
            raise KeyManagementError("this trial was made already; try the card again")
        return wire.CardChallenge(terminal=terminal, challenge=challenge)

    async def _act(self, request: wire.Act) -> None:
        asked = request.signed.act
        names = {"act": asked.act, "operator": asked.operator, "subject": _told(asked.subject)}
        at = RefusedAt.SIGNATURE
        try:
            found = self._check.signed(request)
            kind, at = found.kind, RefusedAt.CHECK
            act = await self._check.check(request, found)
            at = RefusedAt.RECORD
            await self._record(act)
            at = RefusedAt.DECISION
            refusal = None if kind.refusal is None else kind.refusal(act.change)
            if refusal is not None:
                raise refusal
            await self._check_outcome(act)
            at = RefusedAt.CARRYING_OUT
            if kind.carry_out is not None and act.change is None:
                await self._carry_out(kind.carry_out, request, act)
        except KofuError:
            self._log("control.act_refused", **names, reason=at.value)
            raise
        self._log("control.act_done", **names)
        if kind.done_event is not None:
            about = {kind.subject_field: act.subject}
            by = {} if act.second is None else {"second": act.second}
            self._log(kind.done_event, **about, operator=act.operator, reason=act.reason, **by)

    async def _check_outcome(self, act: ActAccepted) -> None:
        """Tell the operator if the act was refused where it was recorded."""
        reason = await self._queries.refusal_of(act.nonce)
        if reason is not None:
            raise KeyManagementError(reason)

    async def _carry_out(
        self,
        carry_out: CarryOut,
        request: wire.Act,
        act: ActAccepted,
    ) -> None:
        """Have it done, and record what came of it."""
        try:
            change = await carry_out(self._judge, request)
        except KofuError as error:
            unknown = isinstance(error, AdapterError)  # it may have done it and died
            outcome = ActOutcome.UNKNOWN if unknown else ActOutcome.REFUSED
            await self._record(ActEnded(nonce=act.nonce, outcome=outcome, reason=str(error)))
            raise
        await self._record(ActEnded(nonce=act.nonce, outcome=ActOutcome.DONE, change=change))


def _told(subject: str) -> str:
    """Return the ids of an act's subject, without the digests behind them.

    They bind what comes with the act; the digest of a resident's number would tell the number to
    whoever reads the log and tries all of them.
    """
    words = [word for word in subject.split(" ") if not _DIGEST.fullmatch(word)]
    return " ".join(words) or subject


def _card(card: RegisteredCard, state: CardState | None) -> wire.CardRow:
    """A card that the judge does not list has all its tries; a certified one counts alone."""
    certified = card.kind == CardKind.MYNUMBER.value
    locked = state is not None and state.locked
    word = "locked" if locked else "usable"
    if card.withdrawn_at_ms is not None:
        word = "withdrawn"
    tries_left = TRIES_MAX if state is None else state.tries_left
    return wire.CardRow(
        card_ref=card.card_ref,
        kind=card.kind,
        state=word,
        tries_left=None if certified or word == "withdrawn" else tries_left,
        registered_at_ms=card.registered_at_ms,
        usable_from=card.usable_from,
        serial=card.certificate_serial,
        locked_at_ms=state.locked_at_ms if state is not None else None,
    )
