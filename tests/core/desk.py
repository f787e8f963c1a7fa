"""A desk at which tests drive the switch: makes inputs, reads facts, keeps records and answers.

After every step it holds the state against the fold of all records so far, every log effect against
the catalogue, and every record and log line against words that must never be in one.
"""

import functools
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeAlias, get_args, get_type_hints

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.domicile_changes import KnownRequest
from issuance_server.core.facts import EndedIssuance, Facts, HolderFacts, Now
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.rules import CityRules
from issuance_server.core.state import Issuance, SwitchState, evolve
from issuance_server.core.switch import NO_NEEDS, Needs, Switch
from issuance_server.core.tables import CityTables
from issuance_server.observe.catalogue import EVENTS
from protocol import codec
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.issuance import ISSUANCE_TABLE, IssuanceState
from tests.core.made import (
    CANARIES,
    CARD,
    HOLDER,
    ISSUANCE,
    MONDAY_MS,
    PLACE,
    RESIDENT,
    RULES,
    SEALED_DIGEST,
    START_REAL_MS,
    TABLES,
    TERMINAL,
    VISIT,
    applying,
    as_input,
    authenticating,
    deletion,
    failed_report,
    print_report,
    rendered,
    signed,
    verdict,
)

Answer: TypeAlias = t.AnyTelegram | e.ReplyMenu | e.ReplyPiece | e.ReplyReleased


def fold(records: list[r.AnyRecord]) -> SwitchState:
    """Return the state that the records lead to."""
    state = SwitchState()
    for record in records:
        evolve(state, record)
    return state


@dataclass(kw_only=True)
class Desk:
    """One switch with its surroundings, which a test changes at will.

    Attributes:
        holder: what the register says of the only resident; None: it does not know the person.
        registered: whether the card belongs to somebody.
        usable_from: the first day on which the card is taken.
        ended: the issuances that have ended, as the projection would tell.
        records: everything that was written.
        effects: those of the latest step.
    """

    rules: CityRules = RULES
    tables: CityTables = TABLES
    real_ms: int = START_REAL_MS
    business_ms: int = MONDAY_MS
    holder: HolderFacts | None = HOLDER
    registered: bool = True
    usable_from: date | None = None
    next_serial: int = 1
    domicile: KnownRequest | None = None
    ended: dict[bytes, EndedIssuance] = field(default_factory=dict)
    records: list[r.AnyRecord] = field(default_factory=list)
    effects: list[e.Effect] = field(default_factory=list)
    counter: int = 0
    folded: SwitchState = field(default_factory=SwitchState)

    def __post_init__(self) -> None:
        self.switch = Switch(self.rules, SwitchState(tables=self.tables))

    @property
    def now(self) -> Now:
        return Now(real_ms=self.real_ms, business_ms=self.business_ms)

    @property
    def state(self) -> SwitchState:
        return self.switch.state

    def give(self, input_: i.Input) -> list[e.Effect]:
        """Put one input through the switch and check what must hold after every step."""
        before = len(self.records)
        needs = self.switch.needs(input_, self.now)
        self.effects = self.switch.step(input_, self.now, self._facts(needs))
        asker = getattr(input_, "terminal", None), getattr(input_, "ref", None)
        for effect in self.effects:
            check_effect(effect)
            if isinstance(effect, _ANSWERS) and asker[1] == effect.ref:
                assert asker[0] == effect.terminal, "an answer goes to whoever asked"
            if isinstance(effect, e.Write):
                self.records.append(effect.record)
                self._project(effect.record)
            elif isinstance(effect, e.Log):
                check_log(effect)
        for record in self.records[before:]:
            check_record(record)
        self.check_fold()
        return self.effects

    def ask(
        self, telegram: t.AnyTelegram, *, terminal: str = TERMINAL, generation: int = 1
    ) -> Answer | None:
        """Give a request as a fresh copy and return its answer; None if there is none yet."""
        return self.answer(self.ask_ref(telegram, terminal=terminal, generation=generation))

    def ask_ref(
        self, telegram: t.AnyTelegram, *, terminal: str = TERMINAL, generation: int = 1
    ) -> t.RequestRef:
        """Give a request and return the name of this copy."""
        ref = self.ref(telegram, generation)
        self.give(as_input(telegram, ref, terminal))
        return ref

    def ref(self, telegram: t.AnyTelegram, generation: int = 1) -> t.RequestRef:
        """Name a fresh copy of a telegram."""
        self.counter += 1
        digest = codec.digest(codec.encode(telegram))
        return t.RequestRef(generation=generation, counter=self.counter, digest=digest)

    def answer(self, ref: t.RequestRef) -> Answer | None:
        """Return what the latest step answered to a copy."""
        answers = [answer for found, answer in self.answers() if found == ref]
        assert len(answers) <= 1, "one copy has one answer"
        return answers[0] if answers else None

    def answers(self) -> list[tuple[t.RequestRef, Answer]]:
        """Return all answers of the latest step."""
        found: list[tuple[t.RequestRef, Answer]] = []
        for effect in self.effects:
            match effect:
                case e.Reply(ref=ref, telegram=telegram):
                    found.append((ref, telegram))
                case e.ReplyMenu(ref=ref) | e.ReplyPiece(ref=ref) | e.ReplyReleased(ref=ref):
                    found.append((ref, effect))
        return found

    def code(self, telegram: t.AnyTelegram, **asked: Any) -> ReplyCode:
        """Ask, and return the code of the refusal that must come."""
        answer = self.ask(telegram, **asked)
        assert isinstance(answer, t.Refused), answer
        return answer.code

    def pass_time(self, passing_ms: int) -> None:
        """Let both clocks run and wake the switch if it wanted that."""
        self.real_ms += passing_ms
        self.business_ms += passing_ms
        deadline_ms = self.switch.next_deadline_ms()
        if deadline_ms is not None and self.real_ms >= deadline_ms:
            self.give(i.Woken())

    def restart(self) -> None:
        """End the process and start it again from its records."""
        state = fold(self.records)
        state.tables = self.switch.state.tables  # read beside the journal, from a table
        self.switch = Switch(self.rules, state)
        for visit_id, visit in list(self.state.visits.items()):
            if visit.deadline_ms <= self.real_ms:
                del self.state.visits[visit_id]
        self.give(i.Restarted())

    def reach(
        self, state: IssuanceState, issuance_id: bytes = ISSUANCE, **application: Any
    ) -> None:
        """Bring an issuance, and the usual visit before it, to a state by the shortest way."""
        if VISIT not in self.state.visits:
            self.authenticated()
        failed = state in (IssuanceState.PRINT_FAILED, IssuanceState.REVERSED)
        report = failed_report(issuance_id) if failed else print_report(issuance_id)
        self.ask(applying(issuance_id, **application))
        steps: tuple[t.AnyTelegram | i.Input, ...] = (
            rendered(issuance_id),
            t.Held(issuance_id=issuance_id, sealed_digest=SEALED_DIGEST),
            t.Release(issuance_id=issuance_id, amount_yen=200),
            signed(report),
            deletion(issuance_id),
            i.KeysDestroyed(issuance_ids=(issuance_id,)),
        )
        for step in steps:
            if self.issuance_state(issuance_id) is state:
                return
            if isinstance(step, t.Telegram):
                self.ask(step)
            else:
                self.give(step)
        assert self.issuance_state(issuance_id) is state

    def begun(self, visit_id: bytes = VISIT) -> None:
        """Open a visit and give it its first challenge."""
        self.ask(t.Begin(visit_id=visit_id, attempt=1))
        self.give(i.ChallengeDrawn(visit_id=visit_id, attempt=1, challenge=bytes(32)))

    def judged(self, outcome: VerdictOutcome, *, attempt: int = 1, **changes: Any) -> None:
        """Let the judge say something about an attempt."""
        said = verdict(outcome, attempt=attempt, **changes)
        self.give(i.VerdictGiven(visit_id=VISIT, attempt=attempt, verdict=said))

    def authenticated(self, visit_id: bytes = VISIT) -> None:
        """Open a visit, and let the first PIN be right."""
        self.begun(visit_id)
        self.ask(authenticating(visit_id=visit_id))
        right = verdict(VerdictOutcome.RIGHT)
        self.give(i.VerdictGiven(visit_id=visit_id, attempt=1, verdict=right))

    def written(self, kind: type[r.Record]) -> list[Any]:
        """Return the records of one kind so far."""
        return [record for record in self.records if isinstance(record, kind)]

    def logged(self, event: str) -> list[dict[str, object]]:
        """Return the fields of one kind of log event in the latest step."""
        return [
            effect.fields
            for effect in self.effects
            if isinstance(effect, e.Log) and effect.event == event
        ]

    def asked_for(self, kind: type[e.Effect]) -> list[Any]:
        """Return the effects of one kind in the latest step."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def issuance_state(self, issuance_id: bytes = ISSUANCE) -> IssuanceState:
        """Return how an issuance stands, also if it has ended."""
        issuance = self.state.issuances.get(issuance_id)
        return issuance.state if issuance is not None else self.ended[issuance_id].state

    def check_fold(self) -> None:
        """The state is the fold of the records; only a visit is forgotten, after its time."""
        folded = {
            visit_id: visit
            for visit_id, visit in self.folded.visits.items()
            if visit_id in self.state.visits or visit.deadline_ms > self.real_ms
        }
        assert folded == self.state.visits
        assert self.folded.issuances == self.state.issuances
        assert self.folded.counters == self.state.counters
        assert self.folded.stopped_terminals == self.state.stopped_terminals

    def _facts(self, needs: Needs) -> Facts:
        if needs == NO_NEEDS:
            return Facts()
        named = needs.card_ref is not None or needs.certificate_serial is not None
        known = named and self.registered
        resident_id = RESIDENT if known else needs.resident_id
        return Facts(
            holder=self.holder if resident_id is not None else None,
            next_serial=self.next_serial if needs.serial_day else 1,
            ended=self.ended.get(needs.issuance_id or b""),
            resident_id=resident_id,
            card=replace(CARD, usable_from=self.usable_from) if known else None,
            place=None if needs.terminal is None else replace(PLACE, terminal=needs.terminal),
            domicile=self.domicile,
        )

    def _project(self, record: r.AnyRecord) -> None:
        """Fold a record, and keep what the tables would tell of numbers and ended issuances."""
        touched = evolve(self.folded, record)
        if isinstance(record, r.IssuanceApplied):
            self.next_serial = record.last_serial + 1
        if isinstance(touched, Issuance) and touched.state in ISSUANCE_TABLE.ends:
            code = record.code if isinstance(record, r.IssuanceWithdrawn) else None
            self.ended[touched.issuance_id] = EndedIssuance(
                terminal=touched.terminal, state=touched.state, code=code
            )


_ANSWERS = e.Reply | e.ReplyMenu | e.ReplyPiece | e.ReplyReleased


def check_effect(effect: e.Effect) -> None:
    """What an effect must name it names."""
    missing = {name for name in _named_in(type(effect)) if getattr(effect, name) is None}
    assert not missing, (effect, missing)


@functools.cache
def _named_in(kind: type[e.Effect]) -> tuple[str, ...]:
    """Return the fields of an effect that cannot be None."""
    hints = get_type_hints(kind)
    return tuple(name for name, hint in hints.items() if type(None) not in get_args(hint))


def check_log(effect: e.Log) -> None:
    """Hold a log effect against the catalogue."""
    assert effect.event in EVENTS, effect.event
    event = EVENTS[effect.event]
    always = event.fields.keys() - event.sometimes
    assert always <= effect.fields.keys() <= event.fields.keys(), effect.event
    for value in effect.fields.values():
        parts = value.values() if isinstance(value, dict) else [value]
        assert all(part is None or isinstance(part, str | int) for part in parts), effect
    assert not any(canary in str(effect.fields) for canary in CANARIES)


def check_record(record: r.AnyRecord) -> None:
    """A record survives the journal, and knows nothing that it must not."""
    packed = r.encode_record(record)
    assert record == r.decode_record(packed)
    assert not any(canary.encode() in packed for canary in CANARIES)
