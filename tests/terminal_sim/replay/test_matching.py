"""What of a trace is what of a live conversation, and what differs."""

from typing import Any

import pytest

from protocol.trace.comparing import ABSENT, Difference
from protocol.trace.patterns import anything
from terminal_sim.replay.matching import Matching

OLD, NEW, OTHER = b"o" * 16, b"n" * 16, b"x" * 16


def compared(recorded: dict[str, Any], live: dict[str, Any], **more: Any) -> list[Difference]:
    """Compare two telegrams that nothing came before."""
    return Matching(**more).compare(1, recorded, live)


def test_id_that_is_drawn_anew_is_the_same_wherever_it_stands() -> None:
    """The first id of the trace is the first live one, and stays it."""
    matching = Matching()
    assert [] == matching.compare(1, {"visit_id": OLD}, {"visit_id": NEW})
    assert [] == matching.compare(2, {"visit_id": OLD}, {"visit_id": NEW})
    assert [Difference(3, "visit_id", OLD, OTHER)] == matching.compare(
        3, {"visit_id": OLD}, {"visit_id": OTHER}
    )
    assert [Difference(4, "visit_id", OTHER, NEW)] == matching.compare(
        4, {"visit_id": OTHER}, {"visit_id": NEW}
    )


def test_one_difference_does_not_make_the_rest_different() -> None:
    """What comes after a telegram that differs is still compared by its own names."""
    matching = Matching()
    assert matching.compare(1, {"fee_yen": 200, "id": OLD}, {"fee_yen": 350, "id": NEW})
    assert [] == matching.compare(2, {"id": OLD}, {"id": NEW})


@pytest.mark.parametrize(
    ("recorded", "live", "path"),
    [
        ({"fee_yen": 200}, {"fee_yen": 350}, "fee_yen"),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, "a.b[1]"),
        ({"a": [1]}, {"a": [1, 2]}, "a"),
        ({}, {"code": 1001}, "code"),
        ({"code": 1001}, {}, "code"),
        ({"c": {"~": "secret"}}, {"c": {"~": "signature"}}, "c"),
        ({"c": OLD}, {"c": OLD + b"n"}, "c"),
    ],
)
def test_difference_names_the_field(
    recorded: dict[str, Any], live: dict[str, Any], path: str
) -> None:
    """Also deep inside."""
    assert [path] == [one.path for one in compared(recorded, live)]


@pytest.mark.parametrize(
    ("recorded", "live"),
    [
        ({"valid_ms": 1}, {"valid_ms": 2}),
        ({"software": "a"}, {"software": "b"}),
        ({"checkpoint": {"size": 1}}, {}),
        ({"a": anything()}, {}),
        ({"a": anything()}, {"a": [1, 2]}),
        ({"unfinished": []}, {}),
        ({"tries_left": None}, {}),
        ({"unfinished": []}, {"unfinished": [{"issuance_id": OTHER, "state": "released"}]}),
        ({"p": {"~": "sealed", "bytes": 1}}, {"p": {"~": "sealed", "bytes": 2}}),
        ({"numbers": ["1"]}, {"numbers": ["2"]}),
    ],
)
def test_what_is_not_compared(recorded: dict[str, Any], live: dict[str, Any]) -> None:
    """Times, the city's own business, defaults, and what other conversations left unfinished."""
    assert [] == compared(recorded, live)


def test_named_pattern_is_the_same_value_again() -> None:
    """What stood first under a name has to stand there again."""
    matching = Matching()
    assert [] == matching.compare(1, {"fee_yen": anything("fee")}, {"fee_yen": 200})
    assert 200 == matching.named("fee")
    assert [Difference(2, "amount_yen", 200, 350)] == matching.compare(
        2, {"amount_yen": anything("fee")}, {"amount_yen": 350}
    )


def test_field_of_a_later_version_differs_only_for_a_trace_of_this_one() -> None:
    """A trace of an earlier version knows nothing of it."""
    assert [] == compared({}, {"new": 1}, lenient=True)
    assert [Difference(1, "new", ABSENT, 1)] == compared({}, {"new": 1})


def test_live_values_get_the_names_of_the_trace() -> None:
    """What is written into the file again differs where the conversation did, not in its ids."""
    matching = Matching()
    matching.compare(
        1,
        {"id": OLD, "who": {"~": "person", "is": "a"}},
        {"id": NEW, "who": {"~": "person", "is": "b"}},
    )
    words = matching.in_words_of_the_trace({"x": [NEW, OTHER], "who": {"~": "person", "is": "b"}})
    assert {"x": [OLD, OTHER], "who": {"~": "person", "is": "a"}} == words
