"""What a terminal signs about an issuance, with the key of its key certificate."""

from enum import Enum

import msgspec

from protocol.fields import Id, Sheets, TimeMs
from protocol.statements import statement


class PrintOutcome(Enum):
    """What became of the printing; it decides over the money (TP-115)."""

    PRINTED = "printed"
    FAILED = "failed"


class FailureCause(Enum):
    """Why a print failed, as far as the terminal knows."""

    NONE = "none"
    NO_RELEASE_ANSWER = "no-release-answer"
    BINDING_MISMATCH = "binding-mismatch"
    PRINTER = "printer"
    POWER_LOSS = "power-loss"
    CANCELLED = "cancelled"


class PrintReport(msgspec.Struct, frozen=True, kw_only=True):
    """What left the printer.

    Attributes:
        issuance_id: the issuance.
        outcome: printed or failed.
        sheets_out: sheets that left the printer; at least that many where ``sheets_unknown``.
        sheets_unknown: the terminal died between a sheet and its record (TP-113).
        cause: why it failed.
        at_ms: the terminal's clock.
    """

    issuance_id: Id
    outcome: PrintOutcome
    sheets_out: Sheets
    sheets_unknown: bool
    cause: FailureCause
    at_ms: TimeMs

    def statement(self, terminal: str) -> bytes:
        """Return the bytes that the terminal signs (TP-080)."""
        return statement(
            "print-report",
            terminal,
            self.issuance_id,
            self.outcome.value,
            self.sheets_out,
            int(self.sheets_unknown),
            self.cause.value,
            self.at_ms,
        )


class DeletionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Spool and key of one issuance are erased at the terminal.

    Attributes:
        issuance_id: the issuance.
        at_ms: the terminal's clock.
    """

    issuance_id: Id
    at_ms: TimeMs

    def statement(self, terminal: str) -> bytes:
        """Return the bytes that the terminal signs (TP-081)."""
        return statement("deletion-report", terminal, self.issuance_id, self.at_ms)
