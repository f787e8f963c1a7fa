"""What the registers have for one certificate."""

from dataclasses import dataclass

from issuance_server.certificates.order import Record
from issuance_server.core.register import Household


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSource:
    """What a certificate is made of, from one consistent read.

    Attributes:
        household: the holder's.
        register_version: the household's.
        record: the holder's record of the kind, where another register has one.
        record_version: its version.
    """

    household: Household
    register_version: int
    record: Record | None
    record_version: int | None
