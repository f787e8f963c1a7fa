"""Requests by 本籍, and what the registers have of people who live elsewhere.

Such a holder has a 宛名番号 and stands in a family register and its address history, but in no
household of this city; the household of the certificate's order is made of the register's entry.
"""

from datetime import date
from typing import Any

import aiosqlite
import msgspec

from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.certificates.order import Record
from issuance_server.certificates.source import CertificateSource
from issuance_server.core.bars import Bar
from issuance_server.core.domicile_changes import KnownRequest, RequestState
from issuance_server.core.facts import NO_HOUSEHOLD_VERSION, HolderFacts
from issuance_server.core.family_register import AddressHistory, FamilyRegister
from issuance_server.core.kind_eligibility import DOMICILE_KINDS
from issuance_server.core.register import Household, RegisterDate, Resident, Sex
from issuance_server.core.suppression import Ground, SubjectKind, SuppressionReason
from protocol.kinds import Kind

_KNOWN = (
    "SELECT q.request_id, q.request_digest, q.state, q.usable_from, q.words FROM domicile_request q"
)
_RECORDS = (
    "SELECT p.kind, o.version, o.bar, o.record,"
    " EXISTS (SELECT 1 FROM register_record_holder q LEFT JOIN resident m USING (resident_id)"
    "  JOIN suppression s ON s.resident_id = q.resident_id OR s.household_id = m.household_id"
    "  WHERE q.record_id = p.record_id AND q.kind = p.kind AND q.resident_id <> p.resident_id)"
    " FROM register_record_holder p JOIN register_record o USING (record_id)"
    " WHERE p.resident_id = ?"
)
_STATE = (
    "SELECT watermark_ms, stand_in_until_ms,"
    " EXISTS (SELECT 1 FROM register_edit WHERE resident_id = ?1) FROM register_state"
)


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """A request, for operators: nothing of what was typed.

    Attributes:
        request: its id, 32 hexadecimal digits.
        state: ``accepted``, ``matched``, ``approved`` or ``rejected``.
        terminal: where it was made.
        asked_at_ms: when.
        matched_by: who found the person.
        usable_from: the first day, ``YYYY-MM-DD``.
        decided_at_ms: when it was approved or rejected.
    """

    request: str
    state: str
    terminal: str
    asked_at_ms: int
    matched_by: str | None
    usable_from: str | None
    decided_at_ms: int | None


class ApplicantRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed, for the operator who compares it. Its ``repr`` shows nothing of it."""

    domicile: str
    register_head: str
    name: str
    birth: str
    phone: str
    certificate_serial: str

    def __repr__(self) -> str:
        return "ApplicantRow(...)"


async def known_request(
    connection: aiosqlite.Connection, request_id: bytes | None, serial: str | None
) -> KnownRequest | None:
    """Return a request by its id, or else the latest one of a certificate that stands open or not.

    Args:
        connection: in the deciding transaction.
        request_id: of the request that came in.
        serial: of the certificate, in hexadecimal.
    """
    if request_id is not None:
        found = await _first(connection, f"{_KNOWN} WHERE q.request_id = ?", request_id)
        if found is not None:
            return found
    sql = (
        f"{_KNOWN} JOIN domicile_applicant a USING (request_id) WHERE a.certificate_serial = ?"
        " ORDER BY q.asked_at_ms DESC LIMIT 1"
    )
    return None if serial is None else await _first(connection, sql, serial)


async def is_by_domicile(connection: aiosqlite.Connection, card_ref: str) -> bool:
    """Tell whether a card was registered by 本籍."""
    sql = "SELECT 1 FROM domicile_request WHERE card_ref = ? AND state = 'approved'"
    return bool(list(await connection.execute_fetchall(sql, (card_ref,))))


async def holder_by_domicile(
    connection: aiosqlite.Connection, resident_id: str, real_ms: int
) -> HolderFacts | None:
    """Read the facts of a holder who lives elsewhere; None if no register has the person."""
    rows = [
        row
        for row in await connection.execute_fetchall(_RECORDS, (resident_id,))
        if Kind(row[0]) in DOMICILE_KINDS and resident_in(_record(row[3]), resident_id) is not None
    ]
    if not rows:
        return None
    (state,) = await connection.execute_fetchall(_STATE, (resident_id,))
    suppressed = await connection.execute_fetchall(
        "SELECT reason FROM suppression WHERE resident_id = ?", (resident_id,)
    )
    reasons = {reason.value: reason for reason in SuppressionReason}
    himself = resident_in(_record(rows[0][3]), resident_id)
    return HolderFacts(
        household_id="",
        register_version=NO_HOUSEHOLD_VERSION,
        birth_on=None if himself is None else himself.birth.on,
        suppressions=tuple(
            Ground(SubjectKind.PERSON, reasons.get(row[0], SuppressionReason.OTHER))
            for row in suppressed
        ),
        register_age_ms=real_ms - state[0],
        household_members=1,
        record_versions={Kind(row[0]): row[1] for row in rows},
        bars={Kind(row[0]): Bar(row[2]) for row in rows if row[2] is not None},
        shows_suppressed=frozenset(Kind(row[0]) for row in rows if row[4]),
        under_edit=bool(state[2]),
        stand_in=state[1] is not None and real_ms < state[1],
        by_domicile=True,
    )


def source_by_domicile(row: tuple[Any, ...], resident_id: str) -> CertificateSource | None:
    """Return what a certificate is made of, from a record and its version."""
    record = _record(row[0])
    himself = resident_in(record, resident_id)
    if himself is None:
        return None
    household = Household(
        household_id=resident_id,
        address="不明",
        head_id=resident_id,
        members=(himself,),
    )
    return CertificateSource(
        household=household,
        register_version=NO_HOUSEHOLD_VERSION,
        record=record,
        record_version=row[1],
    )


SOURCE_SQL = (
    "SELECT o.record, o.version FROM register_record_holder p"
    " JOIN register_record o USING (record_id) WHERE p.kind = ? AND p.resident_id = ?"
)
"""Takes the kind and the 宛名番号; gives a row for :func:`source_by_domicile`."""


async def request_rows(reader: Reader, *, undecided: bool) -> list[RequestRow]:
    """Return requests, oldest first; or those alone that wait for somebody."""
    sql = (
        "SELECT lower(hex(request_id)) AS request, state, terminal, asked_at_ms, matched_by,"
        " usable_from, decided_at_ms FROM domicile_request"
        " WHERE NOT ?1 OR decided_at_ms IS NULL ORDER BY asked_at_ms, request_id LIMIT 1000"
    )
    return [msgspec.convert(dict(row), RequestRow) for row in await reader.all(sql, (undecided,))]


async def request_row(reader: Reader, request_id: bytes) -> RequestRow | None:
    """Return one request."""
    rows = await request_rows(reader, undecided=False)
    return next((row for row in rows if row.request == request_id.hex()), None)


async def applicant_row(reader: Reader, request_id: bytes) -> ApplicantRow | None:
    """Return what was typed, unless it is erased."""
    sql = (
        "SELECT domicile, register_head, name, birth, phone, certificate_serial"
        " FROM domicile_applicant WHERE request_id = ?"
    )
    rows = await reader.all(sql, (request_id,))
    return msgspec.convert(dict(rows[0]), ApplicantRow) if rows else None


async def card_of_serial(reader: Reader, serial: str) -> bool:
    """Tell whether a card with this certificate is registered already."""
    sql = "SELECT 1 FROM card WHERE certificate_serial = ? AND withdrawn_at_ms IS NULL"
    return bool(await reader.all(sql, (serial,)))


async def stands_in_register(reader: Reader, resident_id: str) -> bool:
    """Tell whether a family register of this city has the person."""
    sql = "SELECT 1 FROM register_record_holder WHERE resident_id = ? AND kind = ?"
    return bool(await reader.all(sql, (resident_id, Kind.KOSEKI_KOJIN.value)))


def _record(packed: bytes) -> Record:
    record: Record = msgspec.msgpack.decode(packed, type=Record)
    return record


def resident_in(record: Record, resident_id: str) -> Resident | None:
    """Return the person of a family register or address history, as an order needs one."""
    if not isinstance(record, FamilyRegister | AddressHistory):
        return None
    found = record.person(resident_id)
    if found is None or found.birth is None:
        return None
    unknown = RegisterDate(text="不明")
    return Resident(
        resident_id=resident_id,
        household_id=resident_id,
        name=found.name,
        kana="",
        birth=found.birth,
        sex=found.sex or Sex.FEMALE,
        relationship="世帯主",
        became_resident_on=unknown,
        address_since=unknown,
        notified_on=unknown,
    )


async def _first(connection: aiosqlite.Connection, sql: str, value: object) -> KnownRequest | None:
    rows = list(await connection.execute_fetchall(sql, (value,)))
    if not rows:
        return None
    request_id, digest, state, usable_from, words = rows[0]
    return KnownRequest(
        request_id=request_id,
        request_digest=digest,
        state=RequestState(state),
        usable_from=None if usable_from is None else date.fromisoformat(usable_from),
        words=words or "",
    )
