"""A trace as steps: what is said, what is waited for, what cannot be done."""

import msgspec
import pytest

from protocol.errors import SetUpError
from protocol.trace.entries import Entry, Happened, Header, LineWord, Missed, Said, TraceKind
from protocol.trace.scenario import compile_scenario
from terminal_sim.replay.script import Cannot, Hear, NewKeys, Say, Spoil, script_of

SCENARIO = """\
terminal = "LW-0001"
steps = [
  { say = "open" },
  { expect = "opened" },
  { line = "new-keys" },
  { line = "malformed" },
  { expect = "refused", code = "MALFORMED" },
  { say = "close" },
  { again = "close" },
  { expect = "closed" },
]
"""


def entries() -> list[Entry]:
    """Return the entries of the scenario."""
    return list(compile_scenario(SCENARIO))


def test_steps_are_in_order_and_know_what_they_answer() -> None:
    """Each telegram is said or waited for; new keys and spoilt telegrams are made."""
    script = script_of(entries())
    kinds = [type(step) for step in script.steps]
    assert [Say, Hear, NewKeys, Spoil, Hear, Say, Say, Hear] == kinds
    assert ["LW-0001"] == script.terminals
    refused, closed = (step for step in script.steps[4:] if isinstance(step, Hear))
    assert refused.answers is None
    assert isinstance(last := script.steps[6], Say)
    assert last.said.digest == closed.answers


def test_what_a_client_cannot_do_is_named() -> None:
    """A dropped envelope, a notice of the city, and what the recorder left out."""
    trace = entries()
    first = next(one for one in trace if isinstance(one, Said))
    notice = msgspec.structs.replace(
        first,
        way=trace[2].way if isinstance(trace[2], Said) else first.way,
        telegram={"telegram": "notice", "notice": "draining"},
    )
    dropped = Happened(at_ms=0, word=LineWord.DROPPED, terminal="LW-0001", reason="seal")
    script = script_of([*trace, notice, dropped, Missed(at_ms=0, count=3)])
    told = [step.what for step in script.steps if isinstance(step, Cannot)]
    assert 3 == len(told)
    assert "the city said 'notice' by itself" == told[0]
    assert "line dropped (seal)" in told[1]
    assert "left out 3 entries" in told[2]


def test_keys_that_open_a_line_are_no_step_of_their_own() -> None:
    """Each line has keys before anything is said on it."""
    trace = entries()
    ready = Happened(at_ms=0, word=LineWord.READY, terminal="LW-0001", generation=1)
    script = script_of([trace[0], ready, *trace[1:]])
    assert 1 == sum(isinstance(step, NewKeys) for step in script.steps)


def test_trace_of_a_core_is_played_elsewhere() -> None:
    """The message names the command for it."""
    header = entries()[0]
    assert isinstance(header, Header)
    core = msgspec.structs.replace(header, kind=TraceKind.CORE)
    with pytest.raises(SetUpError, match="issuance-server trace replay"):
        script_of([core])


def test_trace_that_says_nothing_is_told() -> None:
    """There is nothing to compare with."""
    with pytest.raises(SetUpError, match="holds no telegram"):
        script_of(entries()[:1])
