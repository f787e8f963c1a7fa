"""Records of visits."""

import msgspec

from issuance_server.core.records.base import Record
from issuance_server.core.refusals import Refusal
from protocol.codes import ReplyCode
from protocol.kinds import Kind


class VisitBegun(Record, frozen=True, kw_only=True, tag="visit-begun"):
    """A visit was opened by its first ``begin``."""

    visit_id: bytes
    terminal: str
    deadline_ms: int


class ChallengeIssued(Record, frozen=True, kw_only=True, tag="challenge-issued"):
    """A challenge of the PIN judge went out for one attempt."""

    visit_id: bytes
    attempt: int
    challenge: bytes


class AttemptMade(Record, frozen=True, kw_only=True, tag="attempt-made"):
    """An attempt went to the PIN judge."""

    visit_id: bytes
    attempt: int
    digest: bytes


class WithheldKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind that is issued there, but not to this holder, and why."""

    kind: Kind
    refusal: Refusal


class AttemptJudged(Record, frozen=True, kw_only=True, tag="attempt-judged"):
    """The verdict of the PIN judge.

    Attributes:
        visit_id: the visit.
        attempt: which attempt of it.
        code: ``DONE`` for the right PIN, otherwise why not.
        card_ref: the card's random reference, if the card was accepted.
        resident_id: 宛名番号 of the holder after the right PIN.
        register_version: the register version that the menu is about.
        kinds: what the menu offers.
        tries_left: after a wrong PIN.
        refusal: why the registers refuse the holder, where they do; the terminal is told the code.
        withheld: what the menu names as not to be had, by reasons of the registers.
    """

    visit_id: bytes
    attempt: int
    code: ReplyCode
    card_ref: str | None = None
    resident_id: str | None = None
    register_version: int | None = None
    kinds: tuple[Kind, ...] = ()
    tries_left: int | None = None
    refusal: Refusal | None = None
    withheld: tuple[WithheldKind, ...] = ()


class VisitEnded(Record, frozen=True, kw_only=True, tag="visit-ended"):
    """The card has left, or the visit's time is over."""

    visit_id: bytes
    cause: str


class ApplicationRefused(Record, frozen=True, kw_only=True, tag="application-refused"):
    """An application was refused before an issuance came of it.

    ``refusal`` is the reason of the registers, where it is theirs; the terminal is told the code.
    """

    issuance_id: bytes
    visit_id: bytes
    kind: Kind
    code: ReplyCode
    refusal: Refusal | None = None
