"""Reading the copy of the registers: a holder's facts, and what a certificate is made of."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import aiosqlite
import msgspec

from issuance_server.certificates.order import Record
from issuance_server.core.facts import HolderFacts
from issuance_server.core.register import Household
from protocol.kinds import Kind

HOUSEHOLD_SQL = (
    "SELECT h.record, h.version FROM resident r JOIN household h USING (household_id)"
    " WHERE r.resident_id = ?"
)
"""Takes the 宛名番号."""

SOURCE_SQL = (
    "SELECT h.record, h.version, o.record, o.version"
    " FROM resident r JOIN household h USING (household_id)"
    " LEFT JOIN register_record_holder p ON p.resident_id = r.resident_id AND p.kind = ?"
    " LEFT JOIN register_record o USING (record_id)"
    " WHERE r.resident_id = ?"
)
"""Takes the kind and the 宛名番号; gives a row for :func:`source_of`."""

_HOLDER_SQL = (
    "SELECT h.household_id, h.version, r.birth_on,"
    " EXISTS (SELECT 1 FROM suppression s"
    "  WHERE s.resident_id = r.resident_id OR s.household_id = r.household_id),"
    " (SELECT watermark_ms FROM register_state),"
    " (SELECT count(*) FROM resident m WHERE m.household_id = r.household_id)"
    " FROM resident r JOIN household h USING (household_id) WHERE r.resident_id = ?"
)
_RECORD_VERSIONS_SQL = (
    "SELECT p.kind, o.version FROM register_record_holder p"
    " JOIN register_record o USING (record_id) WHERE p.resident_id = ?"
)


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


def household_of(row: tuple[Any, ...]) -> tuple[Household, int]:
    """Return household and version from a row of :data:`HOUSEHOLD_SQL`."""
    return msgspec.msgpack.decode(row[0], type=Household), row[1]


def source_of(row: tuple[Any, ...]) -> CertificateSource:
    """Return what a row of :data:`SOURCE_SQL` holds."""
    household, register_version = household_of(row)
    packed, record_version = row[2:]
    return CertificateSource(
        household=household,
        register_version=register_version,
        record=None if packed is None else msgspec.msgpack.decode(packed, type=Record),
        record_version=record_version,
    )


async def holder_facts(
    connection: aiosqlite.Connection, resident_id: str, real_ms: int
) -> HolderFacts | None:
    """Read a holder's facts, as of the connection's transaction; None for an unknown holder."""
    rows = list(await connection.execute_fetchall(_HOLDER_SQL, (resident_id,)))
    if not rows:
        return None
    household_id, register_version, birth_on, suppressed, watermark_ms, members = rows[0]
    versions = await connection.execute_fetchall(_RECORD_VERSIONS_SQL, (resident_id,))
    return HolderFacts(
        household_id=household_id,
        register_version=register_version,
        birth_on=date.fromisoformat(birth_on) if birth_on else None,
        suppressed=bool(suppressed),
        register_age_ms=real_ms - watermark_ms,
        household_members=members,
        record_versions={Kind(kind): version for kind, version in versions},
    )
