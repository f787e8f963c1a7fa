"""Names of the questions that a terminal asks, the questions, and the answers it may get.

A question that needs a secret or a signature is only named here; the shell completes it as it
leaves. An answer arrives without what the core must not know: key, names and bodies stay outside.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypeAlias

from protocol.binding import Binding
from protocol.codes import ReplyCode
from protocol.domicile_telegrams import AskDomicile, DomicileTold
from protocol.telegrams import (
    Acknowledged,
    Apply,
    Begin,
    Cancel,
    ChallengeGiven,
    Close,
    Closed,
    EndVisit,
    Fetch,
    Held,
    MenuItem,
    Open,
    Opened,
    Quotation,
    Refused,
    Release,
    Unavailable,
)
from protocol.terminal_statements import DeletionReport, PrintReport


class Step(Enum):
    """Which step of the business a request belongs to."""

    OPEN = "open"
    BEGIN = "begin"
    AUTHENTICATE = "authenticate"
    APPLY = "apply"
    FETCH = "fetch"
    HELD = "held"
    RELEASE = "release"
    REPORT = "report"
    DELETED = "deleted"
    CANCEL = "cancel"
    DOMICILE = "domicile"
    END_VISIT = "end-visit"
    CLOSE = "close"


class Request(NamedTuple):
    """Names one request of this terminal.

    Attributes:
        step: the step.
        subject: the visit's or the issuance's id; empty for the line itself.
        number: attempt or piece; 0 where there is only one.
    """

    step: Step
    subject: bytes = b""
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """本人確認, without card and PIN: the shell lets the card sign and seals the PIN.

    Attributes:
        visit_id: the visit.
        attempt: 1 and up.
        challenge: 32 bytes from the PIN judge.
    """

    visit_id: bytes
    attempt: int
    challenge: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DomicileForm:
    """本籍地利用登録申請, without what was typed: the shell completes it."""

    visit_id: bytes
    request_id: bytes


Question: TypeAlias = (
    DomicileForm
    | AskDomicile
    | Open
    | Begin
    | Authentication
    | Apply
    | Fetch
    | Held
    | Release
    | PrintReport
    | DeletionReport
    | Cancel
    | EndVisit
    | Close
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuGiven:
    """The menu, without the names of the household's members."""

    visit_id: bytes
    items: tuple[MenuItem, ...]
    unavailable: tuple[Unavailable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceKept:
    """A piece of ciphertext lies in the shell's memory; here is only how long it is."""

    issuance_id: bytes
    piece: int
    piece_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What the shell found when it opened the spooled ciphertext with the key.

    Attributes:
        file_digest: SHA-256 of the PDF.
        pages: the sheet digest of every sheet.
    """

    file_digest: bytes
    pages: tuple[bytes, ...]


class DocumentFault(Enum):
    """Why there is no document."""

    SPOOL_LOST = "spool lost"
    SEAL = "the key does not open it"
    NOT_A_DOCUMENT = "what it opened to is no document"
    OTHER_SHEETS = "its pages are not the sides of the quoted sheets"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyGiven:
    """印刷許可, with the key used up by the shell.

    Attributes:
        issuance_id: as the telegram names it.
        binding: what the city says is to come out.
        binding_signature: the city's signature over it, not yet verified.
        document: what came out of the seal, or why nothing did.
    """

    issuance_id: bytes
    binding: Binding
    binding_signature: bytes
    document: Document | DocumentFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Strange:
    """A telegram that is no answer to anything a terminal asks."""


Answer: TypeAlias = (
    Opened
    | DomicileTold
    | ChallengeGiven
    | MenuGiven
    | Quotation
    | PieceKept
    | KeyGiven
    | Acknowledged
    | Refused
    | Closed
    | Strange
)

AGAIN_CODES = frozenset({ReplyCode.BUSY, ReplyCode.SERVER_FAULT})
"""Refusals that decide nothing: the same request may be asked again after a while."""

GONE_CODES = frozenset({ReplyCode.UNKNOWN, ReplyCode.ENDED})
"""The city has nothing more to do with the issuance."""
