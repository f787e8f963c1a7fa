"""Every telegram (電文), as a typed value with its fields' ranges.

A telegram is one MessagePack map; the field ``telegram`` names its kind. A value of one of these
classes is valid from construction on receipt: ``codec.decode`` refuses what does not fit. Fields
that a receiver does not know are ignored, so that a later version may add some (SPEC.md §9).

A reply carries ``in_reply_to``: which copy of which request it answers, and the request's digest.
A request is handled once, however often it comes (TP-047).
"""

from enum import Enum
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from protocol import limits
from protocol.binding import Binding
from protocol.checkpoint import Checkpoint, Proof
from protocol.codes import ReplyCode
from protocol.domicile_telegrams import AskDomicile, DomicileTold, RegisterDomicile
from protocol.fields import (
    Attempt,
    CardCertificate,
    CardNumber,
    Challenge32,
    Copies,
    Count,
    Digest,
    Id,
    Name,
    PersonName,
    Piece48K,
    PieceNumber,
    PinBlock,
    Sheets,
    ShortText,
    Signature,
    TimeMs,
    Yen,
)
from protocol.kinds import Item, Kind, Options, Scope
from protocol.secret import Secret
from protocol.telegram import RequestRef as RequestRef  # noqa: PLC0414  # belongs to them all
from protocol.telegram import Telegram as Telegram  # noqa: PLC0414  # likewise
from protocol.terminal_statements import DeletionReport, FailureCause, PrintReport


class UnfinishedIssuance(msgspec.Struct, frozen=True, kw_only=True):
    """An issuance that one side has not ended: its id, and its state as that side sees it."""

    issuance_id: Id
    state: Name


class Open(Telegram, frozen=True, kw_only=True, tag="open"):
    """開局: the terminal takes up business under fresh keys.

    Attributes:
        terminal: the terminal's id.
        software: name and version of its program.
        tables_version: version of its telegram and state tables.
        unfinished: issuances that it has not ended (TP-103), after it has decided over what the
            process before it left (TP-116).
        witnessed: size of the checkpoint that it keeps (TP-121); 0: it keeps none.
    """

    terminal: Name
    software: ShortText
    tables_version: Count
    unfinished: Annotated[
        tuple[UnfinishedIssuance, ...], Meta(max_length=limits.UNFINISHED_LISTED_MAX)
    ] = ()
    witnessed: Count = 0


class Opened(Telegram, frozen=True, kw_only=True, tag="opened"):
    """The city's answer to 開局.

    Attributes:
        city: municipality code, 6 digits.
        software: name and version of the server.
        tables_version: version of its tables.
        call_centre: telephone number and hours for the resident.
        unfinished: issuances of this terminal that the server has not ended.
        checkpoint: the latest one of the city's audit record; absent where nothing is signed.
        proof: that it grew from the one that the terminal keeps (TP-121).
    """

    city: Name
    software: ShortText
    tables_version: Count
    call_centre: ShortText
    unfinished: Annotated[
        tuple[UnfinishedIssuance, ...], Meta(max_length=limits.UNFINISHED_LISTED_MAX)
    ] = ()
    checkpoint: Checkpoint | None = None
    proof: Proof = ()


class Begin(Telegram, frozen=True, kw_only=True, tag="begin"):
    """受付: asks for a challenge for one attempt of a visit; the first one opens the visit."""

    visit_id: Id
    attempt: Attempt


class ChallengeGiven(Telegram, frozen=True, kw_only=True, tag="challenge"):
    """A fresh challenge: single use, valid ``valid_ms``, bound to terminal, visit and attempt."""

    visit_id: Id
    attempt: Attempt
    challenge: Challenge32
    valid_ms: TimeMs


class Authenticate(Telegram, frozen=True, kw_only=True, tag="authenticate"):
    """本人確認: card, its signature over the challenge, and the PIN sealed to the PIN judge.

    Attributes:
        visit_id: the visit.
        attempt: the same as in the ``begin`` that brought the challenge.
        card: card number, 16 bytes; never logged.
        card_signature: Ed25519 over ``statements.card_proof``.
        pin_block: HPKE sealed to the judge with ``statements.pin_block_info`` (TP-052).
    """

    visit_id: Id
    attempt: Attempt
    card: CardNumber
    card_signature: Signature
    pin_block: PinBlock


class AuthenticateCertificate(Telegram, frozen=True, kw_only=True, tag="authenticate-certificate"):
    """本人確認 with a card that judged its PIN itself: its certificate, and the card's signature.

    Attributes:
        visit_id: the visit.
        attempt: the same as in the ``begin`` that brought the challenge.
        certificate: the user-authentication certificate in DER form; never logged.
        card_signature: ECDSA over ``statements.certificate_proof`` (TP-053).
    """

    visit_id: Id
    attempt: Attempt
    certificate: CardCertificate
    card_signature: Signature


class MenuItem(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that this holder may have here and now.

    Attributes:
        kind: which.
        fee_yen: for one copy.
        items: what may be asked for beside what is always printed.
        scopes: whom it can cover; where there are none, the server is of an earlier version.
    """

    kind: Kind
    fee_yen: Yen
    items: Annotated[tuple[Item, ...], Meta(max_length=len(Item))] = ()
    scopes: Annotated[tuple[Scope, ...], Meta(max_length=len(Scope))] = ()


class Unavailable(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A certificate that the city offers here, but not to this holder, or not now.

    Attributes:
        kind: which.
        code: why not.
        opens_at_ms: of a closed kind, when it opens again, in the city's business time; else None.
    """

    kind: Kind
    code: ReplyCode
    opens_at_ms: TimeMs | None = None


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the holder's household, to choose from. Personal: shown, never logged."""

    number: Annotated[int, Meta(ge=1, le=32)]
    name: PersonName


class Menu(Telegram, frozen=True, kw_only=True, tag="menu"):
    """The holder is authenticated; what may be had. Padded so that its length tells nothing."""

    visit_id: Id
    items: Annotated[tuple[MenuItem, ...], Meta(max_length=len(Kind))]
    members: Annotated[tuple[Member, ...], Meta(max_length=32)]
    unavailable: Annotated[tuple[Unavailable, ...], Meta(max_length=len(Kind))] = ()


class Apply(Telegram, frozen=True, kw_only=True, tag="apply"):
    """申請: one issuance of the visit. The terminal stored its id before sending (TP-102)."""

    visit_id: Id
    issuance_id: Id
    kind: Kind
    options: Options
    copies: Copies


class Quotation(Telegram, frozen=True, kw_only=True, tag="quotation"):
    """What it will cost, and what there is to fetch.

    Attributes:
        issuance_id: the issuance.
        fee_yen: for all copies.
        sheets: of all copies together.
        sealed_bytes: length of the sealed certificate.
        sealed_digest: SHA-256 of the sealed certificate.
        pieces: how many pieces to fetch, from 0.
        valid_ms: how long the quotation is valid, counted by the server from its sending.
    """

    issuance_id: Id
    fee_yen: Yen
    sheets: Sheets
    sealed_bytes: Count
    sealed_digest: Digest
    pieces: Count
    valid_ms: TimeMs


class Fetch(Telegram, frozen=True, kw_only=True, tag="fetch"):
    """取得: asks for one piece of the sealed certificate, from 0."""

    issuance_id: Id
    piece: PieceNumber


class PieceGiven(Telegram, frozen=True, kw_only=True, tag="piece"):
    """One piece; all but the last are ``limits.PIECE_BYTES`` long."""

    issuance_id: Id
    piece: PieceNumber
    content: Piece48K


class Held(Telegram, frozen=True, kw_only=True, tag="held"):
    """受領: the terminal holds the whole sealed certificate, with this digest, on its disk."""

    issuance_id: Id
    sealed_digest: Digest


class Release(Telegram, frozen=True, kw_only=True, tag="release"):
    """印刷許可: the terminal holds the money and asks for the key (TP-110, TP-112)."""

    issuance_id: Id
    amount_yen: Yen


class Released(Telegram, frozen=True, kw_only=True, tag="released"):
    """The key, and the binding that the terminal must verify before it prints.

    Attributes:
        issuance_id: the issuance.
        content_key: AES-256 key of the sealed certificate; secret, memory only (TP-114).
        binding: what is to come out, and for whom.
        binding_signature: the city's Ed25519 over ``binding.statement()``.
    """

    issuance_id: Id
    content_key: Secret
    binding: Binding
    binding_signature: Signature


class Report(Telegram, frozen=True, kw_only=True, tag="report"):
    """印刷報告 (advice): repeated until acknowledged; signed over ``report.statement``."""

    report: PrintReport
    signature: Signature


class Deleted(Telegram, frozen=True, kw_only=True, tag="deleted"):
    """消去報告 (advice): like the report, and only after it was acknowledged (TP-082)."""

    report: DeletionReport
    signature: Signature


class Cancel(Telegram, frozen=True, kw_only=True, tag="cancel"):
    """取消: withdraws an issuance before its release."""

    issuance_id: Id
    cause: FailureCause


class EndVisit(Telegram, frozen=True, kw_only=True, tag="end-visit"):
    """来訪終了: the card has left; the visit opens no more issuances."""

    visit_id: Id


class Acknowledged(Telegram, frozen=True, kw_only=True, tag="acknowledged"):
    """Taken and recorded; ``state`` is the state's name on the server afterwards."""

    state: Name


class Refused(Telegram, frozen=True, kw_only=True, tag="refused"):
    """A refusal is a value: the code, and what helps the resident.

    Attributes:
        code: reply code (SPEC.md §8).
        tries_left: after a wrong PIN, how many tries remain; otherwise absent.
    """

    code: ReplyCode
    tries_left: Annotated[int, Meta(ge=0, le=3)] | None = None


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """What one side counted since the opening (精査)."""

    completed: Count
    reversed: Count
    fees_earned_yen: Count


class Close(Telegram, frozen=True, kw_only=True, tag="close"):
    """閉局: no new visits; the terminal's counters since its opening, and what it witnessed."""

    counters: Counters
    witnessed: Count = 0


class Closed(Telegram, frozen=True, kw_only=True, tag="closed"):
    """The server's counters for the same time; a difference is an alarm on both sides.

    Checkpoint and proof are as in ``opened``, now with what came of the day.
    """

    counters: Counters
    checkpoint: Checkpoint | None = None
    proof: Proof = ()


class LineTest(Telegram, frozen=True, kw_only=True, tag="line-test"):
    """回線試験: asks the other side to answer."""

    nonce: Count


class LineTested(Telegram, frozen=True, kw_only=True, tag="line-tested"):
    """The answer to a line test, with its nonce."""

    nonce: Count


class NoticeKind(Enum):
    """What a notice says."""

    DRAINING = "draining"  # 予備閉局: no new issuances, those under way finish
    STOPPED = "stopped"  # the line is stopped for inspection


class Notice(Telegram, frozen=True, kw_only=True, tag="notice"):
    """通知 (advice from the server, may be lost): the terminal acts on it if it comes."""

    notice: NoticeKind


AnyTelegram: TypeAlias = (
    Open
    | Opened
    | Begin
    | ChallengeGiven
    | Authenticate
    | AuthenticateCertificate
    | Menu
    | Apply
    | Quotation
    | Fetch
    | PieceGiven
    | Held
    | Release
    | Released
    | Report
    | Deleted
    | Cancel
    | EndVisit
    | RegisterDomicile
    | AskDomicile
    | DomicileTold
    | Acknowledged
    | Refused
    | Close
    | Closed
    | LineTest
    | LineTested
    | Notice
)
