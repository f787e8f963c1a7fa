"""What a terminal signs about paper and deletion."""

import msgspec
import pytest

from protocol.terminal_statements import (
    DeletionReport,
    FailureCause,
    PrintOutcome,
    PrintReport,
)
from tests.protocol.samples import DELETION_REPORT, ISSUANCE_ID, PRINT_REPORT
from tests.protocol.stand_in import TERMINAL

replaced = msgspec.structs.replace


def test_the_print_report_is_the_documented_statement() -> None:
    """Terminal, issuance, outcome, sheets, doubt, cause and time, in this order (TP-080)."""
    fields = [TERMINAL, ISSUANCE_ID, "failed", 1, 1, "power-loss", 1_772_000_000_000]

    assert b"kofu/1/print-report\0" + msgspec.msgpack.encode(fields) == PRINT_REPORT.statement(
        TERMINAL
    )


def test_the_deletion_report_is_the_documented_statement() -> None:
    """Terminal, issuance and time, in this order (TP-081)."""
    fields = [TERMINAL, ISSUANCE_ID, 1_772_000_000_500]

    assert b"kofu/1/deletion-report\0" + msgspec.msgpack.encode(
        fields
    ) == DELETION_REPORT.statement(TERMINAL)


@pytest.mark.parametrize(
    "changed",
    [
        replaced(PRINT_REPORT, issuance_id=bytes(16)),
        replaced(PRINT_REPORT, outcome=PrintOutcome.PRINTED),
        replaced(PRINT_REPORT, sheets_out=2),
        replaced(PRINT_REPORT, sheets_unknown=False),
        replaced(PRINT_REPORT, cause=FailureCause.PRINTER),
        replaced(PRINT_REPORT, at_ms=0),
    ],
)
def test_every_field_of_a_print_report_is_signed(changed: PrintReport) -> None:
    """Nothing of it can be changed under the signature (TP-080)."""
    assert changed.statement(TERMINAL) != PRINT_REPORT.statement(TERMINAL)


@pytest.mark.parametrize(
    "changed",
    [replaced(DELETION_REPORT, issuance_id=bytes(16)), replaced(DELETION_REPORT, at_ms=0)],
)
def test_every_field_of_a_deletion_report_is_signed(changed: DeletionReport) -> None:
    """Nothing of it can be changed under the signature (TP-081)."""
    assert changed.statement(TERMINAL) != DELETION_REPORT.statement(TERMINAL)


def test_the_terminal_is_signed_too() -> None:
    """A report of one terminal is none of another (TP-080, TP-081)."""
    assert PRINT_REPORT.statement(TERMINAL) != PRINT_REPORT.statement("T-0002")
    assert DELETION_REPORT.statement(TERMINAL) != DELETION_REPORT.statement("T-0002")
