"""What the terminal's journal holds: ids, states, times, amounts, digests and counts.

Never a PIN, a key, a name or a body. A record is written before anything that follows from it
leaves the terminal; the state after a restart is what ``state.fold`` makes of all records.
"""

from enum import Enum
from typing import TypeAlias

import msgspec

from protocol.checkpoint import Checkpoint, Proof
from protocol.codes import ReplyCode
from protocol.fields import Copies, Count, Digest, Id, Name, Sheets, ShortText, TimeMs, Yen
from protocol.kinds import Kind
from protocol.terminal_statements import FailureCause


class Mismatch(Enum):
    """What of a release did not fit, when the terminal refused to print it."""

    SIGNATURE = "signature"
    ISSUANCE = "issuance"
    REQUEST = "request"
    KIND = "kind"
    OPTIONS = "options"
    NUMBERS = "numbers"
    SEAL = "seal"
    DOCUMENT = "document"
    FILE = "file"
    PAGES = "pages"
    SHEETS = "sheets"


class Doubt(Enum):
    """Why a city's audit record is doubted (TP-122)."""

    WITHHELD = "withheld"
    SIGNATURE = "signature"
    PUT_BACK = "put-back"
    REWRITTEN = "rewritten"


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="record"):
    """What all records share.

    Attributes:
        at_ms: the terminal's clock.
    """

    at_ms: TimeMs


class VisitOpened(Record, frozen=True, kw_only=True, tag="visit-opened"):
    """A card was inserted; the visit's id is stored before it is sent."""

    visit_id: Id


class VisitEnded(Record, frozen=True, kw_only=True, tag="visit-ended"):
    """The card was given back."""

    visit_id: Id


class CheckpointKept(Record, frozen=True, kw_only=True, tag="checkpoint-kept"):
    """A checkpoint of the city's audit record that grew from the one kept before."""

    checkpoint: Checkpoint


class DoubtRaised(Record, frozen=True, kw_only=True, tag="doubt-raised"):
    """The city showed what does not fit; the evidence, whole.

    Attributes:
        doubt: in which point.
        kept: what this terminal keeps.
        shown: what the city showed, if it showed anything.
        proof: what was to prove that the one grew from the other.
    """

    doubt: Doubt
    kept: Checkpoint | None = None
    shown: Checkpoint | None = None
    proof: Proof = ()


class DoubtDismissed(Record, frozen=True, kw_only=True, tag="doubt-dismissed"):
    """The operator takes the city's record as it is from now on.

    Attributes:
        reason: in the operator's words.
    """

    reason: ShortText


class OfIssuance(Record, frozen=True, kw_only=True):
    """A record about one issuance."""

    issuance_id: Id


class Applied(OfIssuance, frozen=True, kw_only=True, tag="applied"):
    """An application is about to be sent.

    Attributes:
        visit_id: the visit.
        kind: what was applied for.
        copies: how many of it.
        request_digest: SHA-256 of the plaintext of the ``apply``; the binding must name it.
    """

    visit_id: Id
    kind: Kind
    copies: Copies
    request_digest: Digest


class Quoted(OfIssuance, frozen=True, kw_only=True, tag="quoted"):
    """The city's quotation fits what was applied for; the fields are the quotation's."""

    fee_yen: Yen
    sheets: Sheets
    sealed_bytes: Count
    sealed_digest: Digest
    pieces: Count


class CiphertextHeld(OfIssuance, frozen=True, kw_only=True, tag="ciphertext-held"):
    """The whole sealed certificate is on the disk and has the digest of the quotation."""


class ReleaseAsked(OfIssuance, frozen=True, kw_only=True, tag="release-asked"):
    """*Release sent*: from now on the terminal behaves as if the key might have been given.

    Attributes:
        amount_yen: what the coin box holds for this issuance.
    """

    amount_yen: Yen


class ReleaseGranted(OfIssuance, frozen=True, kw_only=True, tag="release-granted"):
    """The key came. It is in memory only and lost with the process."""


class SheetStarted(OfIssuance, frozen=True, kw_only=True, tag="sheet-started"):
    """A sheet, counted from 1, is about to leave the printer."""

    sheet: Sheets


class SheetLaid(OfIssuance, frozen=True, kw_only=True, tag="sheet-laid"):
    """The sheet has left the printer."""

    sheet: Sheets


class Printed(OfIssuance, frozen=True, kw_only=True, tag="printed"):
    """All sheets are out, and with this record the fee is earned."""

    earned_yen: Yen


class PrintFailed(OfIssuance, frozen=True, kw_only=True, tag="print-failed"):
    """It will never print, or no further; with this record the money goes back.

    Attributes:
        sheets_out: sheets that left the printer; at least that many where ``sheets_unknown``.
        sheets_unknown: one more may have left.
        cause: why.
        mismatch: for ``BINDING_MISMATCH``, what did not fit.
        returned_yen: what the coin box gives back.
    """

    sheets_out: Sheets
    sheets_unknown: bool
    cause: FailureCause
    mismatch: Mismatch | None = None
    returned_yen: Yen


class Withdrawn(OfIssuance, frozen=True, kw_only=True, tag="withdrawn"):
    """It ended and no key was given; what the coin box may hold goes back.

    Attributes:
        cause: why, as the city is told.
        refusal: the city's reply code, if it was the city that refused.
        returned_yen: what the coin box gives back.
    """

    cause: FailureCause
    refusal: ReplyCode | None = None
    returned_yen: Yen


class SpoolErased(OfIssuance, frozen=True, kw_only=True, tag="spool-erased"):
    """Ciphertext and key are gone from this terminal."""


class ReportTaken(OfIssuance, frozen=True, kw_only=True, tag="report-taken"):
    """The city has the print report, or nothing to do with it (``unknown``, ``ended``).

    Attributes:
        answer: the state's name on the server, or the name of its reply code.
    """

    answer: Name


class DeletionTaken(OfIssuance, frozen=True, kw_only=True, tag="deletion-taken"):
    """The city has the deletion report, or nothing to do with it; the issuance has ended."""

    answer: Name


IssuanceRecord: TypeAlias = (
    Applied
    | Quoted
    | CiphertextHeld
    | ReleaseAsked
    | ReleaseGranted
    | SheetStarted
    | SheetLaid
    | Printed
    | PrintFailed
    | Withdrawn
    | SpoolErased
    | ReportTaken
    | DeletionTaken
)
WitnessRecord: TypeAlias = CheckpointKept | DoubtRaised | DoubtDismissed
AnyRecord: TypeAlias = VisitOpened | VisitEnded | WitnessRecord | IssuanceRecord
