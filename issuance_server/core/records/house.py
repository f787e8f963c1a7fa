"""Records of what operators and the PIN judge do."""

from enum import Enum

from issuance_server.core.pin_policy import JudgeEventName
from issuance_server.core.records.base import HouseRecord, Record


class OperatorActed(HouseRecord, frozen=True, kw_only=True, tag="operator-acted"):
    """A named operator wants something changed, with a reason; ``OperatorActEnded`` follows.

    Without that the process died in between, and whether it was done shows where it was to be done.
    Some acts take a ``second`` operator.
    """

    operator: str
    second: str | None = None
    act: str
    subject: str
    reason: str
    nonce: bytes


class ActOutcome(Enum):
    """How an operator's act ended."""

    DONE = "done"
    REFUSED = "refused"  # by whoever was to carry it out; nothing was changed
    UNKNOWN = "unknown"  # whoever was to carry it out did not answer


class OperatorActEnded(HouseRecord, frozen=True, kw_only=True, tag="operator-act-ended"):
    """What came of an operator's act.

    Attributes:
        nonce: of the act.
        outcome: whether it was done.
        reason: why not.
    """

    nonce: bytes
    outcome: ActOutcome
    reason: str | None = None


class JudgeReported(Record, frozen=True, kw_only=True, tag="judge-reported"):
    """Something happened to a card or a terminal at the PIN judge.

    Attributes:
        number: the event's at the judge; each is recorded once.
        reported_at_ms: the judge's clock.
        event: what happened, one of ``JudgeEventName``.
        card_ref: the card's random reference, where it is about one.
        terminal: the terminal's id, where there is one.
        tries_left: of the card, where it is about one.
        operator: who did it, where it was somebody's act.
    """

    number: int
    reported_at_ms: int
    event: JudgeEventName
    card_ref: str | None = None
    terminal: str | None = None
    tries_left: int | None = None
    operator: str | None = None
