"""Records of issuances.

An issuance counts in one day, in which it ends; ``day`` names it (``YYYY-MM-DD``) where that is.
"""

from enum import Enum

from issuance_server.core.records.base import Record
from issuance_server.core.refusals import Refusal
from protocol.codes import ReplyCode
from protocol.kinds import Kind, Options
from protocol.terminal_statements import FailureCause, PrintOutcome


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
        release_until_ms: real time of closing and its grace, as the tables stood; None: not soon.
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
    release_until_ms: int | None = None


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
    """The last check held; the key was handed out, the fee is held, the numbers are valid.

    Attributes:
        issuance_id: whose.
        amount_yen: what was paid.
        deadline_ms: until when the report must come.
        stand_in: whether stand-in operation was declared, so that the copy may have been old.
    """

    issuance_id: bytes
    amount_yen: int
    deadline_ms: int
    stand_in: bool = False


class PrintReported(Record, frozen=True, kw_only=True, tag="print-reported"):
    """The terminal's signed word on the paper; decides over the fee.

    ``business_ms`` is the city's business time of it; older records have none.
    """

    issuance_id: bytes
    outcome: PrintOutcome
    sheets_out: int
    sheets_unknown: bool
    cause: FailureCause
    reported_at_ms: int
    signature: bytes
    deadline_ms: int
    business_ms: int | None = None


class DeletionReported(Record, frozen=True, kw_only=True, tag="deletion-reported"):
    """The terminal's signed word that spool and key are erased there."""

    issuance_id: bytes
    reported_at_ms: int
    signature: bytes


class KeyDestroyed(Record, frozen=True, kw_only=True, tag="key-destroyed"):
    """The server's wrapped key is off the disk; with the terminal's word the issuance ends."""

    issuance_id: bytes
    day: str


class IssuanceWithdrawn(Record, frozen=True, kw_only=True, tag="issuance-withdrawn"):
    """Ended before any release; its numbers stay void for ever.

    ``refusal`` is the reason of the registers, where it is theirs; the terminal is told the code.
    """

    issuance_id: bytes
    day: str
    code: ReplyCode
    refusal: Refusal | None = None


class IssuanceUnconfirmed(Record, frozen=True, kw_only=True, tag="issuance-unconfirmed"):
    """Released, and no word came in time: an operator's problem."""

    issuance_id: bytes
    deadline_ms: int


class DeletionOverdue(Record, frozen=True, kw_only=True, tag="deletion-overdue"):
    """Printed or failed, and the deletion has not been recorded in time."""

    issuance_id: bytes
    deadline_ms: int


class ClosedFee(Enum):
    """What two operators find about the fee of an issuance of which no word comes."""

    EARNED = "earned"  # the paper is out
    RETURNED = "returned"  # it is not, or not whole


class IssuanceClosed(Record, frozen=True, kw_only=True, tag="issuance-closed"):
    """Closed by two operators with a reason; no word will come any more."""

    issuance_id: bytes
    day: str
    operators: tuple[str, str]
    reason: str
    fee: ClosedFee
