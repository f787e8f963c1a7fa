"""The core as it begins, and as a trace plays it again."""

from dataclasses import dataclass
from typing import Any

from issuance_server.core.effects import Effect
from issuance_server.core.facts import NO_FACTS, Facts, HolderFacts, Now
from issuance_server.core.inputs import Input
from issuance_server.core.records import AnyRecord
from issuance_server.core.rules import CityRules
from issuance_server.core.state import SwitchState, evolve
from issuance_server.core.switch import Switch
from issuance_server.core.tables.loaded import read_content
from issuance_server.core.trace_marks import safe_dates, values_of_core
from protocol.secret import Secret
from protocol.trace.entries import Header, Recorder, Stepped
from protocol.trace.replaying import Effects, ReplayImpossible

_RULES = "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOfBefore:
    """A record of what had not ended when the process began; folded before anything else."""

    record: AnyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a process begins with beside the records.

    Attributes:
        stopped_terminals: those whose line is stopped, in the order of their ids.
        issuing_stopped: whether nothing is issued.
        tables: the file with the city's tables in force; None: there are none.
        judge_report: number and time of the last of the judge's events that was recorded.
        closed_through: the last day that is closed; empty: none.
    """

    stopped_terminals: tuple[str, ...]
    issuing_stopped: bool
    tables: bytes | None
    judge_report: tuple[int, int]
    closed_through: str


def begin(state: SwitchState, beginning: Beginning) -> None:
    """Bring a state, into which the records were folded, to where a process begins.

    Raises:
        SetUpError: this version of the program does not read these tables.
    """
    # A stop is folded with its issuance and may have ended since; the table knows.
    state.stopped_terminals = set(beginning.stopped_terminals)
    state.issuing_stopped = beginning.issuing_stopped
    state.tables = read_content(beginning.tables)
    state.judge_report = beginning.judge_report
    state.closed_through = beginning.closed_through


class StepCoder:
    """Makes entries of a trace out of what a core was given and what it decided."""

    def __init__(self, rules: CityRules, key: Secret) -> None:
        """Prepare for one trace.

        Args:
            rules: of the core.
            key: of the pseudonyms, 32 random bytes.
        """
        self._rules = rules
        self._values = values_of_core(key, also=(RecordOfBefore, Beginning))

    def settings(self) -> dict[str, Any]:
        """Return what the header says of the core."""
        return {_RULES: self._values.fields(self._rules)}

    def before(self, record: AnyRecord) -> Stepped:
        """Return the entry of a record that was folded."""
        return _entry(self._values.named(RecordOfBefore(record=record)))

    def beginning(self, beginning: Beginning) -> Stepped:
        """Return the entry of what a process begins with."""
        return _entry(self._values.named(beginning))

    def _safe_dates(self, holder: HolderFacts, now: Now) -> dict[str, str | None]:
        born, since = safe_dates(holder, self._rules, now)
        return {
            "birth_on": None if born is None else born.isoformat(),
            "resident_since": None if since is None else since.isoformat(),
        }

    def step(self, input_: Input, now: Now, facts: Facts, effects: list[Effect]) -> Stepped:
        """Return the entry of a step."""
        values = self._values
        values.begin_step()
        given = values.named(input_)
        told = None
        if facts is not NO_FACTS:
            told = values.fields(facts)
            if facts.holder is not None:
                told["holder"] |= self._safe_dates(facts.holder, now)
        return Stepped(
            at_ms=0,
            now={"real_ms": now.real_ms, "business_ms": now.business_ms},
            given=given,
            facts=told,
            effects=tuple([values.named(effect) for effect in effects]),
        )


class ReplayedSwitch:
    """The core of this version, as a trace plays it."""

    def __init__(self, header: Header) -> None:
        """Begin with an empty state.

        Raises:
            ReplayImpossible: the trace is not of a server, or this version knows other rules.
        """
        if header.recorder is not Recorder.SERVER:
            raise ReplayImpossible("a terminal recorded this; see: terminal-sim trace replay FILE")
        self._values = values_of_core(None, also=(RecordOfBefore, Beginning))
        try:
            rules = self._values.value("CityRules", header.settings[_RULES])
        except (KeyError, ValueError) as error:
            raise ReplayImpossible(
                f"the trace has no rules that fit this version: {error}"
            ) from None
        self._state = SwitchState()
        self._switch = Switch(rules, self._state)
        self._begun = False

    def take(self, step: Stepped) -> Effects:
        """Take one step.

        Raises:
            ValueError: this version knows no such input, or the trace has no beginning.
        """
        given = self._values.value(*step.given)
        match given:
            case RecordOfBefore(record=record):
                evolve(self._state, record)
            case Beginning():
                begin(self._state, given)
                self._begun = True
            case _ if not self._begun:
                raise ValueError("the recording does not begin with a beginning")
            case _:
                now = Now(**step.now)
                facts = NO_FACTS
                if step.facts is not None:
                    facts = self._values.value("Facts", step.facts)
                return [self._values.named(one) for one in self._switch.step(given, now, facts)]
        return []


def _entry(given: tuple[str, Any]) -> Stepped:
    return Stepped(at_ms=0, now={}, given=given)
