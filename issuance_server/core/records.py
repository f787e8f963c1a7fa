"""What the journal holds: one record for every decision, from which the state is folded.

Records hold ids, codes, times, amounts and digests; never a PIN, a key, a name or a body. The state
of a visit or an issuance changes only by evolving a record, so that a restart, a replay and an
ordinary step are the same thing.
"""

from enum import Enum
from typing import TypeAlias

import msgspec

from issuance_server.core.pin_policy import JudgeEventName
from protocol.codes import ReplyCode
from protocol.kinds import Kind, Options
from protocol.terminal_statements import FailureCause, PrintOutcome


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="record"):
    """What all records share.

    Attributes:
        at_ms: real time of the decision, milliseconds since 1970 UTC.
    """

    at_ms: int


class LineOpened(Record, frozen=True, kw_only=True, tag="line-opened"):
    """A terminal took up business; its counters start at zero."""

    terminal: str
    software: str


class LineClosed(Record, frozen=True, kw_only=True, tag="line-closed"):
    """A terminal ended business; whether its counters agreed with ours."""

    terminal: str
    counters_agree: bool


class LineStopped(Record, frozen=True, kw_only=True, tag="line-stopped"):
    """An integrity alarm stopped a terminal's line; reopening is for people."""

    terminal: str
    issuance_id: bytes
    reason: str


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
    """

    visit_id: bytes
    attempt: int
    code: ReplyCode
    card_ref: str | None = None
    resident_id: str | None = None
    register_version: int | None = None
    kinds: tuple[Kind, ...] = ()
    tries_left: int | None = None


class VisitEnded(Record, frozen=True, kw_only=True, tag="visit-ended"):
    """The card has left, or the visit's time is over."""

    visit_id: bytes
    cause: str


class ApplicationRefused(Record, frozen=True, kw_only=True, tag="application-refused"):
    """An application was refused before an issuance came of it."""

    issuance_id: bytes
    visit_id: bytes
    kind: Kind
    code: ReplyCode


class IssuanceApplied(Record, frozen=True, kw_only=True, tag="issuance-applied"):
    """An issuance was opened and its numbers reserved.

    Attributes:
        issuance_id: made by the terminal.
        visit_id: the visit it belongs to.
        terminal: the terminal's id.
        card_ref: the card's random reference.
        resident_id: the holder.
        kind: what was applied for.
        options: as chosen.
        copies: how many.
        fee_yen: for all copies.
        request_digest: SHA-256 of the ``apply`` telegram.
        business_day: day of the numbers, ``YYYY-MM-DD``.
        numbers: 発行番号 of each copy, without page numbers.
        last_serial: the highest serial of the day that this took.
        register_version: of the household, as read in this transaction.
        record_version: of the record that the kind is made of beside the household, likewise.
        business_ms: business time of the application.
        deadline_ms: until when it must be rendered.
    """

    issuance_id: bytes
    visit_id: bytes
    terminal: str
    card_ref: str
    resident_id: str
    kind: Kind
    options: Options
    copies: int
    fee_yen: int
    request_digest: bytes
    business_day: str
    numbers: tuple[str, ...]
    last_serial: int
    register_version: int
    record_version: int | None = None
    business_ms: int
    deadline_ms: int


class IssuanceQuoted(Record, frozen=True, kw_only=True, tag="issuance-quoted"):
    """The certificate is rendered and sealed; the quotation went out."""

    issuance_id: bytes
    sheets: int
    file_digest: bytes
    pages: tuple[bytes, ...]
    sealed_bytes: int
    sealed_digest: bytes
    deadline_ms: int


class CiphertextHeld(Record, frozen=True, kw_only=True, tag="ciphertext-held"):
    """The terminal holds the sealed certificate; the server's body is erased."""

    issuance_id: bytes


class IssuanceReleased(Record, frozen=True, kw_only=True, tag="issuance-released"):
    """The last check held; the key was handed out, the fee is held, the numbers are valid."""

    issuance_id: bytes
    amount_yen: int
    deadline_ms: int


class PrintReported(Record, frozen=True, kw_only=True, tag="print-reported"):
    """The terminal's signed word on the paper; decides over the fee."""

    issuance_id: bytes
    outcome: PrintOutcome
    sheets_out: int
    sheets_unknown: bool
    cause: FailureCause
    reported_at_ms: int
    signature: bytes
    deadline_ms: int


class DeletionReported(Record, frozen=True, kw_only=True, tag="deletion-reported"):
    """The terminal's signed word that spool and key are erased there."""

    issuance_id: bytes
    reported_at_ms: int
    signature: bytes


class KeyDestroyed(Record, frozen=True, kw_only=True, tag="key-destroyed"):
    """The server's wrapped key is off the disk; with the terminal's word the issuance ends."""

    issuance_id: bytes


class IssuanceWithdrawn(Record, frozen=True, kw_only=True, tag="issuance-withdrawn"):
    """Ended before any release; its numbers stay void for ever."""

    issuance_id: bytes
    code: ReplyCode


class IssuanceUnconfirmed(Record, frozen=True, kw_only=True, tag="issuance-unconfirmed"):
    """Released, and no word came in time: an operator's problem."""

    issuance_id: bytes
    deadline_ms: int


class DeletionOverdue(Record, frozen=True, kw_only=True, tag="deletion-overdue"):
    """Printed or failed, and the deletion has not been recorded in time."""

    issuance_id: bytes
    deadline_ms: int


class IssuanceClosed(Record, frozen=True, kw_only=True, tag="issuance-closed"):
    """Closed by two operators with a reason; no word will come any more."""

    issuance_id: bytes
    operators: tuple[str, str]
    reason: str


class OperatorActed(Record, frozen=True, kw_only=True, tag="operator-acted"):
    """A named operator wants something changed, with a reason; ``OperatorActEnded`` follows.

    Without that the process died in between, and whether it was done shows where it was to be done.
    """

    operator: str
    act: str
    subject: str
    reason: str
    nonce: bytes


class ActOutcome(Enum):
    """How an operator's act ended."""

    DONE = "done"
    REFUSED = "refused"  # by whoever was to carry it out; nothing was changed
    UNKNOWN = "unknown"  # whoever was to carry it out did not answer


class OperatorActEnded(Record, frozen=True, kw_only=True, tag="operator-act-ended"):
    """What came of an operator's act.

    Attributes:
        nonce: of the act.
        outcome: whether it was done.
        reason: why not.
    """

    nonce: bytes
    outcome: ActOutcome
    reason: str | None = None


class TerminalRegistered(Record, frozen=True, kw_only=True, tag="terminal-registered"):
    """A new terminal is on the list.

    Attributes:
        terminal: its id.
        line_id: its line.
        fingerprint: SHA-256 of its first key certificate.
        report_public_key: the certificate's key, which checks its reports.
        until_ms: when the certificate expires.
        chain: who runs the store.
        store: the store's name.
        in_city: whether it stands in the city.
    """

    terminal: str
    line_id: bytes
    fingerprint: bytes
    report_public_key: bytes
    until_ms: int
    chain: str
    store: str
    in_city: bool


class TerminalRenewed(Record, frozen=True, kw_only=True, tag="terminal-renewed"):
    """A terminal has a further key certificate; those before it end at ``others_until_ms``."""

    terminal: str
    fingerprint: bytes
    report_public_key: bytes
    until_ms: int
    others_until_ms: int


class TerminalRevoked(Record, frozen=True, kw_only=True, tag="terminal-revoked"):
    """A terminal is off the list for ever, with all its key certificates."""

    terminal: str


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


AnyRecord: TypeAlias = (
    LineOpened
    | LineClosed
    | LineStopped
    | VisitBegun
    | ChallengeIssued
    | AttemptMade
    | AttemptJudged
    | VisitEnded
    | ApplicationRefused
    | IssuanceApplied
    | IssuanceQuoted
    | CiphertextHeld
    | IssuanceReleased
    | PrintReported
    | DeletionReported
    | KeyDestroyed
    | IssuanceWithdrawn
    | IssuanceUnconfirmed
    | DeletionOverdue
    | IssuanceClosed
    | OperatorActed
    | OperatorActEnded
    | TerminalRegistered
    | TerminalRenewed
    | TerminalRevoked
    | JudgeReported
)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyRecord] = msgspec.msgpack.Decoder(AnyRecord)


def encode_record(record: AnyRecord) -> bytes:
    """Return the record's bytes: a leaf of the audit tree."""
    return _encoder.encode(record)


def decode_record(packed: bytes) -> AnyRecord:
    """Read a record of the journal.

    Raises:
        msgspec.DecodeError: the journal is damaged.
    """
    return _decoder.decode(packed)


def subject_of(record: AnyRecord) -> bytes | None:
    """Return the id of the issuance, or else the visit, that the record is about.

    A refused application came to no issuance: it belongs to its visit, and is folded with it.
    """
    if isinstance(record, ApplicationRefused):
        return record.visit_id
    issuance_id: bytes | None = getattr(record, "issuance_id", None)
    visit_id: bytes | None = getattr(record, "visit_id", None)
    return issuance_id if issuance_id is not None else visit_id
