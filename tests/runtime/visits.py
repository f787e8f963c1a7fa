"""The course of a visit at the bench, telegram by telegram."""

import hashlib
from typing import Any

from protocol import sealed_certificate
from protocol import telegrams as t
from protocol.kinds import Kind, Options
from protocol.page_digest import page_digests
from protocol.statements import signature_holds
from protocol.terminal_statements import DeletionReport, FailureCause, PrintOutcome, PrintReport
from tests.core.made import START_REAL_MS, opening
from tests.runtime.doubles import CARD_NUMBER, RIGHT_BLOCK, Bench

VISIT = b"visit-one-------"
ISSUANCE = b"issuance-one----"


def authenticating(attempt: int = 1, *, block: bytes = RIGHT_BLOCK) -> t.Authenticate:
    """Return an attempt with the canary card."""
    return t.Authenticate(
        visit_id=VISIT,
        attempt=attempt,
        card=CARD_NUMBER,
        card_signature=bytes(64),
        pin_block=block,
    )


def applying(issuance_id: bytes = ISSUANCE, **changes: Any) -> t.Apply:
    """Return an application for one copy."""
    usual: dict[str, Any] = {"kind": Kind.JUMINHYO, "options": Options(), "copies": 1}
    return t.Apply(visit_id=VISIT, issuance_id=issuance_id, **(usual | changes))


def printed(bench: Bench, sheets: int = 1) -> t.Report:
    """Return the signed report that all sheets are out."""
    return bench.far.report(
        PrintReport(
            issuance_id=ISSUANCE,
            outcome=PrintOutcome.PRINTED,
            sheets_out=sheets,
            sheets_unknown=False,
            cause=FailureCause.NONE,
            at_ms=START_REAL_MS,
        )
    )


def deleted(bench: Bench) -> t.Deleted:
    """Return the signed report that spool and key are erased."""
    return bench.far.deletion(DeletionReport(issuance_id=ISSUANCE, at_ms=START_REAL_MS))


async def authenticate(bench: Bench) -> t.Menu:
    """From the opening to the menu."""
    await bench.open_line()
    await bench.ask(opening(), t.Opened)
    await bench.ask(t.Begin(visit_id=VISIT, attempt=1), t.ChallengeGiven)
    return await bench.ask(authenticating(), t.Menu)


async def fetch(bench: Bench, quotation: t.Quotation) -> bytes:
    """Fetch all pieces and say that the whole is held."""
    pieces = [
        await bench.ask(t.Fetch(issuance_id=quotation.issuance_id, piece=piece), t.PieceGiven)
        for piece in range(quotation.pieces)
    ]
    sealed = b"".join(piece.content for piece in pieces)
    digest = hashlib.sha256(sealed).digest()
    assert (quotation.sealed_bytes, quotation.sealed_digest) == (len(sealed), digest)
    held = t.Held(issuance_id=quotation.issuance_id, sealed_digest=digest)
    assert "sealed" == (await bench.ask(held, t.Acknowledged)).state
    return sealed


async def to_sealed(bench: Bench) -> bytes:
    """From the opening to the ciphertext in the terminal's hand."""
    await authenticate(bench)
    return await fetch(bench, await bench.ask(applying(), t.Quotation))


async def release(bench: Bench, sealed: bytes) -> t.Released:
    """Get the key, verify the binding and open the certificate, as a terminal does."""
    given = await bench.ask(t.Release(issuance_id=ISSUANCE, amount_yen=200), t.Released)
    statement = given.binding.statement()
    assert signature_holds(bench.city_key.public_key, given.binding_signature, statement)
    pdf = sealed_certificate.open_sealed(
        sealed, sheets=1, key=given.content_key, issuance_id=ISSUANCE
    )
    assert pdf == bench.renderer.made[0].pdf
    assert page_digests(pdf) == given.binding.pages
    assert given.binding.file_digest == hashlib.sha256(pdf).digest()
    return given
