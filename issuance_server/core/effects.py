"""What a step asks for. The first six are done inside the transaction, the others after it."""

from dataclasses import dataclass
from typing import TypeAlias

from issuance_server.core.asides import Aside
from issuance_server.core.records import AnyRecord
from issuance_server.core.register_feed import AnyChange
from protocol.telegrams import AnyTelegram, MenuItem, RequestRef, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Append a record to the journal, with its projections."""

    record: AnyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepKey:
    """Store a wrapped content key with the record that made it."""

    issuance_id: bytes
    key_day: str
    wrapped_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DropKey:
    """Delete a wrapped content key; ``KeysDestroyed`` follows when it is off the disk."""

    issuance_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCopy:
    """Take these changes into the register copy, in order; no record may hold what they say."""

    changes: tuple[AnyChange, ...]


@dataclass(frozen=True, slots=True)
class TakeExtract:
    """Let the full extract that is attached to the transaction take the place of the copy."""


@dataclass(frozen=True, slots=True)
class KeepAside:
    """Keep what no record may hold in its own table."""

    aside: Aside


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Answer one copy of a request.

    Attributes:
        terminal: who asked.
        ref: the copy.
        telegram: the answer.
        witnessed: of an opening or a closing, the size of the checkpoint that the terminal keeps:
            the latest one goes with the answer (TP-121). None of any other answer.
    """

    terminal: str
    ref: RequestRef
    telegram: AnyTelegram
    witnessed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyMenu:
    """Answer with the menu; the members' names are looked up as it leaves, of this version."""

    terminal: str
    ref: RequestRef
    visit_id: bytes
    resident_id: str
    register_version: int | None
    items: tuple[MenuItem, ...]
    unavailable: tuple[Unavailable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyPiece:
    """Answer with a piece of the sealed certificate, which only memory holds."""

    terminal: str
    ref: RequestRef
    issuance_id: bytes
    piece: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyReleased:
    """Answer with key and signed binding, both rebuilt as it leaves and never stored."""

    terminal: str
    ref: RequestRef
    issuance_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawChallenge:
    """Ask the PIN judge for a challenge."""

    terminal: str
    visit_id: bytes
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeAttempt:
    """Hand the attempt that came with this ref to the PIN judge."""

    terminal: str
    visit_id: bytes
    attempt: int
    ref: RequestRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """Make and seal the certificate of this issuance."""

    issuance_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseBody:
    """Let go of the sealed certificate in memory."""

    issuance_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Write an event of the catalogue; ids and codes only."""

    event: str
    fields: dict[str, object]


Effect: TypeAlias = (
    Write
    | KeepKey
    | DropKey
    | ChangeCopy
    | TakeExtract
    | KeepAside
    | Reply
    | ReplyMenu
    | ReplyPiece
    | ReplyReleased
    | DrawChallenge
    | JudgeAttempt
    | Render
    | EraseBody
    | Log
)
