"""What tests of the core are made of: telegrams, reports, verdicts, and a city's rules.

Everybody in here is fictitious. The card number, a name and a PIN are canaries: no record and no
log line may ever hold one.
"""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.calendar import JST
from issuance_server.core.cards import CardFacts, CardKind
from issuance_server.core.facts import HolderFacts
from issuance_server.core.pin_policy import Verdict, VerdictOutcome
from issuance_server.core.rules import CityRules
from issuance_server.core.suppression import Ground, SubjectKind, SuppressionReason
from issuance_server.core.tables.reading import read_tables
from issuance_server.core.terminal_place import TerminalClass, TerminalPlace
from protocol import telegrams as t
from protocol.kinds import Kind, Options
from protocol.terminal_statements import DeletionReport, FailureCause, PrintOutcome, PrintReport

CITY = "272035"
TERMINAL = "7E-0001"
OTHER_TERMINAL = "LW-0001"
CARD_REF = "card-0011223344556677"
RESIDENT = "10000000017"
CARD = CardFacts(card_ref=CARD_REF, kind=CardKind.JUKI, resident_id=RESIDENT)
VISIT = b"visit-one-------"
ISSUANCE = b"issuance-one----"
SEALED_DIGEST = hashlib.sha256(b"sealed").digest()
CANARIES = ("見本　健", "4938", "canary-card-number")

START_REAL_MS = 1_800_000_000_000
MINUTE_MS = 60_000

RULES = CityRules(
    city=CITY,
    city_name="豊中市",
    software="test 1",
    call_centre="06-0000-0000",
)
CHAIN = "見本"


def tables_toml(fees_yen: Mapping[Kind, int], hours: str = 'daily = "06:30-23:00"') -> bytes:
    """Return tables of one chain that issues what has a fee, always at the same hours."""
    kinds = [kind.value for kind in fees_yen]
    yen = "\n".join(f"{kind.value} = {fee}" for kind, fee in fees_yen.items())
    return f"""
[[hours]]
from = 2013-04-01
class = "store"
kinds = {kinds}
{hours}
[[yearly_closures]]
from = 2013-04-01
first = "12-29"
last = "01-03"
[[fees]]
from = 2013-04-01
channel = "store"
[fees.yen]
{yen}
[[chains]]
chain = "{CHAIN}"
from = 2013-04-01
kinds = {kinds}
[[commissions]]
chain = "{CHAIN}"
from = 2013-04-01
kinds = {kinds}
yen = 117
""".encode()


TABLES_TOML = tables_toml({Kind.JUMINHYO: 200})
TABLES = read_tables(TABLES_TOML)
PLACE = TerminalPlace(
    terminal=TERMINAL, terminal_class=TerminalClass.STORE, chain=CHAIN, in_city=True
)
HOLDER = HolderFacts(
    household_id="20000000018",
    register_version=7,
    birth_on=date(1980, 4, 1),
    register_age_ms=0,
    household_members=5,
)
SUPPRESSED = (Ground(SubjectKind.PERSON, SuppressionReason.SUPPORT),)
BAD_SIGNATURE = b"\xff" * 64


def business_ms(year: int, month: int, day: int, hour: int = 10, minute: int = 0) -> int:
    """Return a moment in Japan."""
    return int(datetime(year, month, day, hour, minute, tzinfo=JST).timestamp() * 1_000)


MONDAY_MS = business_ms(2026, 11, 30)
DAY = "2026-11-30"
NO_COUNTERS = t.Counters(completed=0, reversed=0, fees_earned_yen=0)


def line_closed(at_ms: int, terminal: str = TERMINAL, **changes: Any) -> r.LineClosed:
    """Return the record of a line that was closed in order, without any business."""
    usual: dict[str, Any] = {"day": DAY, "ours": NO_COUNTERS, "theirs": NO_COUNTERS}
    return r.LineClosed(at_ms=at_ms, terminal=terminal, **(usual | changes))


def verdict(outcome: VerdictOutcome, *, attempt: int = 1, **changes: Any) -> Verdict:
    """Return what the judge says about an attempt of the usual visit."""
    usual: dict[str, Any] = {
        "terminal": TERMINAL,
        "visit_id": VISIT,
        "attempt": attempt,
        "request_digest": bytes(32),
        "outcome": outcome,
        "card_ref": CARD_REF,
        "tries_left": 3 if outcome is VerdictOutcome.RIGHT else 2,
        "at_ms": START_REAL_MS,
    }
    return Verdict(**(usual | changes))


def print_report(issuance_id: bytes = ISSUANCE, **changes: Any) -> PrintReport:
    """Return a report that both sheets are out."""
    usual: dict[str, Any] = {
        "issuance_id": issuance_id,
        "outcome": PrintOutcome.PRINTED,
        "sheets_out": 2,
        "sheets_unknown": False,
        "cause": FailureCause.NONE,
        "at_ms": START_REAL_MS,
    }
    return PrintReport(**(usual | changes))


def failed_report(issuance_id: bytes = ISSUANCE, **changes: Any) -> PrintReport:
    """Return a report that the printer stopped after one sheet."""
    usual: dict[str, Any] = {
        "outcome": PrintOutcome.FAILED,
        "sheets_out": 1,
        "cause": FailureCause.PRINTER,
    }
    return print_report(issuance_id, **(usual | changes))


def signed(report: PrintReport) -> t.Report:
    """Sign a report, as far as the core can tell: the same content has the same signature."""
    return t.Report(report=report, signature=_signature(report.statement(TERMINAL)))


def deletion(issuance_id: bytes = ISSUANCE, *, at_ms: int = START_REAL_MS) -> t.Deleted:
    """Return a signed report that spool and key are erased."""
    report = DeletionReport(issuance_id=issuance_id, at_ms=at_ms)
    return t.Deleted(report=report, signature=_signature(report.statement(TERMINAL)))


def _signature(statement: bytes) -> bytes:
    return hashlib.sha512(statement).digest()


def opening(*unfinished: bytes, terminal: str = TERMINAL) -> t.Open:
    """Return the opening of a terminal that has these issuances unfinished."""
    return t.Open(
        terminal=terminal,
        software="sim 1",
        tables_version=1,
        unfinished=tuple(
            t.UnfinishedIssuance(issuance_id=issuance_id, state="sealed")
            for issuance_id in unfinished
        ),
    )


def authenticating(attempt: int = 1, *, visit_id: bytes = VISIT, block: bytes = b"b" * 64) -> Any:
    """Return an ``authenticate`` whose card number is a canary."""
    return t.Authenticate(
        visit_id=visit_id,
        attempt=attempt,
        card=b"canary-card-numb",
        card_signature=bytes(64),
        pin_block=block,
    )


def applying(issuance_id: bytes = ISSUANCE, *, visit_id: bytes = VISIT, **changes: Any) -> t.Apply:
    """Return an application for one copy for the holder alone."""
    usual: dict[str, Any] = {"kind": Kind.JUMINHYO, "options": Options(), "copies": 1}
    return t.Apply(visit_id=visit_id, issuance_id=issuance_id, **(usual | changes))


def rendered(issuance_id: bytes = ISSUANCE, **changes: Any) -> i.Rendered:
    """Return a certificate of two sheets, made from the usual register version."""
    usual: dict[str, Any] = {
        "register_version": HOLDER.register_version,
        "sheets": 2,
        "file_digest": bytes(32),
        "pages": (bytes(32), bytes(32)),
        "sealed_bytes": 393_232,
        "sealed_digest": SEALED_DIGEST,
        "key_day": "2026-11-30",
        "wrapped_key": b"w" * 40,
    }
    return i.Rendered(issuance_id=issuance_id, **(usual | changes))


def as_input(telegram: Any, ref: t.RequestRef, terminal: str = TERMINAL) -> i.Input:
    """Return the input that a copy of a request becomes once its signature was looked at."""
    match telegram:
        case t.Authenticate(visit_id=visit_id, attempt=attempt):
            return i.Authenticated(terminal=terminal, ref=ref, visit_id=visit_id, attempt=attempt)
        case t.Report(report=report, signature=signature):
            return i.Reported(
                terminal=terminal,
                ref=ref,
                report=report,
                signature=signature,
                signature_good=signature != BAD_SIGNATURE,
            )
        case t.Deleted(report=erased, signature=signature):
            return i.Deleted(
                terminal=terminal,
                ref=ref,
                report=erased,
                signature=signature,
                signature_good=signature != BAD_SIGNATURE,
            )
    return i.Asked(terminal=terminal, ref=ref, telegram=telegram)
