"""What the judge makes of a card's certificate."""

from datetime import UTC, datetime

from issuance_server.core.pin_policy import CertificateAttempt, VerdictOutcome
from keys.jpki_check import CertificateFinding, CheckedCertificate, JpkiCheck
from protocol.statements import certificate_proof

OF_CERTIFICATES = {
    CertificateFinding.GOOD: VerdictOutcome.RIGHT,
    CertificateFinding.FORGED: VerdictOutcome.FORGED,
    CertificateFinding.EXPIRED: VerdictOutcome.CERTIFICATE_EXPIRED,
    CertificateFinding.REVOKED: VerdictOutcome.CERTIFICATE_REVOKED,
    CertificateFinding.NOT_CHECKABLE: VerdictOutcome.CERTIFICATE_NOT_CHECKABLE,
}

_MS_PER_S = 1_000


def check_certificate(
    jpki: JpkiCheck, challenge: bytes, asked: CertificateAttempt, now_ms: int
) -> CheckedCertificate:
    """Check an attempt's certificate and its card's signature (TP-053).

    Args:
        jpki: knows what the authority publishes.
        challenge: of this attempt, taken.
        asked: the attempt.
        now_ms: the judge's clock.
    """
    proof = certificate_proof(
        challenge=challenge,
        visit_id=asked.visit_id,
        attempt=asked.attempt,
        terminal=asked.terminal,
        city=asked.city,
        certificate=asked.certificate,
    )
    now = datetime.fromtimestamp(now_ms / _MS_PER_S, UTC)
    return jpki.check(asked.certificate, signature=asked.card_signature, statement=proof, now=now)
