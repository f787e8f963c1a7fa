"""What was chosen at home: the code, and what a machine makes of it."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.kinds import Item, Kind, Scope
from terminal_sim.kiosk.prepared import (
    ALPHABET,
    CHARACTERS,
    VALID_MINUTES,
    Unusable,
    code_of,
    wish_of,
)
from terminal_sim.kiosk.state import Wish
from tests.kiosk.course import Course

NOW_MS = 1_764_547_200_000
MINUTE_MS = 60_000
WISH = Wish(kind=Kind.JUMINHYO, scope=Scope.HOUSEHOLD, items=frozenset({Item.DOMICILE}), copies=2)


@given(
    st.builds(
        Wish,
        kind=st.sampled_from(Kind),
        scope=st.sampled_from(Scope),
        members=st.just(frozenset()),
        items=st.frozensets(st.sampled_from(Item)),
        copies=st.integers(1, 5),
    ),
    st.integers(0, 2_000_000_000_000),
    st.integers(0, VALID_MINUTES - 1),
)
def test_a_code_says_what_was_wanted(wish: Wish, now_ms: int, minutes: int) -> None:
    """Whatever is wanted, for as long as the code is good."""
    code = code_of(wish, now_ms)

    assert CHARACTERS == len(code)
    assert wish == wish_of(code, now_ms + minutes * MINUTE_MS)


def test_a_code_is_soon_over() -> None:
    """After two hours it is not taken, and the sentence says why."""
    late_ms = NOW_MS + (VALID_MINUTES + 1) * MINUTE_MS

    assert Unusable.EXPIRED is wish_of(code_of(WISH, NOW_MS), late_ms)


@pytest.mark.parametrize("place", range(CHARACTERS))
def test_a_slip_of_the_finger(place: int) -> None:
    """One wrong character makes no other wish."""
    code = code_of(WISH, NOW_MS)
    for character in ALPHABET.replace(code[place], ""):
        slipped = code[:place] + character + code[place + 1 :]
        assert Unusable.UNREADABLE is wish_of(slipped, NOW_MS)
    assert Unusable.UNREADABLE is wish_of(code[:-1], NOW_MS)


def test_a_prepared_visit_goes_straight_to_the_confirmation() -> None:
    """Card and PIN are asked for all the same; then what was prepared is to be confirmed."""
    course = Course().at_start().touch("prepare")
    course.touch(*(f"letter:{one}" for one in code_of(WISH, course.now_ms)), "prepared")
    assert ("notice", "prepared-read") == (course.screen.name, course.told[0])
    course.touch("agree", "card:h000-m1").ask_pin().type_pin().menu().touch("card-taken")
    assert "confirm" == course.screen.name
    course.touch("confirm")

    assert (Kind.JUMINHYO, 2) == (course.given[-1].kind, course.given[-1].copies)
    assert Scope.HOUSEHOLD is course.given[-1].options.scope


def test_members_are_chosen_at_the_machine() -> None:
    """The code cannot know who is in the household."""
    wish = dataclasses.replace(WISH, scope=Scope.SOME)
    course = Course().at_start().touch("prepare")
    course.touch(*(f"letter:{one}" for one in code_of(wish, course.now_ms)), "prepared")
    course.touch("agree", "card:h000-m1").ask_pin().type_pin().menu().touch("card-taken")

    assert "members" == course.screen.name


def test_a_prepared_kind_that_is_not_to_be_had() -> None:
    """It is said, with the reason beside the kind, and another one can be chosen."""
    wish = dataclasses.replace(WISH, kind=Kind.KAZEI)
    course = Course().at_start().touch("prepare")
    course.touch(*(f"letter:{one}" for one in code_of(wish, course.now_ms)), "prepared")
    course.touch("agree", "card:h000-m1").ask_pin().type_pin().menu().touch("card-taken")

    assert ("kinds", "prepared-missing") == (course.screen.name, course.told[0])


def test_a_code_that_cannot_be_read_is_asked_for_again() -> None:
    """What was typed is gone, and the sentence says so."""
    course = Course().at_start().touch("prepare")
    course.touch("letter:0", "unletter", *("letter:Z",) * CHARACTERS, "prepared")

    assert ["prepared-hint", "prepared-unreadable"] == course.told
    assert course.screen.letters is not None
    assert "" == course.screen.letters.typed
