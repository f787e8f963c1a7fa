"""Reading for the commands: short, consistent, and of nothing personal."""

from pathlib import Path
from typing import Any

import msgspec

from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.certificates.verify.verdict import NumberStatus
from issuance_server.core.records import IssuanceApplied, decode_record
from protocol.issuance import IssuanceState

ROWS_MAX = 1_000
JOURNAL_PAGE_ROWS = 2_000


_VALID = "valid"
_OF_NUMBERS = {"reserved": NumberStatus.NEVER_RELEASED, "void": NumberStatus.VOID}
_PRINTED = frozenset({IssuanceState.PRINTED.value, IssuanceState.COMPLETED.value})


class IssuanceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One issuance, as the projection has it."""

    issuance: str
    terminal: str
    card_ref: str
    kind: str
    sheets: int | None
    fee_yen: int
    fee: str
    state: str
    deletion_confirmed: bool
    numbers: tuple[str, ...]
    applied_at_ms: int


class LifeStep(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the journal about a visit or an issuance."""

    seq: int
    at_ms: int
    what: str
    details: dict[str, Any]


class CertificateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key certificate of a terminal."""

    fingerprint: str
    state: str
    since_ms: int
    until_ms: int


class TerminalRow(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal that was ever registered, with its key certificates, the newest first."""

    terminal: str
    line: str
    state: str
    chain: str
    store: str
    in_city: bool
    terminal_class: str
    registered_at_ms: int
    revoked_at_ms: int | None
    certificates: tuple[CertificateRow, ...]


class JournalRow(msgspec.Struct, frozen=True, array_like=True):
    """One leaf of the audit tree."""

    seq: int
    record: bytes


class CheckpointRow(msgspec.Struct, frozen=True, array_like=True):
    """One signed statement about the audit tree.

    ``leaves`` is not signed, but it leads from the root before to this one: the hashes of the
    records between.
    """

    size: int
    root: bytes
    at_ms: int
    signature: bytes
    leaves: bytes = b""


class FrontierRow(msgspec.Struct, frozen=True, array_like=True):
    """Where the audit tree stands: records, and the roots of its full subtrees (not signed)."""

    size: int
    frontier: bytes


class Queries:
    """Questions about issuances, numbers, cards, terminals and the journal."""

    def __init__(self, database: Path) -> None:
        self.reader = Reader(database)

    async def issuances(self, limit: int = ROWS_MAX) -> list[IssuanceRow]:
        """Return the latest issuances, oldest first.

        Args:
            limit: how many, 0 to ``ROWS_MAX``; what is outside is taken as the nearer end.
        """
        sql = (
            "SELECT * FROM (SELECT i.*, (SELECT group_concat(number, '|') FROM certificate_number n"
            " WHERE n.issuance_id = i.issuance_id) AS numbers FROM issuance i"
            " ORDER BY applied_at_ms DESC, rowid DESC LIMIT ?) ORDER BY applied_at_ms"
        )
        return [
            _issuance(row) for row in await self.reader.all(sql, (max(0, min(limit, ROWS_MAX)),))
        ]

    async def life(self, issuance_id: bytes) -> list[LifeStep]:
        """Return every record about an issuance and its visit, in order; none if unknown."""
        sql = "SELECT record FROM journal WHERE subject = ? ORDER BY seq"
        rows = await self.reader.all(sql, (issuance_id,))
        records = [decode_record(row["record"]) for row in rows]
        applied = next((r for r in records if isinstance(r, IssuanceApplied)), None)
        visit_id = applied.visit_id if applied else issuance_id
        sql = "SELECT seq, at_ms, record FROM journal WHERE subject IN (?, ?) ORDER BY seq"
        rows = await self.reader.all(sql, (issuance_id, visit_id))
        return [_step(row["seq"], row["at_ms"], row["record"]) for row in rows]

    async def number_status(self, number: str) -> NumberStatus:
        """Return what is on record for a 発行番号, without its page number."""
        sql = (
            "SELECT n.state, i.state AS issuance_state FROM certificate_number n"
            " JOIN issuance i USING (issuance_id) WHERE n.number = ?"
        )
        rows = await self.reader.all(sql, (number,))
        if not rows:
            return NumberStatus.UNKNOWN
        if rows[0]["state"] != _VALID:
            return _OF_NUMBERS[rows[0]["state"]]
        printed = rows[0]["issuance_state"] in _PRINTED
        return NumberStatus.PRINTED if printed else NumberStatus.RELEASED

    async def cards(self) -> list[tuple[str, int]]:
        """Return the registered cards' references and when they were registered."""
        sql = "SELECT card_ref, registered_at_ms FROM card ORDER BY registered_at_ms, card_ref"
        return [(row[0], row[1]) for row in await self.reader.all(sql)]

    async def terminals(self, now_ms: int) -> list[TerminalRow]:
        """Return all terminals by the time of their registration, also those that are revoked."""
        terminals = await self.reader.all("SELECT * FROM terminal ORDER BY registered_at_ms, rowid")
        sql = "SELECT * FROM terminal_certificate ORDER BY since_ms DESC, rowid DESC"
        certificates: dict[str, list[CertificateRow]] = {}
        for row in await self.reader.all(sql):
            of_terminal = certificates.setdefault(row["terminal"], [])
            of_terminal.append(_certificate(row, now_ms))
        return [_terminal(row, tuple(certificates.get(row["terminal"], ()))) for row in terminals]

    async def journal(self, after: int) -> list[JournalRow]:
        """Return the next page of leaves; short pages keep no reader open for long."""
        sql = "SELECT seq, record FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"
        return [JournalRow(*row) for row in await self.reader.all(sql, (after, JOURNAL_PAGE_ROWS))]

    async def checkpoints(self, after: int) -> list[CheckpointRow]:
        """Return the next page of signed checkpoints."""
        sql = (
            "SELECT size, root, at_ms, signature, leaves FROM audit_checkpoint WHERE size > ?"
            " ORDER BY size LIMIT ?"
        )
        return [
            CheckpointRow(*row) for row in await self.reader.all(sql, (after, JOURNAL_PAGE_ROWS))
        ]

    async def frontier(self) -> FrontierRow:
        """Return where the audit tree stands; nothing, if the database does not say."""
        rows = await self.reader.all("SELECT size, frontier FROM audit_frontier")
        return FrontierRow(*rows[0]) if rows else FrontierRow(0, b"")

    async def nonce_used(self, nonce: bytes) -> bool:
        """Tell whether an act with this nonce was recorded."""
        return bool(await self.reader.all("SELECT 1 FROM operator_nonce WHERE nonce = ?", (nonce,)))

    async def refusal_of(self, nonce: bytes) -> str | None:
        """Return why an act was refused where it was recorded; None: it was not."""
        rows = await self.reader.all("SELECT refused FROM operator_nonce WHERE nonce = ?", (nonce,))
        return rows[0][0] if rows else None


def _issuance(row: Any) -> IssuanceRow:
    return IssuanceRow(
        issuance=row["issuance_id"].hex(),
        terminal=row["terminal"],
        card_ref=row["card_ref"],
        kind=row["kind"],
        sheets=row["sheets"],
        fee_yen=row["fee_yen"],
        fee=row["fee_state"],
        state=row["state"],
        deletion_confirmed=bool(row["deletion_reported"] and row["key_destroyed"]),
        numbers=tuple((row["numbers"] or "").split("|")),
        applied_at_ms=row["applied_at_ms"],
    )


def _certificate(row: Any, now_ms: int) -> CertificateRow:
    state = "accepted" if now_ms < row["until_ms"] else "over"
    return CertificateRow(
        fingerprint=row["fingerprint"].hex(),
        state=state if row["revoked_at_ms"] is None else "revoked",
        since_ms=row["since_ms"],
        until_ms=row["until_ms"],
    )


def _terminal(row: Any, certificates: tuple[CertificateRow, ...]) -> TerminalRow:
    """Name the state: what a certificate can do matters only where the terminal may work."""
    if row["revoked_at_ms"] is not None:
        state = "revoked"
    elif row["stopped_at_ms"] is not None:
        state = "stopped"
    else:
        accepted = any(certificate.state == "accepted" for certificate in certificates)
        state = "allowed" if accepted else "expired"
    return TerminalRow(
        terminal=row["terminal"],
        line=row["line_id"].hex(),
        state=state,
        chain=row["chain"],
        store=row["store"],
        in_city=bool(row["in_city"]),
        terminal_class=row["class"],
        registered_at_ms=row["registered_at_ms"],
        revoked_at_ms=row["revoked_at_ms"],
        certificates=certificates,
    )


def _step(seq: int, at_ms: int, packed: bytes) -> LifeStep:
    """Show a record's content for people: bytes as hexadecimal digits, the holder as the card."""
    content = msgspec.msgpack.decode(packed)
    what = content.pop("record")
    content.pop("at_ms")
    content.pop("resident_id", None)  # 宛名番号 is personal; the card's reference stands for it
    details = {key: _shown(value) for key, value in content.items()}
    return LifeStep(seq=seq, at_ms=at_ms, what=what, details=details)


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return value
