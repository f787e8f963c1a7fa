"""The statements that change the register copy: founding, import and feed use the same ones.

Every version comes from one counter of the city and is used once, so that a version names what it
is a version of as well. What is put again unchanged keeps the version that it has.
"""

from datetime import date

import msgspec

from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core.bars import OtherRecord, bar_of, fiscal_year_of
from issuance_server.core.record_holders import holders_of, record_key
from issuance_server.core.register import Household, Resident

LAST_VERSION_SQL = "SELECT last_version FROM register_state"
SET_LAST_VERSION_SQL = "UPDATE register_state SET last_version = ?"
"""Takes the highest version that was ever given out."""

_pack = msgspec.msgpack.Encoder().encode


def put_household(household: Household, version: int) -> list[Statement]:
    """Return what adds a household or takes the place of what was known of it.

    Args:
        household: sound, and none of its members is in another one.
        version: a new one, which counts if the household is new or changed.
    """
    put = (
        "INSERT INTO household (household_id, version, record) VALUES (?, ?, ?)"
        " ON CONFLICT (household_id) DO UPDATE SET version = excluded.version,"
        " record = excluded.record WHERE household.record IS NOT excluded.record"
    )
    member = (
        "INSERT INTO resident (resident_id, household_id, birth_on, resident_since, is_head,"
        " standing) VALUES (?, ?, ?, ?, ?, ?)"
    )
    return [
        empty_household(household.household_id),
        (put, (household.household_id, version, _pack(household))),
        *((member, _resident(household, one)) for one in household.members),
    ]


def empty_household(household_id: str) -> Statement:
    """Return what lets the members go, so that they can come into another household."""
    return "DELETE FROM resident WHERE household_id = ?", (household_id,)


def remove_household(household_id: str) -> list[Statement]:
    """Return what removes a household with its members."""
    gone = "DELETE FROM household WHERE household_id = ?"
    return [empty_household(household_id), (gone, (household_id,))]


def put_record(record: OtherRecord, version: int) -> list[Statement]:
    """Return what adds a record of another register or takes the place of the one of its key.

    Args:
        record: sound, and no holder has another record for the same kind.
        version: a new one, which counts if the record is new or changed.
    """
    key, bar = record_key(record), bar_of(record)
    put = (
        "INSERT INTO register_record (record_key, version, record, bar, fiscal_year)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (record_key) DO UPDATE SET"
        " version = excluded.version, record = excluded.record, bar = excluded.bar,"
        " fiscal_year = excluded.fiscal_year"
        " WHERE register_record.record IS NOT excluded.record"
    )
    values = (key, version, _pack(record), bar.value if bar else None, fiscal_year_of(record))
    holder = (
        "INSERT INTO register_record_holder (resident_id, kind, record_id)"
        " SELECT ?, ?, record_id FROM register_record WHERE record_key = ?"
    )
    return [
        _free_holders(key),
        (put, values),
        *((holder, (resident_id, kind.value, key)) for resident_id, kind in holders_of(record)),
    ]


def remove_record(key: str) -> list[Statement]:
    """Return what removes a record; ``key`` is that of :func:`core.record_holders.record_key`."""
    gone = "DELETE FROM register_record WHERE record_key = ?"
    return [_free_holders(key), (gone, (key,))]


def _free_holders(key: str) -> Statement:
    sql = (
        "DELETE FROM register_record_holder WHERE record_id ="
        " (SELECT record_id FROM register_record WHERE record_key = ?)"
    )
    return sql, (key,)


def _resident(household: Household, member: Resident) -> tuple[object, ...]:
    return (
        member.resident_id,
        household.household_id,
        _day(member.birth.on),
        _day(member.became_resident_on.on),
        member.resident_id == household.head_id,
        member.standing.value,
    )


def _day(on: date | None) -> str | None:
    return None if on is None else on.isoformat()
