"""The server's side of the PIN judge: asks, checks what comes back, and holds no PIN."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar, final

from issuance_server.adapters.build import BuildCheck
from issuance_server.adapters.child_process import Child
from issuance_server.adapters.pin_judge import wire
from issuance_server.core.card_registration import SealedCard
from issuance_server.core.pin_policy import (
    CARD_STATES_PER_PAGE,
    AnyAttempt,
    CardState,
    JudgeEvent,
    Verdict,
)
from keys.city_folder import CityFolder
from keys.key_record import Purpose
from keys.operators import SignedAct
from keys.trust import CityTrust
from protocol.codes import ReplyCode
from protocol.errors import AdapterError, KeyManagementError
from protocol.statements import signature_holds

JUDGE_MODULE = "issuance_server.adapters.pin_judge"
JUDGE_WAIT_MS_MAX = 10_000
"""Two flushed commits take milliseconds; a judge that takes this long is not to be waited for."""

_A = TypeVar("_A", bound=wire.Answer)


@final
class JudgeClient:
    """Asks the judge's process. Every method raises ``AdapterError`` when there is no answer.

    A verdict that was not answered may have been given: the same attempt is asked again, and the
    judge answers as it did, or would have.
    """

    def __init__(
        self,
        child: Child,
        *,
        verdict_keys: Callable[[], Sequence[bytes]],
        wait_ms_max: int = JUDGE_WAIT_MS_MAX,
    ) -> None:
        """Take a judge's process.

        Args:
            child: the judge; not yet started.
            verdict_keys: returns the public keys that a verdict may be signed under, 32 bytes
                each; asked for every verdict, for a judge takes up a new key without a restart.
            wait_ms_max: how long an answer may take.
        """
        self._child = child
        self._verdict_keys = verdict_keys
        self._wait_ms_max = wait_ms_max
        self._collected_up_to = 0

    @classmethod
    def of_city(
        cls,
        *,
        store: Path,
        keys: CityFolder,
        city: str,
        on_restart: Callable[[int], None] = lambda _exit_status: None,
        build: BuildCheck | None = None,
    ) -> Self:
        """Prepare a city's judge; ``start`` starts its process.

        Args:
            store: the judge's own database.
            keys: the city's key folder; the judge reads ``judge/``, its storage key, ``trust/``
                and the public keys in ``operators/``.
            city: municipality code, 6 digits.
            on_restart: called with the exit status when the judge died and its successor answers.
            build: what program the judge has to run.
        """
        arguments = (
            *("--store", str(store), "--keys", str(keys.root)),
            *("--storage", str(keys.storage), "--operators", str(keys.operators)),
            *("--city", city),
        )
        child = Child(module=JUDGE_MODULE, arguments=arguments, on_restart=on_restart, build=build)
        return cls(child, verdict_keys=lambda: _announced_keys(keys))

    async def start(self) -> None:
        """Start the judge and wait until it judges.

        Raises:
            AdapterError: it could not start; it has told why on standard error.
        """
        await self._child.start()

    async def stop(self) -> None:
        """End the judge; what is under way may finish."""
        await self._child.stop()

    @property
    def running(self) -> bool:
        """Whether the judge answers now."""
        return self._child.running.is_set()

    async def challenge(self, terminal: str, visit_id: bytes, attempt: int) -> bytes | None:
        """Return the challenge of an attempt.

        Args:
            terminal: the terminal's id.
            visit_id: 16 bytes.
            attempt: 1 and up, per visit.

        Returns:
            32 bytes, good once and for 60 s; the same ones when asked again before that. None when
            the attempt was made already.

        Raises:
            AdapterError: as always; or too many challenges are out.
        """
        request = wire.AskChallenge(terminal=terminal, visit_id=visit_id, attempt=attempt)
        answer = await self._ask(request)
        if isinstance(answer, wire.Refused) and answer.code is ReplyCode.KEY_REUSED:
            return None
        return _expected(answer, wire.ChallengeIs).challenge

    async def judge(self, attempt: AnyAttempt) -> Verdict:
        """Have an attempt judged.

        Returns:
            the verdict, signed by the judge for this attempt and this request.

        Raises:
            AdapterError: as always; or the verdict is about something else, or not the judge's.
        """
        return self._checked(await self._ask(wire.AskVerdict(asked=attempt)), attempt)

    def _checked(self, answer: wire.Answer, attempt: AnyAttempt) -> Verdict:
        """Return a verdict that is the judge's, about this attempt."""
        signed = _expected(answer, wire.VerdictIs).signed
        stated = signed.verdict.statement()
        if not any(signature_holds(key, signed.signature, stated) for key in self._verdict_keys()):
            raise AdapterError("a verdict does not carry the PIN judge's signature")
        if not signed.verdict.answers(attempt):
            raise AdapterError("the PIN judge answered another attempt than was asked")
        return signed.verdict

    async def trial(self, signed: SignedAct, attempt: AnyAttempt) -> Verdict:
        """Have an attempt at the counter judged: act ``card.register-try``.

        Raises:
            KeyManagementError: the judge does not accept the act; the text says why.
        """
        answer = await self._ask(wire.AskTrial(signed=signed, asked=attempt))
        if isinstance(answer, wire.ActRefused):
            raise KeyManagementError(answer.reason)
        return self._checked(answer, attempt)

    async def counter_act(
        self,
        signed: SignedAct,
        second: SignedAct | None = None,
        card: SealedCard | None = None,
    ) -> None:
        """Have something done with a card, see ``pin_judge.counter``.

        Args:
            signed: an operator's act.
            second: the same of another operator, where it takes two.
            card: card and PIN, where the act brings them.

        Raises:
            KeyManagementError: the judge does not accept the act; the text says why.
        """
        await self._act(wire.AskCounter(signed=signed, second=second, card=card))

    async def unfreeze(self, signed: SignedAct) -> None:
        """Let a frozen terminal go on: act ``terminal.unfreeze``, subject the terminal's id.

        Raises:
            KeyManagementError: the judge does not accept the act; the text says why.
        """
        await self._act(wire.AskUnfreeze(signed=signed))

    async def card_states(self, card_ref: str | None = None) -> tuple[CardState, ...]:
        """Return one card's state (none if it is unknown), or of all that have not all tries."""
        states: list[CardState] = []
        while True:
            after = states[-1].card_ref if states else ""
            answer = await self._ask(wire.AskCardStates(card_ref=card_ref, after=after))
            page = _expected(answer, wire.CardStatesAre).states
            states += page
            if card_ref is not None or len(page) < CARD_STATES_PER_PAGE:
                return tuple(states)

    async def card_known(self, card_ref: str) -> bool:
        """Tell whether a card of this reference is registered."""
        return bool(await self.card_states(card_ref))

    async def collect_events(self) -> list[JudgeEvent]:
        """Return what happened to cards and terminals since the last call, oldest first.

        Calling again says that the events of the last call are safe in the journal: only then the
        judge forgets them. After a restart of the server the last ones may come a second time,
        with the same number.
        """
        answer = await self._ask(wire.AskEvents(collected_up_to=self._collected_up_to))
        events = list(_expected(answer, wire.EventsAre).events)
        if events:
            self._collected_up_to = events[-1].number
        return events

    async def _act(self, request: wire.AskCounter | wire.AskUnfreeze) -> None:
        answer = await self._ask(request)
        if isinstance(answer, wire.ActRefused):
            raise KeyManagementError(answer.reason)
        _expected(answer, wire.ActDone)

    async def _ask(self, request: wire.Request) -> wire.Answer:
        return wire.decode_answer(await self._child.ask(wire.encode(request), self._wait_ms_max))


def _announced_keys(keys: CityFolder) -> Sequence[bytes]:
    try:
        return CityTrust.load(keys.trust).accepted(Purpose.VERDICT, datetime.now(UTC))
    except KeyManagementError as error:
        raise AdapterError(f"the PIN judge's public keys cannot be read: {error}") from None


def _expected(answer: wire.Answer, kind: type[_A]) -> _A:
    if isinstance(answer, kind):
        return answer
    if isinstance(answer, wire.Refused):
        raise AdapterError(f"the PIN judge refused: {answer.code.name}")
    raise AdapterError("the PIN judge answered something else than was asked")
