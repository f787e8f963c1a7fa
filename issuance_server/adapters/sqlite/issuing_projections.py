"""From records of issuing as a whole to the ``meta`` table: why it is stopped, and the manifest."""

from typing import Any

import msgspec

from issuance_server.adapters.sqlite.day_reading import FetchRows
from issuance_server.adapters.sqlite.statement import Statement
from issuance_server.core import records as r
from issuance_server.core.issuing_desk import MISMATCH_WINDOW_MS
from protocol.terminal_statements import FailureCause

_PUT = (
    "INSERT INTO meta (key, value) VALUES (?, ?)"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_READ = "SELECT value FROM meta WHERE key = ?"
_STOPPED = "issuing-stopped"
_MANIFEST = "manifest"
_MISMATCHES = (
    "SELECT terminal FROM terminal t WHERE t.terminal <> ? AND EXISTS (SELECT 1 FROM issuance i"
    " WHERE i.terminal = t.terminal AND i.reported_at_ms > ? AND i.failure_cause = ?)"
    " ORDER BY terminal"
)

_decode_stop = msgspec.json.Decoder(r.IssuingStopped).decode
_decode_items = msgspec.json.Decoder(dict[str, str]).decode


def statements_for(
    record: r.IssuingStopped | r.IssuingReopened | r.ManifestDeclared,
) -> list[Statement]:
    """Return what such a record changes."""
    match record:
        case r.IssuingStopped():
            return [(_PUT, (_STOPPED, msgspec.json.encode(record).decode()))]
        case r.IssuingReopened():
            return [("DELETE FROM meta WHERE key = ?", (_STOPPED,))]
        case r.ManifestDeclared(items=items):
            return [(_PUT, (_MANIFEST, msgspec.json.encode(items, order="sorted").decode()))]


async def issuing_stop(fetch: FetchRows) -> r.IssuingStopped | None:
    """Return why nothing is issued in the whole city; None: it is not stopped."""
    rows = await fetch(_READ, (_STOPPED,))
    return _decode_stop(rows[0][0]) if rows else None


async def declared_manifest(fetch: FetchRows) -> dict[str, str] | None:
    """Return the manifest that was declared last; None: none ever was."""
    rows = await fetch(_READ, (_MANIFEST,))
    return _decode_items(rows[0][0]) if rows else None


async def mismatches_elsewhere(fetch: FetchRows, terminal: str, real_ms: int) -> tuple[str, ...]:
    """Return the other terminals that reported a mismatch within the window before a time."""
    values: tuple[Any, ...] = (
        terminal,
        real_ms - MISMATCH_WINDOW_MS,
        FailureCause.BINDING_MISMATCH.value,
    )
    return tuple(row[0] for row in await fetch(_MISMATCHES, values))
