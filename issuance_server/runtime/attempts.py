"""What the PIN judge is asked, from what came in a telegram."""

from issuance_server.core.effects import JudgeAttempt
from issuance_server.core.pin_policy import AnyAttempt, CertificateAttempt, PinAttempt
from protocol.telegrams import Authenticate, AuthenticateCertificate


def attempt_of(
    effect: JudgeAttempt, asked: Authenticate | AuthenticateCertificate, city: str
) -> AnyAttempt:
    """Return the attempt to have judged; the terminal is the one that its line proved.

    Args:
        effect: names the attempt.
        asked: the telegram, with card and PIN block or with a certificate.
        city: municipality code, 6 digits.
    """
    if isinstance(asked, AuthenticateCertificate):
        return CertificateAttempt(
            terminal=effect.terminal,
            city=city,
            visit_id=asked.visit_id,
            attempt=asked.attempt,
            request_digest=effect.ref.digest,
            certificate=asked.certificate,
            card_signature=asked.card_signature,
        )
    return PinAttempt(
        terminal=effect.terminal,
        city=city,
        visit_id=asked.visit_id,
        attempt=asked.attempt,
        request_digest=effect.ref.digest,
        card=asked.card,
        card_signature=asked.card_signature,
        pin_block=asked.pin_block,
    )
