"""Records and a key for tests of stores."""

from issuance_server.core import records as r
from issuance_server.core.effects import KeepKey
from issuance_server.ports import Store
from protocol.kinds import Kind, Options
from protocol.terminal_statements import FailureCause, PrintOutcome
from tests.core.made import CARD_REF, ISSUANCE, START_REAL_MS, TERMINAL, VISIT
from tests.sim.store.pair import HOLDER_ID

KEY = KeepKey(issuance_id=ISSUANCE, key_day="2026-11-30", wrapped_key=b"w" * 40)


def begun(visit_id: bytes = VISIT, at_ms: int = START_REAL_MS) -> r.VisitBegun:
    """Return the record of a visit."""
    return r.VisitBegun(
        at_ms=at_ms, visit_id=visit_id, terminal=TERMINAL, deadline_ms=at_ms + 60_000
    )


def applied(
    issuance_id: bytes = ISSUANCE, number: str = "K-1", terminal: str = TERMINAL
) -> r.IssuanceApplied:
    """Return the record of an application with one number."""
    return r.IssuanceApplied(
        at_ms=START_REAL_MS,
        issuance_id=issuance_id,
        visit_id=VISIT,
        terminal=terminal,
        card_ref=CARD_REF,
        resident_id=HOLDER_ID,
        kind=Kind.JUMINHYO,
        options=Options(),
        copies=1,
        fee_yen=200,
        request_digest=bytes(32),
        business_day="2026-11-30",
        numbers=(number,),
        last_serial=7,
        register_version=1,
        business_ms=START_REAL_MS,
        deadline_ms=START_REAL_MS,
    )


def printed(issuance_id: bytes, at_ms: int, cause: FailureCause) -> r.PrintReported:
    """Return the record of a report."""
    outcome = PrintOutcome.PRINTED if cause is FailureCause.NONE else PrintOutcome.FAILED
    return r.PrintReported(
        at_ms=at_ms,
        issuance_id=issuance_id,
        outcome=outcome,
        sheets_out=1,
        sheets_unknown=False,
        cause=cause,
        reported_at_ms=at_ms,
        signature=bytes(64),
        deadline_ms=at_ms,
    )


async def write(store: Store, *records: r.AnyRecord) -> None:
    """Write records in one transaction."""
    async with store.transaction() as transaction:
        for record in records:
            transaction.write(record)
