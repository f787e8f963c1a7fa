"""The certificate of one sheet with which files, scans and the page are verified."""

from datetime import date

from issuance_server.certificates.order import CertificateOrder, Issuer
from issuance_server.sample.residents import sample_households
from protocol.kinds import Kind, Options


def order_of_one_sheet(number: str, issuer: Issuer) -> CertificateOrder:
    """Return the order for a fictitious person who lives alone."""
    household = sample_households()[1]
    return CertificateOrder(
        issuance_id=bytes(16),
        kind=Kind.JUMINHYO,
        options=Options(),
        holder_id=household.head_id,
        household=household,
        numbers=(number,),
        issued_on=date(2026, 11, 30),
        issuer=issuer,
    )
