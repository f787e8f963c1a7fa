"""The tables of a city in memory: rows that never change, and one open transaction over them.

What a transaction writes lies over the table until it is committed, so that whoever reads beside it
sees the last commit, as a second connection to a database does.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, Generic, TypeVar

import msgspec

from issuance_server.core.bars import Bar
from issuance_server.core.cards import CardKind
from issuance_server.core.day_counts import FeeState
from issuance_server.core.day_facts import OpeningEnd
from issuance_server.core.domicile_changes import RequestState
from issuance_server.core.family_register import AddressHistory, FamilyRegister
from issuance_server.core.freshness import CopyState
from issuance_server.core.notices import NoticeState
from issuance_server.core.records import IssuingStopped
from issuance_server.core.register import Household
from issuance_server.core.seal_register import SealRegistration
from issuance_server.core.standing import Standing
from issuance_server.core.suppression import SubjectKind, Suppression
from issuance_server.core.tables.loaded import LoadedTables
from issuance_server.core.tax_register import TaxRecord
from issuance_server.core.terminal_place import TerminalClass
from protocol.errors import JournalFailed
from protocol.issuance import IssuanceState
from protocol.kinds import Kind
from protocol.telegrams import Counters
from protocol.terminal_statements import FailureCause

Key = TypeVar("Key")
Row = TypeVar("Row")

FOREVER_MS = 1 << 62
"""Until when a subject is open that has not ended."""


class _Gone:
    """Stands where a transaction has deleted a row."""


GONE: Any = _Gone()


class Table(Generic[Key, Row]):
    """Rows by their key, in the order in which they came.

    Attributes:
        name: for messages.
        kept: as of the last commit.
        new: what the open transaction has written.
    """

    __slots__ = ("_changed", "kept", "name", "new")

    def __init__(self, name: str, changed: "list[Table[Any, Any]]") -> None:
        self.name = name
        self.kept: dict[Key, Row] = {}
        self.new: dict[Key, Row] = {}
        self._changed = changed

    def get(self, key: Key) -> Row | None:
        """Return a row as the open transaction sees it."""
        if self.new:
            row = self.new.get(key)
            if row is not None:
                return None if row is GONE else row
        return self.kept.get(key)

    def put(self, key: Key, row: Row) -> None:
        """Write a row, whether it was there or not."""
        if not self.new:
            self._changed.append(self)
        self.new[key] = row

    def insert(self, key: Key, row: Row) -> None:
        """Write a row that must not be there.

        Raises:
            JournalFailed: it is.
        """
        if self.get(key) is not None:
            raise JournalFailed(f"the journal cannot be written: {self.name} has this key already")
        self.put(key, row)

    def drop(self, key: Key) -> None:
        """Delete a row, if it is there."""
        if key in self.kept:
            self.put(key, GONE)
        else:
            self.new.pop(key, None)

    def clear(self) -> None:
        """Delete all rows."""
        for key, _ in list(self.items()):
            self.drop(key)

    def items(self) -> Iterator[tuple[Key, Row]]:
        """Yield keys and rows as the open transaction sees them."""
        new = self.new
        if not new:
            yield from self.kept.items()
            return
        for key, row in self.kept.items():
            now = new.get(key, row)
            if now is not GONE:
                yield key, now
        for key, row in new.items():
            if key not in self.kept and row is not GONE:
                yield key, row

    def any(self) -> bool:
        """Tell whether there may be a row."""
        return bool(self.kept or self.new)


class Issuance(msgspec.Struct, frozen=True, kw_only=True):
    """An issuance, as operators see it."""

    visit_id: bytes
    terminal: str
    card_ref: str
    kind: Kind
    copies: int
    numbers: tuple[str, ...]
    fee_yen: int
    business_day: str
    applied_at_ms: int
    state: IssuanceState = IssuanceState.APPLIED
    fee: FeeState = FeeState.NONE
    sheets: int | None = None
    code: int | None = None
    deletion_reported: bool = False
    key_destroyed: bool = False
    released_at_ms: int | None = None
    reported_at_ms: int | None = None
    failure_cause: FailureCause | None = None
    ended_at_ms: int | None = None
    end_day: str | None = None


class Number(msgspec.Struct, frozen=True):
    """A 発行番号 and what it is worth."""

    issuance_id: bytes
    copy: int
    state: str


class Terminal(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal that was ever registered."""

    line_id: bytes
    chain: str
    store: str
    in_city: bool
    terminal_class: TerminalClass
    registered_at_ms: int
    revoked_at_ms: int | None = None
    stopped_at_ms: int | None = None
    inspected_at_ms: int | None = None


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A key certificate of a terminal."""

    terminal: str
    report_key: bytes
    since_ms: int
    until_ms: int
    revoked_at_ms: int | None = None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A card that was ever registered."""

    kind: CardKind
    resident_id: str
    certificate_serial: str | None
    registered_at_ms: int
    usable_from: str | None = None
    withdrawn_at_ms: int | None = None


class CardRegistration(msgspec.Struct, frozen=True, kw_only=True):
    """A registration that is not finished."""

    kind: CardKind
    resident_id: str
    certificate_serial: str | None = None


class OtherRow(msgspec.Struct, frozen=True, kw_only=True):
    """A record of another register."""

    version: int
    record: SealRegistration | TaxRecord | FamilyRegister | AddressHistory
    bar: Bar | None
    fiscal_year: int | None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What a household says of one of its members, for ``core.facts.HolderFacts``."""

    birth_on: date | None
    standing: Standing
    resident_since: date | None
    household_members: int
    others: frozenset[Standing]
    head_removed: bool


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """An opening of a line."""

    terminal: str
    opened_at_ms: int
    opened_day: str
    ended_at_ms: int | None = None
    ended_day: str | None = None
    end: OpeningEnd | None = None
    ours: Counters | None = None
    theirs: Counters | None = None
    settled_at_ms: int | None = None

    @property
    def differs(self) -> bool:
        """Whether the sides counted differently, whatever people found out since."""
        return self.ours != self.theirs


class WaitingNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice in the outbox, or one that was there."""

    resident_id: str
    kind: Kind
    store: str
    issued_business_ms: int
    queued_at_ms: int
    next_try_at_ms: int | None
    state: NoticeState = NoticeState.PENDING
    tries: int = 0
    sent_at_ms: int | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request by 本籍, and what was typed for it until that is forgotten."""

    terminal: str
    card_ref: str
    request_digest: bytes
    asked_at_ms: int
    state: RequestState = RequestState.ACCEPTED
    resident_id: str | None = None
    matched_by: str | None = None
    usable_from: str | None = None
    decided_at_ms: int | None = None
    words: str | None = None


class Tables:
    """All tables of a city, under the names that they have in the database."""

    def __init__(self) -> None:
        self.changed: list[Table[Any, Any]] = []
        self.ends: list[tuple[int, bytes]] | None = None
        """A heap of when open subjects end, also of such as end otherwise by now; None: unknown."""
        self.places: dict[str, tuple[Household, Place]] = {}
        """Of residents in the household as it was when somebody asked; worth nothing otherwise."""
        self.open_subject: Table[bytes, int] = self._table("open_subject")
        self.issuance: Table[bytes, Issuance] = self._table("issuance")
        self.certificate_number: Table[str, Number] = self._table("certificate_number")
        self.number_serial: Table[str, int] = self._table("number_serial")
        self.issuance_key: Table[bytes, tuple[str, bytes]] = self._table("issuance_key")
        self.terminal: Table[str, Terminal] = self._table("terminal")
        self.terminal_certificate: Table[bytes, Certificate] = self._table("terminal_certificate")
        self.card: Table[str, Card] = self._table("card")
        self.card_of_serial: Table[str, str] = self._table("card_certificate")
        self.card_registration: Table[str, CardRegistration] = self._table("card_registration")
        self.household: Table[str, tuple[Household, int]] = self._table("household")
        self.resident: Table[str, str] = self._table("resident")
        self.register_record: Table[str, OtherRow] = self._table("register_record")
        self.records_of: Table[str, tuple[tuple[Kind, str], ...]] = self._table(
            "register_record_holder"
        )
        self.suppression: Table[str, Suppression] = self._table("suppression")
        self.suppressions_of: Table[tuple[SubjectKind, str], tuple[str, ...]] = self._table(
            "suppression_subject"
        )
        self.register_edit: Table[tuple[SubjectKind, str], int] = self._table("register_edit")
        self.register_state: Table[None, CopyState] = self._table("register_state")
        self.last_version: Table[None, int] = self._table("last_version")
        self.city_tables: Table[int, LoadedTables] = self._table("city_tables")
        self.line_opening: Table[int, Opening] = self._table("line_opening")
        self.open_line: Table[str, int] = self._table("line_opening_open")
        self.line_carried_over: Table[tuple[str, str], int] = self._table("line_carried_over")
        self.closed_day: Table[str, tuple[int, str]] = self._table("closed_day")
        self.notice_subscription: Table[str, tuple[str, int]] = self._table("notice_subscription")
        self.notice: Table[str, WaitingNotice] = self._table("notice")
        self.domicile_request: Table[bytes, Request] = self._table("domicile_request")
        self.domicile_applicant: Table[bytes, str] = self._table("domicile_applicant")
        self.approved_request: Table[str, bytes] = self._table("domicile_request_approved")
        self.operator_nonce: Table[bytes, tuple[str, str | None]] = self._table("operator_nonce")
        self.issuing_stopped: Table[None, IssuingStopped] = self._table("issuing-stopped")
        self.manifest: Table[None, dict[str, str]] = self._table("manifest")
        self.first_serial: Table[None, int] = self._table("first-serial")
        self.judge_report: Table[None, tuple[int, int]] = self._table("judge_report")

    def commit(self) -> None:
        """Let what the open transaction wrote become the tables."""
        for table in self.changed:
            kept = table.kept
            for key, row in table.new.items():
                if row is GONE:
                    kept.pop(key, None)
                else:
                    kept[key] = row
            table.new = {}
        self.changed.clear()

    def roll_back(self) -> None:
        """Forget what the open transaction wrote."""
        if self.changed:
            self.ends = None
        for table in self.changed:
            table.new = {}
        self.changed.clear()

    def undoing(self) -> list[tuple[dict[Any, Any], Any, Any]]:
        """Return what would take the open transaction back after its commit: rows as they are."""
        return [
            (table.kept, key, table.kept.get(key, GONE))
            for table in self.changed
            for key in table.new
        ]

    def _table(self, name: str) -> Table[Any, Any]:
        return Table(name, self.changed)
