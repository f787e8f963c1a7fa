"""What can happen to the switch: telegrams of terminals, answers of helpers, people, and time."""

from dataclasses import dataclass
from typing import TypeAlias

from issuance_server.core.card_registration import BegunRegistration, CardChange
from issuance_server.core.copy_changes import CopyChange
from issuance_server.core.day_changes import DayChange
from issuance_server.core.domicile_changes import DomicileChange
from issuance_server.core.issuing_changes import IssuingChange
from issuance_server.core.notice_changes import Subscribing, Unsubscribing
from issuance_server.core.pin_policy import JudgeEvent, Verdict
from issuance_server.core.records import ActOutcome, Evidence
from issuance_server.core.suppression import LiftedSuppression, NewSuppression
from issuance_server.core.terminal_place import TerminalClass
from protocol.codes import ReplyCode
from protocol.domicile_telegrams import AskDomicile, RegisterDomicile
from protocol.telegrams import (
    Apply,
    Begin,
    Cancel,
    Close,
    EndVisit,
    Fetch,
    Held,
    LineTest,
    Open,
    Release,
    RequestRef,
)
from protocol.terminal_statements import DeletionReport, PrintReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request of a terminal that holds no secret and no signature.

    Attributes:
        terminal: who asks, as its key certificate says.
        ref: the copy to answer.
        telegram: the request.
    """

    terminal: str
    ref: RequestRef
    telegram: (
        Open
        | Begin
        | Apply
        | Fetch
        | Held
        | Release
        | Cancel
        | EndVisit
        | Close
        | LineTest
        | RegisterDomicile
        | AskDomicile
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticated:
    """An ``authenticate`` came in; card number and PIN block stay in the runtime, under its ref."""

    terminal: str
    ref: RequestRef
    visit_id: bytes
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A print report, its signature checked with the terminal's registered key."""

    terminal: str
    ref: RequestRef
    report: PrintReport
    signature: bytes
    signature_good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A deletion report, its signature checked with the terminal's registered key."""

    terminal: str
    ref: RequestRef
    report: DeletionReport
    signature: bytes
    signature_good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedAsked:
    """A request came through the seal but fits no telegram."""

    terminal: str
    ref: RequestRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeDrawn:
    """The PIN judge answered; None where it gives none for this attempt (used, or unreachable)."""

    visit_id: bytes
    attempt: int
    challenge: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictGiven:
    """The PIN judge's verdict, its signature checked; None where the judge is out of reach."""

    visit_id: bytes
    attempt: int
    verdict: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A certificate was made and sealed.

    Attributes:
        issuance_id: whose.
        register_version: the household's version that it was rendered from.
        record_version: that of the record that the kind needs beside the household.
        sheets: of all copies together.
        file_digest: SHA-256 of the PDF.
        pages: page digests.
        sealed_bytes: length of the ciphertext.
        sealed_digest: SHA-256 of the ciphertext.
        key_day: the day key that wraps the content key, ``YYYY-MM-DD``.
        wrapped_key: the wrapped content key.
    """

    issuance_id: bytes
    register_version: int
    record_version: int | None = None
    sheets: int
    file_digest: bytes
    pages: tuple[bytes, ...]
    sealed_bytes: int
    sealed_digest: bytes
    key_day: str
    wrapped_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderingFailed:
    """No certificate could be made.

    Attributes:
        issuance_id: whose.
        code: what the resident is told.
        reason: machine-readable word for the log.
    """

    issuance_id: bytes
    code: ReplyCode
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFailed:
    """The city's own gate found another document than was ordered; nothing of it is used.

    Attributes:
        issuance_id: whose it should have been.
        terminal: for which terminal.
        fault: what is not as ordered, as a word.
    """

    issuance_id: bytes
    terminal: str
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceNotKept:
    """A kind of evidence could not be kept for longer than its bound."""

    evidence: Evidence
    lost_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceKeptAgain:
    """It can be kept again, after so long."""

    evidence: Evidence
    lost_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysDestroyed:
    """The wrapped keys of these issuances are off the disk."""

    issuance_ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted:
    """The journal is folded. What only memory held (bodies, waiting requests) is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainBegun:
    """予備閉局: no new visits and issuances; those under way finish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Woken:
    """Time has passed: the deadline that the switch named, or later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCertificate:
    """A terminal's key certificate, checked against the city's authority.

    Attributes:
        terminal: the id that it names.
        line_id: the line that it names, 8 bytes.
        fingerprint: SHA-256 of its DER form.
        report_public_key: its Ed25519 key, 32 bytes.
        until_ms: when it expires.
    """

    terminal: str
    line_id: bytes
    fingerprint: bytes
    report_public_key: bytes
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A terminal comes onto the list, with the place where it stands."""

    certificate: NewCertificate
    chain: str
    store: str
    in_city: bool
    terminal_class: TerminalClass = TerminalClass.STORE


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewedCertificate:
    """A known terminal gets a further key certificate; the others end after ``overlap_ms``."""

    certificate: NewCertificate
    overlap_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A terminal goes off the list."""

    terminal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTables:
    """Other tables of the city come into force at once.

    Attributes:
        content: the file, whole; it was read before.
    """

    content: bytes


Change: TypeAlias = (
    Registration
    | RenewedCertificate
    | Revocation
    | NewTables
    | NewSuppression
    | LiftedSuppression
    | CopyChange
    | DayChange
    | IssuingChange
    | Subscribing
    | Unsubscribing
    | DomicileChange
    | BegunRegistration
    | CardChange
)
"""What an act changes by being recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActAccepted:
    """A signed act of an operator was checked; it is recorded before it is carried out.

    What it changes by being recorded is done together with it; whatever another process is to do
    follows, and then ``ActEnded``. Some acts take a ``second`` operator.
    """

    operator: str
    second: str | None = None
    act: str
    subject: str
    reason: str
    nonce: bytes
    change: Change | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActEnded:
    """What came of an act that another process was to carry out, and what it changed here."""

    nonce: bytes
    outcome: ActOutcome
    reason: str | None = None
    change: BegunRegistration | CardChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSaid:
    """What the PIN judge reports, oldest first; after a restart it may say the last ones again."""

    events: tuple[JudgeEvent, ...]


OfTheHouse: TypeAlias = (
    Restarted
    | DrainBegun
    | EvidenceNotKept
    | EvidenceKeptAgain
    | Woken
    | ActAccepted
    | ActEnded
    | JudgeSaid
)
"""What no terminal asks for."""

Input: TypeAlias = (
    Asked
    | Authenticated
    | Reported
    | Deleted
    | MalformedAsked
    | ChallengeDrawn
    | VerdictGiven
    | Rendered
    | RenderingFailed
    | GateFailed
    | KeysDestroyed
    | OfTheHouse
)
