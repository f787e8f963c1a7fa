"""The server of the explored world: the shipped ``Switch`` between what lasts and what does not.

What lasts is what its records say, with the tables beside them: registers, ended issuances, wrapped
keys. What does not last is the memory of the desks, the sealed certificates, and the work that the
performer has under way. Every step is one transaction, with everything in it or nothing.
"""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.facts import EndedIssuance, Facts, Now
from issuance_server.core.state import Issuance, SwitchState, TerminalCounters, Visit, evolve
from issuance_server.core.switch import Needs, Switch
from protocol import telegrams as t
from protocol.binding import Binding
from protocol.codes import ReplyCode
from protocol.issuance import ISSUANCE_TABLE, IssuanceState
from protocol.sealed_certificate import padded_bytes
from tests.core.made import CARD, HOLDER, PLACE, RULES, START_REAL_MS, SUPPRESSED
from tests.explorer.configuration import Configuration
from tests.explorer.desk_memory import kept, memory_of
from tests.explorer.interning import ValueKeys
from tests.explorer.tokens import (
    CITY_KEY,
    KeyToken,
    MenuToken,
    PieceToken,
    content_of,
    file_digest,
    pages,
    sealed_digest,
)

SEAL_BYTES = 16
_KEY_DAY = "2026-11-30"


class Job(NamedTuple):
    """Something that the performer has under way, in memory only."""

    kind: str
    subject: bytes
    number: int = 0
    terminal: str = ""
    ref: t.RequestRef | None = None


class Entry(NamedTuple):
    """One resident in the register: the version of the household, and whether suppressed."""

    version: int
    suppressed: bool


class Told(NamedTuple):
    """One answer on its way."""

    terminal: str
    ref: t.RequestRef
    answer: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """The server at one moment; nothing in it is ever changed."""

    clock_ms: int = 0
    visits: tuple[Visit, ...] = ()
    issuances: tuple[Issuance, ...] = ()
    counters: tuple[tuple[str, int, int, int], ...] = ()
    stopped: frozenset[str] = frozenset()
    register: tuple[Entry, ...] = ()
    ended: tuple[tuple[bytes, EndedIssuance], ...] = ()
    keys: frozenset[tuple[bytes, bytes]] = frozenset()
    residue: frozenset[bytes] = frozenset()
    released: frozenset[bytes] = frozenset()
    numbers: frozenset[str] = frozenset()
    next_serial: int = 1
    memory: tuple[Any, ...] = ()
    jobs: frozenset[Job] = frozenset()
    bodies: frozenset[tuple[bytes, bytes]] = frozenset()

    def key(self, values: ValueKeys) -> tuple[Any, ...]:
        """Return something hashable that is equal for equal states."""
        return (
            self.clock_ms,
            tuple(values.of(visit) for visit in self.visits),
            tuple(values.of(issuance) for issuance in self.issuances),
            self.counters,
            self.stopped,
            self.register,
            self.ended,
            self.keys,
            self.residue,
            self.released,
            self.numbers,
            self.next_serial,
            self.memory,
            self.jobs,
            self.bodies,
        )


@dataclass(slots=True)
class Taken:
    """What came of one input."""

    after: ServerState
    told: tuple[Told, ...] = ()
    fault: str | None = None
    records: tuple[r.AnyRecord, ...] = ()


@dataclass(slots=True)
class _Draft:
    """The tables and the work of the performer while a step changes them."""

    before: ServerState
    ended: dict[bytes, EndedIssuance]
    keys: dict[bytes, bytes]
    residue: set[bytes]
    released: set[bytes]
    numbers: set[str]
    next_serial: int
    jobs: set[Job]
    bodies: dict[bytes, bytes]
    told: list[Told] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    records: list[r.AnyRecord] = field(default_factory=list)


class Server:
    """Steps the shipped switch from any state."""

    def __init__(self, configuration: Configuration, residents: dict[str, int]) -> None:
        """Make the switch; ``residents`` are the indices of residents by id."""
        self._configuration = configuration
        self._residents = residents
        self._state = SwitchState(tables=configuration.tables)
        self._switch = Switch(RULES, self._state)
        self._memory = memory_of(self._switch)

    def begin(self) -> ServerState:
        """Return the state in which nobody has come yet."""
        register = tuple(Entry(7 + 10 * n, False) for n in range(len(self._residents)))
        return replace(self._saved(ServerState(register=register)), register=register)

    def now(self, state: ServerState) -> Now:
        """Return the server's time in a state."""
        return Now(
            real_ms=START_REAL_MS + state.clock_ms,
            business_ms=self._configuration.start_ms + state.clock_ms,
        )

    def take(self, before: ServerState, input_: i.Input) -> Taken:
        """Put one input through the switch, as the commit loop and the performer do."""
        self._load(before)
        now = self.now(before)
        facts = self._facts(before, self._switch.needs(input_, now))
        draft = _Draft(
            before,
            dict(before.ended),
            dict(before.keys),
            set(before.residue),
            set(before.released),
            set(before.numbers),
            before.next_serial,
            set(before.jobs),
            dict(before.bodies),
        )
        try:
            effects = self._switch.step(input_, now, facts)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a counterexample
            return Taken(before, fault=f"the switch raised {error!r} on {input_}")
        durable = {one.issuance_id: one for one in before.issuances}
        for effect in effects:
            self._perform(effect, draft, durable)
        after = replace(
            self._saved(before),
            ended=tuple(sorted(draft.ended.items(), key=lambda item: item[0])),
            keys=frozenset(draft.keys.items()),
            residue=frozenset(draft.residue),
            released=frozenset(draft.released),
            numbers=frozenset(draft.numbers),
            next_serial=draft.next_serial,
            jobs=frozenset(draft.jobs),
            bodies=frozenset(draft.bodies.items()),
        )
        fault = draft.faults[0] if draft.faults else None
        return Taken(after, tuple(draft.told), fault, tuple(draft.records))

    def restart(self, state: ServerState) -> Taken:
        """Let the process die and fold its records again."""
        now_ms = self.now(state).real_ms
        lasting = replace(
            state,
            visits=tuple(visit for visit in state.visits if visit.deadline_ms > now_ms),
            memory=tuple(() for _ in self._memory),
            jobs=frozenset(),
            bodies=frozenset(),
        )
        return self.take(lasting, i.Restarted())

    def next_deadline_ms(self, state: ServerState) -> int | None:
        """Return the clock at which the next deadline comes."""
        times = [visit.deadline_ms for visit in state.visits]
        times += [issuance.deadline_ms for issuance in state.issuances]
        return min(times) - START_REAL_MS if times else None

    def made(self, state: ServerState, issuance_id: bytes) -> i.Rendered | None:
        """Make a certificate from the register as it is now."""
        found = [one for one in state.issuances if one.issuance_id == issuance_id]
        if not found:
            return None
        resident = self._residents[found[0].applied.resident_id]
        version = state.register[resident].version
        sheets = self._configuration.sheets * found[0].applied.copies
        content = content_of(issuance_id, resident, version)
        return i.Rendered(
            issuance_id=issuance_id,
            register_version=version,
            sheets=sheets,
            file_digest=file_digest(content),
            pages=pages(content, sheets),
            sealed_bytes=padded_bytes(sheets) + SEAL_BYTES,
            sealed_digest=sealed_digest(content),
            key_day=_KEY_DAY,
            wrapped_key=content,
        )

    def answer_of(self, state: ServerState, job: Job) -> Told:
        """Rebuild key and binding as a release leaves, as the performer does."""
        assert job.ref is not None
        found = [one for one in state.issuances if one.issuance_id == job.subject]
        content = dict(state.keys).get(job.subject)
        if not found or found[0].state is not IssuanceState.RELEASED or content is None:
            code = ReplyCode.OUT_OF_ORDER if found else ReplyCode.ENDED
            return Told(job.terminal, job.ref, t.Refused(code=code))
        applied, quoted = found[0].applied, found[0].quoted
        assert quoted is not None
        binding = Binding(
            issuance_id=applied.issuance_id,
            request_digest=applied.request_digest,
            holder=applied.card_ref,
            kind=applied.kind,
            options=applied.options,
            numbers=applied.numbers,
            file_digest=quoted.file_digest,
            pages=quoted.pages,
        )
        signature = CITY_KEY.sign(binding.statement())
        return Told(job.terminal, job.ref, KeyToken(job.subject, content, binding, signature))

    def _facts(self, state: ServerState, needs: Needs) -> Facts:
        resident_id = needs.resident_id
        if needs.card_ref is not None:
            resident_id = needs.card_ref.removeprefix("card-")
        holder = None
        if resident_id is not None:
            version, suppressed = state.register[self._residents[resident_id]]
            holder = replace(
                HOLDER, register_version=version, suppressions=SUPPRESSED if suppressed else ()
            )
        card = None
        if needs.card_ref is not None:
            card = replace(CARD, card_ref=needs.card_ref, resident_id=resident_id or "")
        return Facts(
            holder=holder,
            next_serial=state.next_serial,
            ended=dict(state.ended).get(needs.issuance_id or b""),
            resident_id=resident_id if needs.card_ref is not None else None,
            card=card,
            place=None if needs.terminal is None else replace(PLACE, terminal=needs.terminal),
        )

    def _perform(self, effect: e.Effect, draft: _Draft, durable: dict[bytes, Issuance]) -> None:
        match effect:
            case e.Write(record=record):
                draft.records.append(record)
                self._project(record, draft, durable)
            case e.KeepKey():
                draft.keys[effect.issuance_id] = effect.wrapped_key
            case e.DropKey(issuance_id=issuance_id):
                if draft.keys.pop(issuance_id, None) is not None:
                    draft.residue.add(issuance_id)
                draft.jobs.add(Job("destroy", issuance_id))
            case e.Reply():
                draft.told.append(Told(effect.terminal, effect.ref, effect.telegram))
            case e.ReplyMenu():
                menu = MenuToken(effect.visit_id, effect.items, effect.unavailable)
                now = draft.before.register[self._residents[effect.resident_id]]
                moved = now.version != effect.register_version
                answer = t.Refused(code=ReplyCode.DATA_CHANGED) if moved else menu
                draft.told.append(Told(effect.terminal, effect.ref, answer))
            case e.ReplyPiece(issuance_id=issuance_id):
                content = draft.bodies.get(issuance_id)
                refused = t.Refused(code=ReplyCode.OUT_OF_ORDER)
                piece = refused if content is None else PieceToken(issuance_id, content)
                draft.told.append(Told(effect.terminal, effect.ref, piece))
            case e.ReplyReleased():
                job = Job("key", effect.issuance_id, 0, effect.terminal, effect.ref)
                draft.jobs.add(job)
            case e.DrawChallenge():
                draft.jobs.add(Job("draw", effect.visit_id, effect.attempt, effect.terminal))
            case e.JudgeAttempt():
                job = Job("judge", effect.visit_id, effect.attempt, effect.terminal, effect.ref)
                draft.jobs.add(job)
            case e.Render(issuance_id=issuance_id):
                draft.jobs.add(Job("render", issuance_id))
            case e.EraseBody(issuance_id=issuance_id):
                draft.bodies.pop(issuance_id, None)

    def _project(self, record: r.AnyRecord, draft: _Draft, durable: dict[bytes, Issuance]) -> None:
        """Keep the tables that follow from records, and look at what a record may not say."""
        state = self._state
        match record:
            case r.IssuanceApplied():
                draft.next_serial = record.last_serial + 1
                if not draft.numbers.isdisjoint(record.numbers):
                    draft.faults.append("25: a certificate number was given twice")
                draft.numbers.update(record.numbers)
            case r.IssuanceReleased():
                draft.released.add(record.issuance_id)
                self._check_release(durable[record.issuance_id], draft)
            case r.IssuanceWithdrawn() if record.issuance_id in draft.released:
                draft.faults.append("8: what was released was withdrawn")
        issuance_id = getattr(record, "issuance_id", None)
        ends = isinstance(record, r.IssuanceWithdrawn | r.KeyDestroyed | r.IssuanceClosed)
        if issuance_id is None or not ends or issuance_id in state.issuances:
            return
        if issuance_id in draft.ended:
            draft.faults.append("8: an issuance ended twice")
        was = durable[issuance_id]
        printed = was.state is IssuanceState.PRINTED
        end = IssuanceState.COMPLETED if printed else IssuanceState.REVERSED
        code = None
        if isinstance(record, r.IssuanceWithdrawn):
            end, code = IssuanceState.WITHDRAWN, record.code
        assert end in ISSUANCE_TABLE.ends
        draft.ended[issuance_id] = EndedIssuance(terminal=was.terminal, state=end, code=code)

    def _check_release(self, issuance: Issuance, draft: _Draft) -> None:
        applied = issuance.applied
        entry = draft.before.register[self._residents[applied.resident_id]]
        if entry.suppressed:
            draft.faults.append("13: released after the suppression was recorded")
        if entry.version != applied.register_version:
            draft.faults.append("13: released although the household was changed")
        if self.now(draft.before).real_ms >= issuance.deadline_ms:
            draft.faults.append("32: released after the quotation had expired")

    def _load(self, state: ServerState) -> None:
        switch = self._state
        switch.visits.clear()
        switch.visits.update((visit.visit_id, visit) for visit in state.visits)
        switch.issuances.clear()
        switch.issuances.update((one.issuance_id, one) for one in state.issuances)
        switch.counters.clear()
        for terminal, completed, reversed_, fees_yen in state.counters:
            switch.counters[terminal] = TerminalCounters(
                completed=completed, reversed=reversed_, fees_earned_yen=fees_yen
            )
        switch.stopped_terminals.clear()
        switch.stopped_terminals.update(state.stopped)
        for place, items in zip(self._memory, state.memory, strict=False):
            place.clear()
            place.update(items)

    def _saved(self, before: ServerState) -> ServerState:
        switch = self._state
        return replace(
            before,
            visits=tuple(switch.visits[key] for key in sorted(switch.visits)),
            issuances=tuple(switch.issuances[key] for key in sorted(switch.issuances)),
            counters=tuple(
                (terminal, one.completed, one.reversed, one.fees_earned_yen)
                for terminal, one in sorted(switch.counters.items())
            ),
            stopped=frozenset(switch.stopped_terminals),
            memory=tuple(kept(place) for place in self._memory),
        )


def follows(before: ServerState, taken: Taken) -> bool:
    """Tell whether a step changed what lasts by its records alone (visits forgotten aside)."""
    state = SwitchState()
    state.visits = {one.visit_id: one for one in before.visits}
    state.issuances = {one.issuance_id: one for one in before.issuances}
    for record in taken.records:
        evolve(state, record)
    after = {one.visit_id: one for one in taken.after.visits}
    kept = {key: visit for key, visit in state.visits.items() if key in after}
    issuances = {one.issuance_id: one for one in taken.after.issuances}
    return (kept, state.issuances) == (after, issuances)
