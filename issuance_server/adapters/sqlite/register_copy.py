"""Reading the copy of the registers: a holder's facts, and what a certificate is made of."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import aiosqlite
import msgspec

from issuance_server.certificates.order import Record
from issuance_server.certificates.source import CertificateSource
from issuance_server.core.bars import Bar
from issuance_server.core.facts import HolderFacts
from issuance_server.core.register import Household
from issuance_server.core.standing import Standing
from issuance_server.core.suppression import Ground, SubjectKind, SuppressionReason
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
    "SELECT h.household_id, h.version, r.birth_on, r.resident_since, r.standing,"
    " (SELECT group_concat(s.reason) FROM suppression s WHERE s.resident_id = r.resident_id),"
    " (SELECT group_concat(s.reason) FROM suppression s WHERE s.household_id = r.household_id),"
    " EXISTS (SELECT 1 FROM register_edit e WHERE e.household_id = r.household_id"
    "  OR e.resident_id IN"
    "  (SELECT m.resident_id FROM resident m WHERE m.household_id = r.household_id)),"
    " s.watermark_ms, s.stand_in_until_ms"
    " FROM resident r JOIN household h USING (household_id), register_state s"
    " WHERE r.resident_id = ?"
)
_MEMBERS_SQL = (
    "SELECT m.resident_id, m.standing, m.is_head,"
    " EXISTS (SELECT 1 FROM suppression s WHERE s.resident_id = m.resident_id)"
    " FROM resident m WHERE m.household_id = ?"
)
_RECORDS_SQL = (
    "SELECT p.kind, o.version, o.bar, o.fiscal_year,"
    " EXISTS (SELECT 1 FROM register_record_holder q LEFT JOIN resident m USING (resident_id)"
    "  JOIN suppression s ON s.resident_id = q.resident_id OR s.household_id = m.household_id"
    "  WHERE q.record_id = p.record_id AND q.kind = p.kind AND q.resident_id <> p.resident_id)"
    " FROM register_record_holder p JOIN register_record o USING (record_id)"
    " WHERE p.resident_id = ?"
)
_REASONS = {reason.value: reason for reason in SuppressionReason}


def household_of(row: tuple[Any, ...]) -> tuple[Household, int]:
    """Return household and version from a row of :data:`HOUSEHOLD_SQL`.

    Who is removed from the register is shown to nobody, so nobody further on ever sees them.
    """
    return msgspec.msgpack.decode(row[0], type=Household).without_removed(), row[1]


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
    household_id, version, birth_on, resident_since, standing, *rest = rows[0]
    *grounds, under_edit, watermark_ms, stand_in_until_ms = rest
    members = list(await connection.execute_fetchall(_MEMBERS_SQL, (household_id,)))
    records = list(await connection.execute_fetchall(_RECORDS_SQL, (resident_id,)))
    others = [member for member in members if member[0] != resident_id]
    standings = {member[0]: Standing(member[1]) for member in members}
    return HolderFacts(
        household_id=household_id,
        register_version=version,
        birth_on=_day(birth_on),
        suppressions=tuple(_grounds(*grounds)),
        standing=Standing(standing),
        resident_since=_day(resident_since),
        register_age_ms=real_ms - watermark_ms,
        household_members=sum(not one.is_removed for one in standings.values()),
        others=frozenset(standings[other[0]] for other in others),
        member_suppressed=any(other[3] for other in others),
        head_removed=any(member[2] and standings[member[0]].is_removed for member in members),
        record_versions={Kind(row[0]): row[1] for row in records},
        bars={Kind(row[0]): Bar(row[2]) for row in records if row[2] is not None},
        tax_year=next((row[3] for row in records if row[3] is not None), None),
        shows_suppressed=frozenset(Kind(row[0]) for row in records if row[4]),
        under_edit=bool(under_edit),
        stand_in=stand_in_until_ms is not None and real_ms < stand_in_until_ms,
    )


def _grounds(of_person: str | None, of_household: str | None) -> Iterator[Ground]:
    """Yield what lies on both; a reason that this version does not know suppresses as well."""
    for subject_kind, words in (
        (SubjectKind.PERSON, of_person),
        (SubjectKind.HOUSEHOLD, of_household),
    ):
        for word in words.split(",") if words else ():
            yield Ground(subject_kind, _REASONS.get(word, SuppressionReason.OTHER))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
