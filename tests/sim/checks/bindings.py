"""1, 9 and 28: a key leaves for what is released and not printed, with a binding that binds all.

What the city signs is put together here once more, field by field as SPEC.md has it (TP-070).
"""

import hashlib
from typing import Any

import msgspec

from issuance_server.core import records as r
from protocol import telegrams as t
from protocol.binding import Binding
from protocol.terminal_statements import PrintOutcome
from tests.sim.checks.witness import Witness


class Bindings(Witness):
    """Holds every release beside the application, the quotation, and the sheets that come out."""

    def __init__(self) -> None:
        super().__init__()
        self._applied: dict[bytes, r.IssuanceApplied] = {}
        self._quoted: dict[bytes, r.IssuanceQuoted] = {}
        self._over: dict[bytes, str] = {}

    def on_city_records(
        self, _now: Any, records: list[r.AnyRecord], _kept: Any, _dropped: Any, _changes: Any
    ) -> None:
        """Remember what is on record."""
        for record in records:
            match record:
                case r.IssuanceApplied():
                    self._applied[record.issuance_id] = record
                case r.IssuanceQuoted():
                    self._quoted[record.issuance_id] = record
                case r.PrintReported():
                    printed = record.outcome is PrintOutcome.PRINTED
                    self._over[record.issuance_id] = "printed" if printed else "print-failed"
                case r.KeyDestroyed() | r.IssuanceWithdrawn() | r.IssuanceClosed():
                    self._over[record.issuance_id] = "at its end"

    def on_told(self, terminal: str, _ref: Any, telegram: t.AnyTelegram) -> None:
        """Look at every key that leaves."""
        if not isinstance(telegram, t.Released):
            return
        issuance_id, name = telegram.issuance_id, telegram.issuance_id.hex()[:8]
        if issuance_id in self._over:
            self.broken(9, f"the key of {name} left, which was {self._over[issuance_id]}")
        applied, quoted = self._applied.get(issuance_id), self._quoted.get(issuance_id)
        if applied is None or quoted is None:
            return
        bound = telegram.binding
        if _statement(bound) != bound.statement():
            self.broken(1, f"what {terminal} can verify of {name} does not bind all of it")
        promised = (
            (issuance_id, applied.request_digest, applied.card_ref, applied.numbers),
            (quoted.file_digest, quoted.pages),
        )
        if promised != (
            (bound.issuance_id, bound.request_digest, bound.holder, bound.numbers),
            (bound.file_digest, bound.pages),
        ):
            self.broken(1, f"the binding of {name} is about something else than was applied for")

    def on_sheet(self, _terminal: str, issuance_id: bytes, sheet: int, text: str) -> None:
        """See that a sheet is the one of the quotation."""
        quoted = self._quoted.get(issuance_id)
        if quoted is None or not 0 < sheet <= len(quoted.pages):
            return
        if hashlib.sha256(text.encode()).digest() != quoted.pages[sheet - 1]:
            name = issuance_id.hex()[:8]
            self.broken(28, f"{name}: sheet {sheet} is not the one whose digest the city signed")


def _statement(bound: Binding) -> bytes:
    options = bound.options
    fields = (
        bound.issuance_id,
        bound.request_digest,
        bound.holder,
        bound.kind.value,
        options.scope.value,
        options.members,
        [item.value for item in options.items],
        bound.numbers,
        bound.file_digest,
        bound.pages,
    )
    return b"kofu/1/binding\0" + msgspec.msgpack.encode(fields)
