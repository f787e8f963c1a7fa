"""What bars a certificate although there is a record: found as the record comes into the copy.

A bar lies beside the record, so that the menu, an application and a release can look at it without
reading anything personal. The renderer refuses such records as well.
"""

from enum import Enum
from typing import TypeAlias

from issuance_server.core.family_register import AddressHistory, FamilyRegister
from issuance_server.core.seal_register import SealRegistration
from issuance_server.core.tax_register import Filing, TaxRecord

OtherRecord: TypeAlias = SealRegistration | TaxRecord | FamilyRegister | AddressHistory
"""A record of another register than the residents'."""


class Bar(Enum):
    """Why nothing is certified of a record."""

    SEAL_ABOLISHED = "seal-abolished"  # 印鑑登録の廃止
    TAX_NOT_FILED = "tax-not-filed"  # 未申告, and nobody's dependant
    FILING_IN_PROGRESS = "filing-in-progress"  # 戸籍届出の処理中, of anybody in the register
    REGISTER_CLOSED = "register-closed"  # 除籍: other certificates are made of it


def bar_of(record: OtherRecord) -> Bar | None:
    """Return what bars certificates of a record, or None.

    An address history has no bar of its own: that of its family register counts.
    """
    match record:
        case SealRegistration(abolished=True):
            return Bar.SEAL_ABOLISHED
        case TaxRecord(filing=Filing.NOT_FILED):
            return Bar.TAX_NOT_FILED
        case FamilyRegister(closed=True):
            return Bar.REGISTER_CLOSED
        case FamilyRegister(filing_in_progress=True):
            return Bar.FILING_IN_PROGRESS
    return None


def fiscal_year_of(record: OtherRecord) -> int | None:
    """Return the fiscal year (年度) that a record is of; None where it is of none."""
    return record.fiscal_year if isinstance(record, TaxRecord) else None
