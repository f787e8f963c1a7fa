"""Scenarios: what they compile to, and what is said of one that does not compile."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codes import ReplyCode
from protocol.trace import plain
from protocol.trace.entries import Ended, Happened, Header, LineWord, Recorder, Said, Way
from protocol.trace.scenario import ScenarioUnreadable, compile_scenario
from protocol.trace.toml_places import Place, places_in

SCENARIO = """\
note = "A release that is repeated"
terminal = "LW-0001"
steps = [
  { say = "open" },
  { expect = "opened" },
  { say = "apply", visit_id = "$visit", issuance_id = "$copy", kind = "juminhyo" },
  { expect = "quotation", issuance_id = "$copy", fee_yen = 200 },
  { wait_ms = 1500 },
  { say = "release", issuance_id = "$copy" },
  { line = "new-keys" },
  { again = "release" },
  { expect = "refused", code = "AMOUNT_WRONG" },
]
"""


def said(text: str) -> list[Said]:
    """Return the telegrams of a scenario."""
    return [entry for entry in compile_scenario(text) if isinstance(entry, Said)]


def fault(text: str) -> ScenarioUnreadable:
    """Return the error of a scenario that does not compile."""
    with pytest.raises(ScenarioUnreadable) as caught:
        compile_scenario(text)
    return caught.value


def test_compiles_to_a_whole_trace() -> None:
    """Header, telegrams both ways, what happens to the line, and the end."""
    entries = compile_scenario(SCENARIO)
    header = entries[0]
    assert isinstance(header, Header)
    assert (Recorder.SCENARIO, "A release that is repeated") == (header.recorder, header.note)
    ways = [one.way for one in entries if isinstance(one, Said)]
    assert [Way.UP, Way.DOWN, Way.UP, Way.DOWN, Way.UP, Way.UP, Way.DOWN] == ways
    assert [LineWord.READY] == [one.word for one in entries if isinstance(one, Happened)]
    assert Ended(at_ms=1_500, entries=len(entries) - 1) == entries[-1]


def test_compiles_to_the_same_trace_each_time() -> None:
    """Names become bytes that never change, so that two compilations can be compared."""
    assert compile_scenario(SCENARIO) == compile_scenario(SCENARIO)


def test_same_name_is_the_same_bytes() -> None:
    """An id that is named twice is one id, and another name is another."""
    applied = said(SCENARIO)[2].telegram
    released = said(SCENARIO)[4].telegram
    assert 16 == len(applied["issuance_id"])
    assert applied["issuance_id"] == released["issuance_id"]
    assert applied["visit_id"] != applied["issuance_id"]


def test_what_is_left_out_follows_or_is_anything() -> None:
    """A fee that was quoted is paid; an answer's other fields may be anything."""
    opened, released, refused = (said(SCENARIO)[at].telegram for at in (1, 4, 6))
    assert {"~": "any"} == opened["software"]
    assert 200 == released["amount_yen"]
    assert ReplyCode.AMOUNT_WRONG == refused["code"]


def test_copy_has_the_digest_of_the_first_and_a_name_of_its_own() -> None:
    """A repeat is the same plaintext in another envelope, here under other keys."""
    first, again, answer = said(SCENARIO)[4:]
    assert first.digest == again.digest
    assert (first.generation, first.counter) != (again.generation, again.counter)
    assert [again.generation, again.counter, again.digest] == answer.telegram["in_reply_to"]


def test_lines_of_json_bring_it_back() -> None:
    """A compiled scenario is a trace like any other."""
    entries = compile_scenario(SCENARIO)
    assert entries == [plain.from_line(plain.to_line(one), 1) for one in entries]


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "words"),
    [
        ('"apply"', '"aply"', 6, 5, "no telegram 'aply'; was 'apply' meant?"),
        ("fee_yen", "fee_jen", 7, 50, "no field 'fee_jen'; was 'fee_yen' meant?"),
        ('"juminhyo"', '"jumin"', 6, 64, "'jumin' is none of Kind"),
        ("AMOUNT_WRONG", "AMOUNT_RONG", 12, 25, "was 'AMOUNT_WRONG' meant?"),
        ("{ wait_ms", "{ say_ms", 8, 3, "a step has one of"),
        ('again = "release"', 'again = "held"', 11, 5, "nothing was said before as 'held'"),
        ("fee_yen = 200", "fee_yen = 2000000", 7, 50, "no number from 0 to 1000000"),
        ("visit_id = ", "visit_jd = ", 6, 20, "no field 'visit_jd'"),
        ("terminal =", "terminus =", 2, 1, "a scenario has no 'terminus'"),
        ("200 }", "200 ", 7, 65, "line 7"),
        ('line = "new-keys"', 'line = "cut"', 10, 5, "one of new-keys, malformed"),
        ('visit_id = "$visit"', 'visit_id = "*"', 6, 20, "needs a value"),
        ('visit_id = "$visit"', "visit_id = 7", 6, 20, "'$visit'"),
    ],
)
def test_error_points_at_line_and_column(
    old: str, new: str, line: int, column: int, words: str
) -> None:
    """Whoever writes a scenario is led to the place, and told what may have been meant."""
    error = fault(SCENARIO.replace(old, new, 1))
    assert line == error.place.line
    assert words in str(error)
    assert column == error.place.column


def test_place_of_a_step_in_tables_of_its_own() -> None:
    """Steps may be written as [[steps]] as well, with comments and texts in between."""
    text = (
        'terminal = "a" # [[steps]]\nnote = """\n[[steps]]\n"""\n\n[[steps]]\nsay = "open"\n'
        '[[steps]]\n# what comes\nexpect = "opend"\n'
    )
    assert Place(10, 1) == fault(text).place


@pytest.mark.parametrize(
    "text", ["", 'terminal = "a"\nsteps = []\n', 'terminal = "a"\nsteps = 1\n']
)
def test_scenario_without_steps_is_none(text: str) -> None:
    """There must be something to do."""
    assert fault(text)


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(0, 9) | st.sampled_from(["x", "a b", "]", "#", "'"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case str():
            return f'"{value}"'
        case _:
            return str(value)


@given(st.dictionaries(st.sampled_from(["a", "b", "c-d", "e_f"]), VALUES, max_size=4))
def test_every_key_is_found_where_it_stands(table: dict[str, Any]) -> None:
    """Whatever the values, each key's place is the line on which it was written."""
    text = "".join(f"# {n}\n{name} = {_toml(one)}\n" for n, (name, one) in enumerate(table.items()))
    assert table == tomllib.loads(text)
    found = places_in(text)
    expected = {(name,): Place(2 * at + 2, 1) for at, name in enumerate(table)}
    assert expected == {path: place for path, place in found.items() if len(path) == 1}


FRAGMENTS = (
    *("[[steps]]", "say", "expect", "again", "on", "as", "2026-11-30", "[a.b]", "{ }", "1.5"),
    *('"', "'", "[", "]", "{", "}", "=", ",", "\n", "#", "7", "true", '"$x"', '"*"', '"""'),
    'a."b c" = 1',
)


@given(
    st.integers(0, len(SCENARIO)),
    st.integers(0, 40),
    st.lists(st.sampled_from(FRAGMENTS), max_size=3),
)
def test_whatever_is_written_compiles_or_is_told_at_a_place(
    at: int, length: int, fragments: list[str]
) -> None:
    """A slip anywhere never ends in anything but a message with a line of the text."""
    text = SCENARIO[:at] + "".join(fragments) + SCENARIO[at + length :]
    place = None
    try:
        compile_scenario(text)
    except ScenarioUnreadable as error:
        place = error.place
    assert place is None or 1 <= place.line <= text.count("\n") + 1
    assert place is None or 1 <= place.column
