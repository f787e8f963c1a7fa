"""Checks what an operator wants done, wholly, before anything of it is recorded.

Every refusal names the way out. An act that is done by being recorded comes back with the change
that it makes.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from issuance_server.adapters.pin_judge.client import JudgeClient
from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.control import wire
from issuance_server.core import inputs as i
from issuance_server.core.card_registration import BegunRegistration, CardChange
from issuance_server.core.facts import Now
from issuance_server.ports import Clock
from keys.operators import OperatorAct, OperatorRing
from protocol.errors import KeyManagementError, KofuError


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """Whose signatures count.

    Attributes:
        operators: gives the operators as they are now.
        authority_certificate: of the city's line authority, in PEM form.
    """

    operators: Callable[[], OperatorRing]
    authority_certificate: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the check of an act may look at.

    Attributes:
        act: the act, its signature checked.
        brought: what came with it.
        now: the two times.
        queries: the city's records.
        judge: the PIN judge.
        believed: whose signatures count.
        second: the name of the second operator, where the act takes two.
    """

    act: OperatorAct
    brought: wire.Brought | None
    now: Now
    queries: Queries
    judge: JudgeClient
    believed: Believed
    second: str | None = None


Check: TypeAlias = Callable[[Asked], Awaitable[i.Change | None]]
"""Checks what is special to an act, and returns what recording it changes; None if somebody else
is to carry it out. Raises ``KofuError`` to refuse it."""


CarryOut: TypeAlias = Callable[
    [JudgeClient, wire.Act], Awaitable[BegunRegistration | CardChange | None]
]
"""Has an act done elsewhere, and returns what that changes here, to be recorded with its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActKind:
    """One act that operators can do.

    Attributes:
        check: what is special to it.
        carry_out: who does it, where recording it is not doing it; it is skipped if the check
            found that recording does it all.
        refusal: says why an act that was recorded is refused all the same.
        of_two: whether it takes two operators with keys of their own.
        answer: what is told when it is done, of an act that only reads what is not everybody's.
        done_event: log event beside ``control.act_done``, with operator and reason.
        subject_field: under which name that event has the subject.
    """

    check: Check
    carry_out: CarryOut | None = None
    refusal: Callable[[i.Change | None], KofuError | None] | None = None
    of_two: bool = False
    answer: Callable[[Queries, Now, wire.Act], Awaitable[wire.Answer]] | None = None
    done_event: str | None = None
    subject_field: str = "subject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An act whose signatures are good, and which is not looked at yet.

    Attributes:
        kind: what sort of act it is.
        act: of the first or only operator.
        second: of the second one.
        now: the two times at which the signatures were checked.
    """

    kind: ActKind
    act: OperatorAct
    second: OperatorAct | None
    now: Now


class RefusedAt(Enum):
    """How far an act came that was refused: the word for the log.

    The sentence goes to the operator alone, for it may name a resident or a household.
    """

    SIGNATURE = "signature"  # no such act, or not signed by who may do it
    CHECK = "check"  # not as things are: no such card or resident, done already, not complete
    RECORD = "record"  # it could not be recorded
    DECISION = "decision"  # refused in the transaction that recorded it
    CARRYING_OUT = "carrying-out"  # whoever was to do it refused, or did not answer


class ActCheck:
    """Checks acts against the operators, the stores and the clock."""

    def __init__(
        self,
        acts: Mapping[str, ActKind],
        *,
        queries: Queries,
        judge: JudgeClient,
        believed: Believed,
        clock: Clock,
    ) -> None:
        """Take what acts are checked against.

        Args:
            acts: those that there are, by name.
            queries: the city's records.
            judge: the PIN judge.
            believed: whose signatures count.
            clock: for the end of a signature.
        """
        self._acts = acts
        self._queries = queries
        self._judge = judge
        self._believed = believed
        self._clock = clock

    def signed(self, request: wire.Act) -> Signed:
        """Return an act whose signatures are good.

        Raises:
            KofuError: there is no such act, or a signature is not good; the text says which.
        """
        asked = request.signed.act
        kind = self._acts.get(asked.act)
        if kind is None:
            raise KeyManagementError(f"{asked.act} is no act of this server")
        now = self._clock.now()
        act, second = self._verified(request, kind, now.real_ms)
        return Signed(kind=kind, act=act, second=second, now=now)

    async def check(self, request: wire.Act, found: Signed) -> i.ActAccepted:
        """Return the act, ready to be recorded.

        Args:
            request: the act with what comes with it.
            found: what ``signed`` returned of it.

        Raises:
            KofuError: it is refused; the text says why, and what to do.
        """
        act, second = found.act, found.second
        if await self._queries.nonce_used(act.nonce):
            raise KeyManagementError("this act was carried out before; sign a new one")
        change = await found.kind.check(
            Asked(
                act=act,
                brought=request.brought,
                now=found.now,
                queries=self._queries,
                judge=self._judge,
                believed=self._believed,
                second=None if second is None else second.operator,
            )
        )
        return i.ActAccepted(
            operator=act.operator,
            second=None if second is None else second.operator,
            act=act.act,
            subject=act.subject,
            reason=act.reason,
            nonce=act.nonce,
            change=change,
        )

    def _verified(
        self, request: wire.Act, kind: ActKind, now_ms: int
    ) -> tuple[OperatorAct, OperatorAct | None]:
        """Check the signatures of the one or two operators."""
        claimed, ring = request.signed.act, self._believed.operators()
        if not kind.of_two:
            return ring.verify(
                request.signed, now_ms, act=claimed.act, subject=claimed.subject
            ), None
        if request.second is None:
            raise KeyManagementError(
                f"{claimed.act} takes two operators with keys of their own; name the other one:"
                " --second-operator"
            )
        return ring.verify_two(
            request.signed, request.second, now_ms, act=claimed.act, subject=claimed.subject
        )


def incomplete() -> KeyManagementError:
    """Return the refusal of an act without what belongs to it."""
    return KeyManagementError("the act comes without what belongs to it")


def check_subject(act: OperatorAct, subject: str) -> None:
    """Check that what came with an act is what its operator signed.

    Raises:
        KeyManagementError: it is something else.
    """
    if act.subject != subject:
        raise KeyManagementError(
            "the operator signed this act for something else than what comes with it; sign it again"
        )
