"""Questions about the register copy: how it stands, and what a batch of changes must agree with."""

from typing import Any

import msgspec

from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.core.freshness import CopyState
from issuance_server.core.register_desk import register_suppression_id
from issuance_server.core.register_index import Index, Touched
from issuance_server.core.suppression import SubjectKind

EDITS_LISTED_MAX = 1_000

STATE_SQL = (
    "SELECT watermark_ms, sequence, gap_expected, gap_found, gap_at_ms, stand_in_since_ms,"
    " stand_in_until_ms FROM register_state"
)


class EditRow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody or a household that staff has open for editing."""

    subject_kind: str
    subject_id: str
    since_ms: int


class CopySizes(msgspec.Struct, frozen=True, kw_only=True):
    """What the copy holds."""

    households: int
    residents: int
    records: int
    edits: int


def state_of(row: tuple[Any, ...]) -> CopyState:
    """Return what a row of :data:`STATE_SQL` says."""
    watermark_ms, sequence, expected, found, gap_at_ms, since_ms, until_ms = row
    return CopyState(
        watermark_ms=watermark_ms,
        sequence=sequence,
        gap=None if expected is None else (expected, found),
        gap_at_ms=gap_at_ms,
        stand_in_since_ms=since_ms,
        stand_in_until_ms=until_ms,
    )


async def copy_state(reader: Reader) -> CopyState:
    """Return how the copy stands."""
    rows = await reader.all(STATE_SQL)
    return state_of(tuple(rows[0]))


async def copy_sizes(reader: Reader) -> CopySizes:
    """Return how much the copy holds."""
    rows = await reader.all(
        "SELECT (SELECT count(*) FROM household), (SELECT count(*) FROM resident),"
        " (SELECT count(*) FROM register_record), (SELECT count(*) FROM register_edit)"
    )
    households, residents, records, edits = rows[0]
    return CopySizes(households=households, residents=residents, records=records, edits=edits)


async def open_edits(reader: Reader) -> list[EditRow]:
    """Return the oldest open edits, at most ``EDITS_LISTED_MAX``."""
    sql = "SELECT resident_id, household_id, since_ms FROM register_edit ORDER BY since_ms LIMIT ?"
    return [_edit(row) for row in await reader.all(sql, (EDITS_LISTED_MAX,))]


async def read_index(reader: Reader, touched: Touched) -> Index:
    """Return what the copy has of everything that a batch touches."""
    households = await reader.all(
        "SELECT household_id FROM household WHERE household_id IN (SELECT value FROM json_each(?))",
        (_listed(touched.households),),
    )
    residents = await reader.all(
        "SELECT resident_id, household_id FROM resident"
        " WHERE resident_id IN (SELECT value FROM json_each(?))",
        (_listed(touched.residents),),
    )
    records = await reader.all(
        "SELECT record_key FROM register_record"
        " WHERE record_key IN (SELECT value FROM json_each(?))",
        (_listed(touched.keys),),
    )
    holdings = await reader.all(
        "SELECT h.resident_id, h.kind, o.record_key FROM register_record_holder h"
        " JOIN register_record o USING (record_id)"
        " WHERE h.resident_id IN (SELECT value FROM json_each(?))",
        (_listed(touched.holders),),
    )
    own = {register_suppression_id(one): one for one in touched.suppressions}
    suppressions = await reader.all(
        "SELECT suppression_id FROM suppression"
        " WHERE suppression_id IN (SELECT value FROM json_each(?))",
        (_listed(frozenset(own)),),
    )
    return Index(
        households={row[0] for row in households},
        residents={row[0]: row[1] for row in residents},
        records={row[0] for row in records},
        holdings={(row[0], row[1]): row[2] for row in holdings},
        suppressions={own[row[0]] for row in suppressions},
    )


def _listed(ids: frozenset[str]) -> str:
    return msgspec.json.encode(sorted(ids)).decode()


def _edit(row: Any) -> EditRow:
    person = row["resident_id"] is not None
    kind = SubjectKind.PERSON if person else SubjectKind.HOUSEHOLD
    return EditRow(
        subject_kind=kind.value,
        subject_id=row["resident_id"] if person else row["household_id"],
        since_ms=row["since_ms"],
    )
