"""What a 住民票記載事項証明書 says: the same items as a 住民票, and only those of interest."""

from issuance_server.certificates.content.common import members_chosen
from issuance_server.certificates.content.juminhyo import Sheet, divided
from issuance_server.certificates.order import CertificateOrder

SENTENCE = "この証明書の記載事項は、住民票の記載事項と相違ないことを証明する。"


def sheets(order: CertificateOrder) -> tuple[Sheet, ...]:
    """Return the sheets of one copy.

    Raises:
        CertificateRefused: as for a 住民票の写し.
    """
    return divided(order, members_chosen(order), SENTENCE)
