"""The state of the switch, and the one function that changes it: ``evolve``.

Visits and issuances are frozen values in tables; a record replaces one. Everything here can be had
again by folding the journal's records of what has not ended.
"""

from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from issuance_server.core import records as r
from issuance_server.core.day_counts import counting_day
from issuance_server.core.tables import NO_TABLES, CityTables
from issuance_server.core.tables.reading import read_tables
from protocol.codes import ReplyCode
from protocol.errors import Misuse
from protocol.issuance import ISSUANCE_TABLE, IssuanceInput, IssuanceState
from protocol.kinds import Kind
from protocol.terminal_statements import PrintOutcome
from protocol.visit import VISIT_TABLE, VisitInput, VisitState


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a visit: what was asked, and what came of it (None: still being judged)."""

    challenge: bytes
    digest: bytes | None = None
    code: ReplyCode | None = None
    tries_left: int | None = None


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One card in front of one terminal."""

    visit_id: bytes
    terminal: str
    state: VisitState
    deadline_ms: int
    attempts: dict[int, Attempt] = msgspec.field(default_factory=dict)
    card_ref: str | None = None
    resident_id: str | None = None
    register_version: int | None = None
    kinds: tuple[Kind, ...] = ()
    withheld: tuple[r.WithheldKind, ...] = ()
    issuance_ids: tuple[bytes, ...] = ()
    refusals: dict[bytes, ReplyCode] = msgspec.field(default_factory=dict)


class Issuance(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to turn a card into a printed certificate."""

    applied: r.IssuanceApplied
    state: IssuanceState
    deadline_ms: int
    quoted: r.IssuanceQuoted | None = None
    released: r.IssuanceReleased | None = None
    report: r.PrintReported | None = None
    deletion: r.DeletionReported | None = None
    times_ms: tuple[tuple[IssuanceState, int], ...] = ()

    @property
    def issuance_id(self) -> bytes:
        """The id that the terminal made."""
        return self.applied.issuance_id

    @property
    def terminal(self) -> str:
        """The terminal that it belongs to, for ever."""
        return self.applied.terminal


@dataclass(slots=True, kw_only=True)
class TerminalCounters:
    """What was counted for one terminal since it opened (精査)."""

    completed: int = 0
    reversed: int = 0
    fees_earned_yen: int = 0


@dataclass(slots=True, kw_only=True)
class SwitchState:
    """Everything that has not ended.

    Attributes:
        visits: by visit id.
        issuances: by issuance id.
        counters: by terminal id.
        stopped_terminals: those that an integrity alarm stopped, or that are revoked.
        tables: the city's tables in force; read beside the journal after a restart.
        judge_report: number and time of the last of the judge's events that was recorded.
        closed_through: the last day that is closed, ``YYYY-MM-DD``; empty: none; likewise.
        draining: nothing new is taken.
        issuing_stopped: nothing is issued in the whole city until two operators reopen it; read
            beside the journal after a restart.
        evidence_lost: what could not be kept for too long; nothing new is taken meanwhile.
    """

    visits: dict[bytes, Visit] = field(default_factory=dict)
    issuances: dict[bytes, Issuance] = field(default_factory=dict)
    counters: dict[str, TerminalCounters] = field(default_factory=dict)
    stopped_terminals: set[str] = field(default_factory=set)
    tables: CityTables = NO_TABLES
    judge_report: tuple[int, int] = (0, 0)
    closed_through: str = ""
    draining: bool = False
    issuing_stopped: bool = False
    evidence_lost: frozenset[r.Evidence] = frozenset()

    def next_deadline_ms(self) -> int | None:
        """Return when a visit or an issuance wants to be looked at again; None: none waits."""
        deadlines_ms = [one.deadline_ms for one in self.visits.values()]
        deadlines_ms += [one.deadline_ms for one in self.issuances.values()]
        return min(deadlines_ms, default=None)

    def counting_day(self, business_ms: int) -> str:
        """Return the day in which counts what ends now, ``YYYY-MM-DD``."""
        return counting_day(self.closed_through, business_ms)

    def of_terminal(self, terminal: str) -> list[Issuance]:
        """Return the issuances of a terminal that have not ended."""
        return [i for i in self.issuances.values() if i.terminal == terminal]


def evolve(state: SwitchState, record: r.AnyRecord) -> Visit | Issuance | None:
    """Change the state by a record and return what it touched, as it is afterwards.

    Raises:
        Misuse: no row of the table leads here; the record should never have been written.
    """
    match record:
        case r.LineOpened(terminal=terminal):
            state.counters[terminal] = TerminalCounters()
        case r.LineStopped(terminal=terminal) | r.TerminalRevoked(terminal=terminal):
            state.stopped_terminals.add(terminal)
        case r.LineReopened(terminal=terminal):
            state.stopped_terminals.discard(terminal)
        case r.DayClosed(day=day):
            state.closed_through = day
        case r.IssuingStopped() | r.IssuingReopened() | r.EvidenceLost() | r.EvidenceKept():
            _evolve_issuing(state, record)
        case r.VisitBegun():
            visit = Visit(
                visit_id=record.visit_id,
                terminal=record.terminal,
                state=VisitState.BEGUN,
                deadline_ms=record.deadline_ms,
            )
            return _keep_visit(state, visit)
        case r.ChallengeIssued() | r.AttemptMade() | r.AttemptJudged() | r.VisitEnded():
            return _evolve_visit(state, record)
        case r.ApplicationRefused():
            visit = state.visits[record.visit_id]
            refusals = visit.refusals | {record.issuance_id: record.code}
            return _keep_visit(state, replace(visit, refusals=refusals))
        case r.IssuanceApplied():
            return _open_issuance(state, record)
        case r.JudgeReported():
            state.judge_report = (record.number, record.reported_at_ms)
        case r.TablesLoaded(content=content):
            state.tables = read_tables(content)
        case r.HouseRecord():
            pass
        case _:
            return _evolve_issuance(state, record)
    return None


def _evolve_issuing(
    state: SwitchState,
    record: r.IssuingStopped | r.IssuingReopened | r.EvidenceLost | r.EvidenceKept,
) -> None:
    match record:
        case r.IssuingStopped():
            state.issuing_stopped = True
        case r.IssuingReopened():
            state.issuing_stopped = False
        case r.EvidenceLost(evidence=evidence):
            state.evidence_lost |= {evidence}
        case r.EvidenceKept(evidence=evidence):
            state.evidence_lost -= {evidence}


def _evolve_visit(
    state: SwitchState,
    record: r.ChallengeIssued | r.AttemptMade | r.AttemptJudged | r.VisitEnded,
) -> Visit:
    visit = state.visits[record.visit_id]
    if isinstance(record, r.VisitEnded):
        return _keep_visit(state, _moved(visit, VisitInput.VISIT_ENDED))
    attempts = dict(visit.attempts)
    if isinstance(record, r.ChallengeIssued):
        attempts[record.attempt] = Attempt(challenge=record.challenge)
        moved = _moved(visit, VisitInput.CHALLENGE_GIVEN)
    elif isinstance(record, r.AttemptMade):
        attempts[record.attempt] = replace(attempts[record.attempt], digest=record.digest)
        moved = _moved(visit, VisitInput.ATTEMPT_MADE)
    else:
        attempts[record.attempt] = replace(
            attempts[record.attempt], code=record.code, tries_left=record.tries_left
        )
        moved = replace(
            _moved(visit, _VERDICT_INPUTS.get(record.code, VisitInput.NOT_ACCEPTED)),
            card_ref=record.card_ref or visit.card_ref,
            resident_id=record.resident_id,
            register_version=record.register_version,
            kinds=record.kinds,
            withheld=record.withheld,
        )
    return _keep_visit(state, replace(moved, attempts=attempts))


def _open_issuance(state: SwitchState, record: r.IssuanceApplied) -> Issuance:
    visit = state.visits.get(record.visit_id)
    if visit is not None:
        ids = (*visit.issuance_ids, record.issuance_id)
        state.visits[visit.visit_id] = replace(visit, issuance_ids=ids)
    issuance = Issuance(
        applied=record,
        state=IssuanceState.APPLIED,
        deadline_ms=record.deadline_ms,
        times_ms=((IssuanceState.APPLIED, record.at_ms),),
    )
    state.issuances[issuance.issuance_id] = issuance
    return issuance


def _evolve_issuance(state: SwitchState, record: r.AnyRecord) -> Issuance:
    issuance_id: bytes = record.issuance_id  # type: ignore[union-attr,assignment]  # the others are above
    issuance = state.issuances[issuance_id]
    match record:
        case r.IssuanceQuoted():
            issuance = replace(issuance, quoted=record, deadline_ms=record.deadline_ms)
            input_ = IssuanceInput.QUOTATION_GIVEN
        case r.CiphertextHeld():
            input_ = IssuanceInput.CIPHERTEXT_HELD
        case r.IssuanceReleased():
            issuance = replace(issuance, released=record, deadline_ms=record.deadline_ms)
            input_ = IssuanceInput.RELEASE_GRANTED
        case r.PrintReported():
            issuance = replace(issuance, report=record, deadline_ms=record.deadline_ms)
            printed = record.outcome is PrintOutcome.PRINTED
            input_ = IssuanceInput.PRINT_REPORTED if printed else IssuanceInput.FAILURE_REPORTED
        case r.DeletionReported():
            issuance = replace(issuance, deletion=record)
            state.issuances[issuance_id] = issuance
            return issuance
        case r.IssuanceUnconfirmed() | r.DeletionOverdue():
            issuance = replace(issuance, deadline_ms=record.deadline_ms)
            input_ = IssuanceInput.DEADLINE_PASSED
        case r.KeyDestroyed():
            input_ = IssuanceInput.DELETION_RECORDED
        case r.IssuanceWithdrawn():
            input_ = IssuanceInput.WITHDRAWAL
        case r.IssuanceClosed():
            input_ = IssuanceInput.CLOSED_BY_TWO
        case _:
            raise Misuse(f"no rule for the record {type(record).__name__}")
    return _advance(state, issuance, input_, record.at_ms)


def _advance(state: SwitchState, issuance: Issuance, input_: IssuanceInput, at_ms: int) -> Issuance:
    following = ISSUANCE_TABLE.next(issuance.state, input_)
    if following is None:
        raise Misuse(f"no row for {issuance.state.value} on {input_.value}")
    if following is not issuance.state:
        times_ms = (*issuance.times_ms, (following, at_ms))
        issuance = replace(issuance, state=following, times_ms=times_ms)
    if following in ISSUANCE_TABLE.ends:
        del state.issuances[issuance.issuance_id]
        _count(state, issuance)
    else:
        state.issuances[issuance.issuance_id] = issuance
    return issuance


def _count(state: SwitchState, issuance: Issuance) -> None:
    counters = state.counters.setdefault(issuance.terminal, TerminalCounters())
    if issuance.state is IssuanceState.COMPLETED:
        counters.completed += 1
        counters.fees_earned_yen += issuance.applied.fee_yen
    elif issuance.state is IssuanceState.REVERSED:
        counters.reversed += 1


def _moved(visit: Visit, input_: VisitInput) -> Visit:
    following = VISIT_TABLE.next(visit.state, input_)
    if following is None:
        raise Misuse(f"no row for {visit.state.value} on {input_.value}")
    return replace(visit, state=following)


def _keep_visit(state: SwitchState, visit: Visit) -> Visit:
    """Keep a visit, also when it has ended: until its deadline a repeat gets the same answer."""
    state.visits[visit.visit_id] = visit
    return visit


_VERDICT_INPUTS = {
    ReplyCode.DONE: VisitInput.PIN_RIGHT,
    ReplyCode.CARD_LOCKED: VisitInput.CARD_LOCKED,
}
