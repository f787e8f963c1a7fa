"""Whose records are: read from the records themselves."""

from collections.abc import Mapping

import msgspec

from issuance_server.core.bars import OtherRecord
from issuance_server.core.family_register import AddressHistory, FamilyRegister
from issuance_server.core.record_holders import holders_of, record_key
from issuance_server.core.seal_register import SealRegistration
from issuance_server.core.tax_register import TaxRecord
from issuance_server.sample.records import sample_records
from protocol.kinds import Kind

RECORDS: Mapping[tuple[str, Kind], OtherRecord] = sample_records()


def test_holders_of_the_sample_are_those_of_its_records() -> None:
    """Nobody is made the holder of anything who does not stand in it, and nobody is left out."""
    derived = {holding: record_key(one) for one in RECORDS.values() for holding in holders_of(one)}
    stands_in = {key: record_key(one) for key, one in RECORDS.items() if key in holders_of(one)}

    assert stands_in == derived


def test_keys_name_register_and_number() -> None:
    """One seal and one year of a person, and one register of each number, take their places."""
    keys = {type(one): record_key(one).partition("/")[0] for one in RECORDS.values()}

    assert {
        SealRegistration: "seal",
        TaxRecord: "tax",
        FamilyRegister: "family-register",
        AddressHistory: "address-history",
    } == keys


def test_who_is_removed_holds_a_register_no_more() -> None:
    """除籍: the person is in another register, and has certificates of that one."""
    register = next(one for one in RECORDS.values() if isinstance(one, FamilyRegister))
    person = msgspec.structs.replace(register.people[0], resident_id="10000017", removed=True)
    removed = msgspec.structs.replace(register, people=(person, *register.people[1:]))

    assert "10000017" not in {holder for holder, _ in holders_of(removed)}
