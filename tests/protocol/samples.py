"""One telegram of each kind, filled with fictitious values."""

from protocol.binding import Binding
from protocol.checkpoint import Checkpoint
from protocol.codes import ReplyCode
from protocol.domicile_telegrams import AskDomicile, DomicileState, DomicileTold, RegisterDomicile
from protocol.kinds import Item, Kind, Options, Scope
from protocol.limits import PIECE_BYTES
from protocol.secret import Secret
from protocol.telegrams import (
    Acknowledged,
    AnyTelegram,
    Apply,
    Authenticate,
    AuthenticateCertificate,
    Begin,
    Cancel,
    ChallengeGiven,
    Close,
    Closed,
    Counters,
    Deleted,
    EndVisit,
    Fetch,
    Held,
    LineTest,
    LineTested,
    Member,
    Menu,
    MenuItem,
    Notice,
    NoticeKind,
    Open,
    Opened,
    PieceGiven,
    Quotation,
    Refused,
    Release,
    Released,
    Report,
    RequestRef,
    Unavailable,
    UnfinishedIssuance,
)
from protocol.terminal_statements import (
    DeletionReport,
    FailureCause,
    PrintOutcome,
    PrintReport,
)

VISIT_ID = bytes(range(16))
ISSUANCE_ID = bytes(range(16, 32))
DIGEST = bytes(range(32))
SIGNATURE = bytes(range(64))
CONTENT_KEY = Secret(b"canary key of the certificate 32")
REF = RequestRef(generation=0xDEADBEEF, counter=7, digest=DIGEST)

UNFINISHED = (UnfinishedIssuance(issuance_id=ISSUANCE_ID, state="printed"),)
OPTIONS = Options(scope=Scope.SOME, members=(1, 3), items=(Item.RELATIONSHIP, Item.DOMICILE))
BINDING = Binding(
    issuance_id=ISSUANCE_ID,
    request_digest=DIGEST,
    holder="ref-0001",
    kind=Kind.JUMINHYO,
    options=OPTIONS,
    numbers=("20260302-000011", "20260302-000012"),
    file_digest=DIGEST[::-1],
    pages=(DIGEST, DIGEST[::-1]),
)
PRINT_REPORT = PrintReport(
    issuance_id=ISSUANCE_ID,
    outcome=PrintOutcome.FAILED,
    sheets_out=1,
    sheets_unknown=True,
    cause=FailureCause.POWER_LOSS,
    at_ms=1_772_000_000_000,
)
DELETION_REPORT = DeletionReport(issuance_id=ISSUANCE_ID, at_ms=1_772_000_000_500)
COUNTERS = Counters(completed=12, reversed=1, fees_earned_yen=3_600)
CHECKPOINT = Checkpoint(
    size=100_000, root=DIGEST, at_ms=1_772_409_600_000, signature=bytes(range(64))
)
PROOF = (DIGEST,) * 17


def menu(members: int, *, name: str = "見本 太郎") -> Menu:
    """Return the menu of a household of so many (all of them fictitious)."""
    return Menu(
        visit_id=VISIT_ID,
        items=(
            MenuItem(kind=Kind.JUMINHYO, fee_yen=300, items=tuple(Item), scopes=tuple(Scope)),
            MenuItem(kind=Kind.INKAN, fee_yen=300),
        ),
        members=tuple(Member(number=number + 1, name=name) for number in range(members)),
        unavailable=(
            Unavailable(
                kind=Kind.KOSEKI_ZENBU,
                code=ReplyCode.OUT_OF_HOURS,
                opens_at_ms=1_772_409_600_000,
            ),
            Unavailable(kind=Kind.KAZEI, code=ReplyCode.NOT_ISSUED_HERE),
        ),
        in_reply_to=REF,
    )


SAMPLES: tuple[AnyTelegram, ...] = (
    Open(
        terminal="T-0001",
        software="sim 0.1",
        tables_version=1,
        unfinished=UNFINISHED,
        witnessed=8_192,
    ),
    Opened(
        city="272035",
        software="server 0.1",
        tables_version=1,
        call_centre="0120-000-000 9:00-17:00",
        unfinished=UNFINISHED,
        checkpoint=CHECKPOINT,
        proof=PROOF,
        in_reply_to=REF,
    ),
    Begin(visit_id=VISIT_ID, attempt=1),
    ChallengeGiven(
        visit_id=VISIT_ID, attempt=1, challenge=DIGEST, valid_ms=60_000, in_reply_to=REF
    ),
    Authenticate(
        visit_id=VISIT_ID,
        attempt=1,
        card=ISSUANCE_ID,
        card_signature=SIGNATURE,
        pin_block=bytes(1_152),
    ),
    AuthenticateCertificate(
        visit_id=VISIT_ID,
        attempt=1,
        certificate=bytes(500),
        card_signature=SIGNATURE,
    ),
    menu(3),
    Apply(
        visit_id=VISIT_ID,
        issuance_id=ISSUANCE_ID,
        kind=Kind.JUMINHYO,
        options=OPTIONS,
        copies=2,
    ),
    Quotation(
        issuance_id=ISSUANCE_ID,
        fee_yen=600,
        sheets=2,
        sealed_bytes=393_232,
        sealed_digest=DIGEST,
        pieces=9,
        valid_ms=600_000,
        in_reply_to=REF,
    ),
    Fetch(issuance_id=ISSUANCE_ID, piece=8),
    PieceGiven(issuance_id=ISSUANCE_ID, piece=0, content=bytes(PIECE_BYTES), in_reply_to=REF),
    Held(issuance_id=ISSUANCE_ID, sealed_digest=DIGEST),
    Release(issuance_id=ISSUANCE_ID, amount_yen=600),
    Released(
        issuance_id=ISSUANCE_ID,
        content_key=CONTENT_KEY,
        binding=BINDING,
        binding_signature=SIGNATURE,
        in_reply_to=REF,
    ),
    Report(report=PRINT_REPORT, signature=SIGNATURE),
    Deleted(report=DELETION_REPORT, signature=SIGNATURE),
    Cancel(issuance_id=ISSUANCE_ID, cause=FailureCause.CANCELLED),
    EndVisit(visit_id=VISIT_ID),
    RegisterDomicile(
        visit_id=VISIT_ID,
        request_id=ISSUANCE_ID,
        domicile="大阪府豊中市見本一丁目1番",
        register_head="見本 太郎",
        name="見本 花子",
        birth="平成2年3月4日",
        phone="06-0000-0000",
    ),
    AskDomicile(visit_id=VISIT_ID),
    DomicileTold(
        in_reply_to=REF,
        request_id=ISSUANCE_ID,
        state=DomicileState.USABLE,
        usable_from="2026-12-07",
    ),
    Acknowledged(state="printed", in_reply_to=REF),
    Refused(code=ReplyCode.PIN_WRONG, tries_left=2, in_reply_to=REF),
    Close(counters=COUNTERS, witnessed=8_192),
    Closed(counters=COUNTERS, checkpoint=CHECKPOINT, proof=PROOF, in_reply_to=REF),
    LineTest(nonce=99),
    LineTested(nonce=99, in_reply_to=REF),
    Notice(notice=NoticeKind.DRAINING),
)
