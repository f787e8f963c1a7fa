"""Whose a record of another register is, and under which key the copy keeps it.

Holders are read from the record itself, so that nobody can be made the holder of somebody else's.
A record may name people who are no residents: they are found when they become some.
"""

from issuance_server.core.bars import OtherRecord
from issuance_server.core.family_register import AddressHistory, FamilyRegister
from issuance_server.core.seal_register import SealRegistration
from issuance_server.core.tax_register import TaxRecord
from protocol.kinds import Kind

_OF_FAMILY_REGISTER = (Kind.KOSEKI_ZENBU, Kind.KOSEKI_KOJIN)


def record_key(record: OtherRecord) -> str:
    """Return the register and the number in it: a record with the same key takes its place.

    The copy keeps one seal and one fiscal year of a person.
    """
    match record:
        case SealRegistration():
            return f"seal/{record.resident_id}"
        case TaxRecord():
            return f"tax/{record.resident_id}"
        case FamilyRegister():
            return f"family-register/{record.register_id}"
        case AddressHistory():
            return f"address-history/{record.register_id}"


def holders_of(record: OtherRecord) -> tuple[tuple[str, Kind], ...]:
    """Return 宛名番号 and kind of certificate for everybody who can have one of a record.

    Who is removed from a family register (除籍) is in another one.
    """
    match record:
        case SealRegistration():
            return ((record.resident_id, Kind.INKAN),)
        case TaxRecord():
            return ((record.resident_id, Kind.KAZEI),)
        case FamilyRegister():
            kinds: tuple[Kind, ...] = _OF_FAMILY_REGISTER
        case AddressHistory():
            kinds = (Kind.FUHYO,)
    return tuple(
        (person.resident_id, kind)
        for person in record.people
        if person.resident_id is not None and not person.removed
        for kind in kinds
    )
