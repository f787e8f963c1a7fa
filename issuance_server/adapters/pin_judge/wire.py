"""What server and judge say to each other between their processes, in MessagePack."""

import msgspec

from issuance_server.core.card_registration import SealedCard
from issuance_server.core.pin_policy import AnyAttempt, CardState, JudgeEvent, SignedVerdict
from keys.operators import SignedAct
from protocol.codes import ReplyCode
from protocol.errors import AdapterError, MalformedTelegram
from protocol.fields import Attempt, Challenge32, Count, Id, Name, ShortText


class _Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message; its tag says which."""


class AskChallenge(_Message, frozen=True, kw_only=True, tag="challenge?"):
    """Wants the challenge of an attempt."""

    terminal: Name
    visit_id: Id
    attempt: Attempt


class AskVerdict(_Message, frozen=True, kw_only=True, tag="verdict?"):
    """Wants an attempt judged."""

    asked: AnyAttempt


class AskCounter(_Message, frozen=True, kw_only=True, tag="counter?"):
    """Wants something done with a card.

    Attributes:
        signed: an operator's act.
        second: the same of another operator, where it takes two.
        card: what comes with it.
    """

    signed: SignedAct
    second: SignedAct | None = None
    card: SealedCard | None = None


class AskTrial(_Message, frozen=True, kw_only=True, tag="trial?"):
    """Wants an attempt at the counter judged, to register a card."""

    signed: SignedAct
    asked: AnyAttempt


class AskUnfreeze(_Message, frozen=True, kw_only=True, tag="unfreeze?"):
    """Wants a frozen terminal to go on."""

    signed: SignedAct


class AskCardStates(_Message, frozen=True, kw_only=True, tag="cards?"):
    """Wants one card's state, or a page of those that have not all their tries.

    Attributes:
        card_ref: the card; None for the page.
        after: the page begins after this reference.
    """

    card_ref: Name | None = None
    after: ShortText = ""


class AskEvents(_Message, frozen=True, kw_only=True, tag="events?"):
    """Wants the events after a number, and says that those up to it are safe."""

    collected_up_to: Count


class ChallengeIs(_Message, frozen=True, kw_only=True, tag="challenge"):
    """The challenge."""

    challenge: Challenge32


class VerdictIs(_Message, frozen=True, kw_only=True, tag="verdict"):
    """The verdict."""

    signed: SignedVerdict


class ActDone(_Message, frozen=True, kw_only=True, tag="done"):
    """The operator's act is done, on the disk."""


class ActRefused(_Message, frozen=True, kw_only=True, tag="act-refused"):
    """The operator's act was not done.

    Attributes:
        reason: a sentence for the operator; it holds nothing but what the act said.
    """

    reason: str


class CardStatesAre(_Message, frozen=True, kw_only=True, tag="cards"):
    """The states; a page that is not full is the last."""

    states: tuple[CardState, ...]


class EventsAre(_Message, frozen=True, kw_only=True, tag="events"):
    """The events, oldest first."""

    events: tuple[JudgeEvent, ...]


class Refused(_Message, frozen=True, kw_only=True, tag="refused"):
    """No answer, and the code that says why."""

    code: ReplyCode


Request = (
    AskChallenge | AskVerdict | AskTrial | AskCounter | AskUnfreeze | AskCardStates | AskEvents
)
Answer = ChallengeIs | VerdictIs | ActDone | ActRefused | CardStatesAre | EventsAre | Refused

_encoder = msgspec.msgpack.Encoder()
_request_decoder: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def encode(message: Request | Answer) -> bytes:
    """Return a message's bytes."""
    return _encoder.encode(message)


def decode_request(content: bytes) -> Request:
    """Return what is asked.

    Raises:
        MalformedTelegram: the bytes are no request; which field is not told.
    """
    try:
        return _request_decoder.decode(content)
    except msgspec.MsgspecError:
        raise MalformedTelegram("$") from None


def decode_answer(content: bytes) -> Answer:
    """Return what is answered.

    Raises:
        AdapterError: the bytes are no answer.
    """
    try:
        return _answer_decoder.decode(content)
    except msgspec.MsgspecError:
        raise AdapterError("the PIN judge's answer is damaged") from None
