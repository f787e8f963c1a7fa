"""Parts that every certificate says in the same words, whatever it looks like."""

from dataclasses import dataclass

from issuance_server.certificates.dates import wareki
from issuance_server.certificates.order import CertificateOrder

MARK = "＊＊＊"
"""Stands in a field that was not asked for or has no content, so that nothing can be written in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """The certifying words (認証文), on the last sheet of each copy only (標準仕様書 §5.1).

    Attributes:
        sentence: what is certified.
        issued_on: the day in the Japanese era.
        authority: the certifying person with prefecture and title, and the name.
    """

    sentence: str
    issued_on: str
    authority: str


def attestation(order: CertificateOrder, sentence: str) -> Attestation:
    """Return the certifying words of an order."""
    issuer = order.issuer
    return Attestation(
        sentence=sentence,
        issued_on=wareki(order.issued_on),
        authority=f"{issuer.prefecture}{issuer.title}　{issuer.name}",
    )


def number_line(number: str, sheet: int, sheets: int) -> str:
    """Return the 発行番号 of one sheet (標準仕様書 §5.5): the copy's, then page and pages."""
    return f"{number} {sheet}/{sheets}"


def or_mark(text: str | None) -> str:
    """Return a field's text, or the mark where there is none."""
    return text or MARK
