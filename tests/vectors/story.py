"""The fictitious visit that the vectors tell: fixed ids, fixed test keys, and its telegrams.

Every fixed byte string is SHAKE256 of a label, so that none of them hides anything. The keys are
test keys: whoever reads this has them.
"""

import hashlib

from issuance_server.core.audit_tree import AuditTree, leaf_hash
from keys.operators import OperatorAct
from keys.signing import SigningKey
from protocol import codec, limits, sealed_certificate, statements, telegrams
from protocol.binding import Binding
from protocol.checkpoint import Checkpoint, checkpoint_statement
from protocol.codes import ReplyCode
from protocol.domicile_telegrams import AskDomicile, DomicileState, DomicileTold, RegisterDomicile
from protocol.kinds import Item, Kind, Options, Scope
from protocol.secret import Secret
from protocol.sheet_digest import sheet_digests
from protocol.telegrams import AnyTelegram
from protocol.terminal_statements import (
    DeletionReport,
    FailureCause,
    PrintOutcome,
    PrintReport,
)
from tests.protocol.stand_in import CITY, TERMINAL
from tests.vectors import card_certificate

SHEETS = 1
BACK_DIGEST = bytes(range(0x60, 0x80))
"""A page digest of some back."""
FEE_YEN = 300
PRINTED_AT_MS = 1_772_413_260_000
DELETED_AT_MS = PRINTED_AT_MS + 750
PIN = Secret(b"1234")


def made(label: str, size: int) -> bytes:
    """Return so many fixed bytes for a label."""
    return hashlib.shake_256(b"kofu test vectors: " + label.encode()).digest(size)


def signer(holder: str) -> SigningKey:
    """Return the test key of one who signs."""
    return SigningKey.from_seed(Secret(made(f"seed of {holder}", 32)))


HANDSHAKE_ID = made("handshake", limits.HANDSHAKE_ID_BYTES)
VISIT_ID = made("visit", limits.ID_BYTES)
ISSUANCE_ID = made("issuance", limits.ID_BYTES)
CARD = made("card number", limits.ID_BYTES)
CHALLENGE = made("challenge", limits.CHALLENGE_BYTES)
CONTENT_KEY = Secret(made("content key", limits.CONTENT_KEY_BYTES))
CARD_PROOF = statements.card_proof(
    challenge=CHALLENGE, visit_id=VISIT_ID, attempt=1, terminal=TERMINAL, city=CITY, card=CARD
)
PIN_BLOCK_INFO = statements.pin_block_info(
    challenge=CHALLENGE, visit_id=VISIT_ID, attempt=1, terminal=TERMINAL, city=CITY, card=CARD
)
CERTIFICATE_PROOF = statements.certificate_proof(
    challenge=CHALLENGE,
    visit_id=VISIT_ID,
    attempt=1,
    terminal=TERMINAL,
    city=CITY,
    certificate=card_certificate.certificate(),
)
OPTIONS = Options(scope=Scope.SELF, items=(Item.RELATIONSHIP,))
APPLY = telegrams.Apply(
    visit_id=VISIT_ID,
    issuance_id=ISSUANCE_ID,
    kind=Kind.JUMINHYO,
    options=OPTIONS,
    copies=1,
)
PRINT_REPORT = PrintReport(
    issuance_id=ISSUANCE_ID,
    outcome=PrintOutcome.PRINTED,
    sheets_out=SHEETS,
    sheets_unknown=False,
    cause=FailureCause.NONE,
    at_ms=PRINTED_AT_MS,
)
DELETION_REPORT = DeletionReport(issuance_id=ISSUANCE_ID, at_ms=DELETED_AT_MS)
OPERATOR_ACT = OperatorAct(
    act="card.unlock",
    subject="ref-0001",
    reason="本人が窓口に来た",
    operator="mihon-hanako",
    nonce=made("operator's nonce", 16),
    expires_at_ms=PRINTED_AT_MS + 600_000,
)
AUDIT_RECORDS = (b"opened", b"begun", b"authenticated")
AUDIT_AT_MS = 1_772_409_600_000


def tiny_pdf() -> bytes:
    """Return a PDF of one page, put together by hand."""
    content = b"BT /F 12 Tf 72 720 Td (MIHON) Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595.20 842] >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    written, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return written + (
        b"xref\n0 6\n0000000000 65535 f \n%btrailer\n<< /Size 6 /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (table, len(written))
    )


def tiny_pdf_form() -> bytes:
    """Return the canonical form of that page, written by hand after TP-072."""
    content = b"BT /F 12 Tf 72 720 Td (MIHON) Tj ET"
    contents = b"s" + hashlib.sha256(b"<0:%d:%b" % (len(content), content)).digest()
    font = b"<3:/8:BaseFont/9:Helvetica/7:Subtype/5:Type1/4:Type/4:Font"
    return (
        b"<4:/8:Contents%b/8:MediaBox[4:#0;#0;#595.2;#842;/9:Resources<1:/4:Font<1:/1:F%b"
        b"/4:Type/4:Page" % (contents, font)
    )


def sealed() -> bytes:
    """Return the tiny PDF as a sealed certificate."""
    return sealed_certificate.seal(
        tiny_pdf(), sheets=SHEETS, key=CONTENT_KEY, issuance_id=ISSUANCE_ID
    )


def binding() -> Binding:
    """Return what binds the tiny PDF to the application."""
    return Binding(
        issuance_id=ISSUANCE_ID,
        request_digest=codec.digest(codec.encode(APPLY)),
        holder="ref-0001",
        kind=APPLY.kind,
        options=OPTIONS,
        numbers=("20260302-000011",),
        file_digest=hashlib.sha256(tiny_pdf()).digest(),
        pages=sheet_digests(tiny_pdf(), SHEETS),
    )


def audit_root(size: int = len(AUDIT_RECORDS)) -> bytes:
    """Return the root over the first records of a very short journal."""
    tree = AuditTree()
    tree.extend(AUDIT_RECORDS[:size])
    return tree.root()


def checkpoint(size: int) -> Checkpoint:
    """Return what the city signed when its journal had so many records."""
    root, at_ms = audit_root(size), AUDIT_AT_MS + size
    signed = checkpoint_statement(city=CITY, size=size, root=root, at_ms=at_ms)
    signature = signer("city").sign(signed)
    return Checkpoint(size=size, root=root, at_ms=at_ms, signature=signature)


def conversation(pin_block: bytes) -> tuple[tuple[AnyTelegram, AnyTelegram], ...]:
    """Return every request of the visit with its reply; ``in_reply_to`` is still missing."""
    return (*_opening(), *_proving(pin_block), *_fetching(), *_printing(), *_closing())


def _opening() -> tuple[tuple[AnyTelegram, AnyTelegram], ...]:
    version = limits.TABLES_VERSION
    return (
        (
            telegrams.Open(terminal=TERMINAL, software="terminal 0.1", tables_version=version),
            telegrams.Opened(
                city=CITY,
                software="server 0.1",
                tables_version=version,
                call_centre="0120-000-000 (9:00-17:00)",
                checkpoint=checkpoint(1),
            ),
        ),
    )


def _proving(pin_block: bytes) -> tuple[tuple[AnyTelegram, AnyTelegram], ...]:
    return (
        (
            telegrams.Begin(visit_id=VISIT_ID, attempt=1),
            telegrams.ChallengeGiven(
                visit_id=VISIT_ID,
                attempt=1,
                challenge=CHALLENGE,
                valid_ms=limits.CHALLENGE_MS_MAX,
            ),
        ),
        (
            telegrams.Authenticate(
                visit_id=VISIT_ID,
                attempt=1,
                card=CARD,
                card_signature=signer("card").sign(CARD_PROOF),
                pin_block=pin_block,
            ),
            telegrams.Menu(
                visit_id=VISIT_ID,
                items=(telegrams.MenuItem(kind=Kind.JUMINHYO, fee_yen=FEE_YEN, items=tuple(Item)),),
                members=(
                    telegrams.Member(number=1, name="見本 太郎"),
                    telegrams.Member(number=2, name="見本 花子"),
                ),
            ),
        ),
    )


def _fetching() -> tuple[tuple[AnyTelegram, AnyTelegram], ...]:
    content = sealed()
    digest = hashlib.sha256(content).digest()
    pieces = sealed_certificate.pieces_of(len(content))
    quotation = telegrams.Quotation(
        issuance_id=ISSUANCE_ID,
        fee_yen=FEE_YEN,
        sheets=SHEETS,
        sealed_bytes=len(content),
        sealed_digest=digest,
        pieces=pieces,
        valid_ms=limits.QUOTATION_MS_MAX,
    )
    fetches = tuple(
        (
            telegrams.Fetch(issuance_id=ISSUANCE_ID, piece=number),
            telegrams.PieceGiven(
                issuance_id=ISSUANCE_ID,
                piece=number,
                content=sealed_certificate.piece(content, number),
            ),
        )
        for number in range(pieces)
    )
    held = telegrams.Held(issuance_id=ISSUANCE_ID, sealed_digest=digest)
    return ((APPLY, quotation), *fetches, (held, telegrams.Acknowledged(state="sealed")))


def _printing() -> tuple[tuple[AnyTelegram, AnyTelegram], ...]:
    bound = binding()
    terminal = signer("terminal")
    return (
        (
            telegrams.Release(issuance_id=ISSUANCE_ID, amount_yen=FEE_YEN),
            telegrams.Released(
                issuance_id=ISSUANCE_ID,
                content_key=CONTENT_KEY,
                binding=bound,
                binding_signature=signer("city").sign(bound.statement()),
            ),
        ),
        (
            telegrams.Report(
                report=PRINT_REPORT, signature=terminal.sign(PRINT_REPORT.statement(TERMINAL))
            ),
            telegrams.Acknowledged(state="printed"),
        ),
        (
            telegrams.Deleted(
                report=DELETION_REPORT,
                signature=terminal.sign(DELETION_REPORT.statement(TERMINAL)),
            ),
            telegrams.Acknowledged(state="completed"),
        ),
    )


def _closing() -> tuple[tuple[AnyTelegram, AnyTelegram], ...]:
    counters = telegrams.Counters(completed=1, reversed=0, fees_earned_yen=FEE_YEN)
    return (
        (telegrams.EndVisit(visit_id=VISIT_ID), telegrams.Acknowledged(state="ended")),
        (
            telegrams.Close(counters=counters, witnessed=1),
            telegrams.Closed(
                counters=counters,
                checkpoint=checkpoint(len(AUDIT_RECORDS)),
                proof=tuple(leaf_hash(record) for record in AUDIT_RECORDS[1:]),
            ),
        ),
    )


def aside() -> tuple[AnyTelegram, ...]:
    """Return telegrams of the kinds that do not occur in the visit."""
    return (
        telegrams.AuthenticateCertificate(
            visit_id=VISIT_ID,
            attempt=1,
            certificate=card_certificate.certificate(),
            card_signature=card_certificate.signature(CERTIFICATE_PROOF),
        ),
        telegrams.Cancel(issuance_id=ISSUANCE_ID, cause=FailureCause.CANCELLED),
        RegisterDomicile(
            visit_id=VISIT_ID,
            request_id=ISSUANCE_ID,
            domicile="大阪府豊中市見本一丁目1番",
            register_head="見本　太郎",
            name="見本　花子",
            birth="平成2年3月4日",
            phone="06-0000-0000",
        ),
        AskDomicile(visit_id=VISIT_ID),
        telegrams.LineTest(nonce=99),
        telegrams.Notice(notice=telegrams.NoticeKind.DRAINING),
    )


def aside_replies() -> tuple[AnyTelegram, ...]:
    """Return replies of the kinds that do not occur in the visit."""
    return (
        DomicileTold(request_id=ISSUANCE_ID, state=DomicileState.USABLE, usable_from="2026-12-07"),
        telegrams.Refused(code=ReplyCode.PIN_WRONG, tries_left=2),
        telegrams.LineTested(nonce=99),
    )
