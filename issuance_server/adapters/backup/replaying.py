"""Brings a city's database from a backup to a later moment, record by record of the audit record.

The journal is the truth and the tables follow from it, so the records that came after the backup
are written again with the statements that a server writes them with. What the journal may not hold
cannot come back this way: it is listed, for people to do it again.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from issuance_server.adapters.pin_judge.restoring import JudgeChanges
from issuance_server.adapters.sqlite.number_serials import USED_SQL
from issuance_server.adapters.sqlite.projections import statements_for
from issuance_server.core import records as r
from issuance_server.core.audit_tree import AuditTree
from issuance_server.core.audit_verification import SignedRoot
from issuance_server.core.card_registration import CardStep
from issuance_server.core.day_counts import counting_day
from issuance_server.core.facts import Now
from issuance_server.core.number_blocks import block_begin
from issuance_server.core.pin_policy import JudgeEventName
from protocol.codes import ReplyCode
from protocol.errors import SetUpError
from protocol.issuance import IssuanceState

_UNRELEASED = tuple(
    state.value for state in (IssuanceState.APPLIED, IssuanceState.QUOTED, IssuanceState.SEALED)
)
_OF_REGISTERS = (
    r.RegisterImported | r.RegisterFed | r.RegisterGapFound | r.StandInBegun | r.StandInEnded
)


@dataclass(slots=True)
class Replayed:
    """What came of it.

    Attributes:
        records: how many came after the backup and are kept.
        judge: what they say of cards and terminals.
        to_do_again: one sentence for each thing that did not come back.
    """

    records: int = 0
    judge: JudgeChanges = field(default_factory=JudgeChanges)
    to_do_again: list[str] = field(default_factory=list)


class JournalEnd:
    """The end of a journal, to which records are appended in the transaction that is open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        size, frontier = connection.execute("SELECT size, frontier FROM audit_frontier").fetchone()
        self.tree = AuditTree(size, frontier)

    def append(self, record: r.AnyRecord, packed: bytes, *, projected: bool = True) -> None:
        """Write a record as it is, and what follows from it."""
        self.tree.append(packed)
        self._connection.execute(
            "INSERT INTO journal (seq, at_ms, subject, record) VALUES (?, ?, ?, ?)",
            (self.tree.size, record.at_ms, r.subject_of(record), packed),
        )
        for sql, values in statements_for(record) if projected else ():
            self._connection.execute(sql, values)

    def close(self) -> None:
        """Write where the tree stands."""
        sql = "UPDATE audit_frontier SET size = ?, frontier = ? WHERE id = 1"
        self._connection.execute(sql, (self.tree.size, self.tree.frontier))


def replay(
    connection: sqlite3.Connection,
    leaves: Iterable[tuple[int, bytes]],
    checkpoints: Sequence[SignedRoot],
    until_ms: int | None,
) -> Replayed:
    """Append the records that follow on the database's own.

    Args:
        connection: of the restored database, in a transaction.
        leaves: number and record, of a verified export, from the first on.
        checkpoints: of the export.
        until_ms: the first record that is later ends it; None: all are taken.

    Raises:
        SetUpError: the export is of another history, or shorter than the backup.
    """
    end, replayed, left_out = JournalEnd(connection), Replayed(), _LeftOut()
    begun_at = end.tree.size
    own = connection.execute("SELECT record FROM journal ORDER BY seq")
    number = 0
    for number, packed in leaves:
        if number <= begun_at:
            if own.fetchone() != (packed,):
                raise SetUpError(
                    f"record {number} of the export is not the backup's: it is of another history"
                )
            continue
        record = _decoded(number, packed)
        if until_ms is not None and record.at_ms > until_ms:
            break
        end.append(record, packed, projected=left_out.keeps(number, record))
        _note_for_judge(record, replayed.judge)
    if number < begun_at:
        raise SetUpError(f"the export ends at record {number}, before the backup's {begun_at}")
    end.close()
    signed = "INSERT OR IGNORE INTO audit_checkpoint VALUES (?, ?, ?, ?, ?)"
    for one in checkpoints:
        if begun_at < one.size <= end.tree.size:
            row = (one.size, one.root, one.at_ms, one.signature, one.leaves)
            connection.execute(signed, row)
    replayed.records = end.tree.size - begun_at
    replayed.to_do_again = left_out.told
    return replayed


def begin_anew(
    connection: sqlite3.Connection,
    *,
    now: Now,
    backup_at_ms: int,
    used: Iterable[int] = (),
) -> tuple[r.Restored, int]:
    """Record the restore, open its block of numbers, and withdraw what was never released.

    Of an issuance without a release nothing was handed out that counts here, and its key is in no
    backup. What was released is settled as ever: by the terminal's word, or by two operators.

    Args:
        connection: of the restored database, in a transaction.
        now: both times.
        backup_at_ms: when the backup was made.
        used: serials that another database of the city has used.

    Returns:
        The record, and how many issuances were withdrawn.
    """
    end = JournalEnd(connection)
    known = [row[0] for row in connection.execute(USED_SQL)]
    restored = r.Restored(
        at_ms=now.real_ms,
        kept=end.tree.size,
        root=end.tree.root(),
        backup_at_ms=backup_at_ms,
        first_serial=block_begin(now.real_ms, [*known, *used]),
    )
    end.append(restored, r.encode_record(restored))
    closed = connection.execute("SELECT coalesce(max(day), '') FROM closed_day").fetchone()[0]
    sql = "SELECT issuance_id FROM issuance WHERE state IN (?, ?, ?) ORDER BY applied_at_ms, rowid"
    unreleased = connection.execute(sql, _UNRELEASED).fetchall()
    for (issuance_id,) in unreleased:
        withdrawn = r.IssuanceWithdrawn(
            at_ms=now.real_ms,
            issuance_id=issuance_id,
            day=counting_day(closed, now.business_ms),
            code=ReplyCode.SERVER_FAULT,
        )
        end.append(withdrawn, r.encode_record(withdrawn))
    end.close()
    return restored, len(unreleased)


def _decoded(number: int, packed: bytes) -> r.AnyRecord:
    try:
        return r.decode_record(packed)
    except msgspec.DecodeError:
        raise SetUpError(
            f"record {number} of the export is of another version of this program; restore with"
            " that one"
        ) from None


class _LeftOut:
    """Records whose tables do not follow from them: part of it was kept beside the journal."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._registers = False
        self._cards: set[str] = set()
        self._requests: set[bytes] = set()

    def keeps(self, number: int, record: r.AnyRecord) -> bool:
        """Tell whether a record's tables are to follow it."""
        match record:
            case _ if isinstance(record, _OF_REGISTERS):
                if not self._registers:
                    self._tell(number, "changes of the registers: feed them again, or import")
                self._registers = True
                return False
            case r.CardRegistrationBegun(card_ref=card_ref):
                self._cards.add(card_ref)
                self._tell(number, f"the registration of the card {card_ref}: begin it anew")
                return False
            case r.CardChanged(card_ref=card_ref):
                if record.step is CardStep.PIN_RESET and card_ref not in self._cards:
                    self._tell(number, f"the new PIN of the card {card_ref}, locked: set it anew")
                return card_ref not in self._cards
            case r.DomicileRequested(request_id=request_id):
                self._requests.add(request_id)
                self._tell(number, f"the request by 本籍 {request_id.hex()}: to be asked again")
                return False
            case r.DomicileMatched() | r.DomicileApproved() | r.DomicileRejected():
                return record.request_id not in self._requests
            case r.NoticeSubscribed(resident_id=resident_id):
                self._tell(number, f"the address for notices to {resident_id}: subscribe again")
        return True

    def _tell(self, number: int, what: str) -> None:
        self.told.append(f"record {number}: {what}")


def _note_for_judge(record: r.AnyRecord, changes: JudgeChanges) -> None:
    match record:
        case r.CardChanged(step=CardStep.WITHDRAWN, card_ref=card_ref):
            changes.gone.add(card_ref)
        case r.CardChanged(step=CardStep.REGISTERED, card_ref=card_ref):
            changes.registered.add(card_ref)
        case r.CardChanged(step=CardStep.PIN_RESET, card_ref=card_ref):
            changes.locked[card_ref] = record.at_ms
        case r.JudgeReported(event=JudgeEventName.CARD_LOCKED, card_ref=str(card_ref)):
            changes.locked[card_ref] = record.at_ms
        case r.JudgeReported(event=JudgeEventName.TERMINAL_FROZEN, terminal=str(terminal)):
            changes.frozen[terminal] = record.at_ms
            changes.thawed.discard(terminal)
        case r.JudgeReported(event=JudgeEventName.TERMINAL_UNFROZEN, terminal=str(terminal)):
            changes.frozen.pop(terminal, None)
            changes.thawed.add(terminal)
