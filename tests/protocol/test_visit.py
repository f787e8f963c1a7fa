"""The table of a visit: no menu without a judged attempt, and always an end."""

import pytest

from protocol.visit import VISIT_TABLE, VisitInput, VisitState
from tests.protocol.walks import reachable, verdicts

S, I = VisitState, VisitInput  # noqa: E741  # short, as in the table


def test_every_pair_is_decided() -> None:
    """So many rows, so many ignored pairs, and the rest is out of order."""
    counts = verdicts(VISIT_TABLE, S, I)

    assert {"row": 14, "ignored": 9, "out of order": 12} == counts
    assert len(S) * len(I) == counts.total()


def test_every_state_can_be_reached() -> None:
    """No state stands in the table for nothing."""
    assert set(S) == reachable(VISIT_TABLE, S.BEGUN)


@pytest.mark.parametrize("input_", [I.CHALLENGE_GIVEN, I.ATTEMPT_MADE, I.PIN_RIGHT])
def test_no_authentication_without_each_step(input_: VisitInput) -> None:
    """Leave out the challenge, the attempt or the right PIN, and there is no menu."""
    assert S.AUTHENTICATED not in reachable(VISIT_TABLE, S.BEGUN, without={input_})


@pytest.mark.parametrize("state", [state for state in S if state is not S.ENDED])
def test_a_visit_ends_by_itself_and_by_the_card_leaving(state: VisitState) -> None:
    """From every state, five minutes or the end of the visit lead to the end."""
    assert S.ENDED is VISIT_TABLE.next(state, I.DEADLINE_PASSED)
    assert S.ENDED is VISIT_TABLE.next(state, I.VISIT_ENDED)


@pytest.mark.parametrize("input_", I)
def test_an_ended_visit_stays_ended(input_: VisitInput) -> None:
    """Whatever comes late changes nothing."""
    assert S.ENDED is VISIT_TABLE.next(S.ENDED, input_)
    assert {S.ENDED} == VISIT_TABLE.ends


def test_every_attempt_needs_a_challenge_of_its_own() -> None:
    """After a refused attempt the next one waits for a fresh challenge."""
    assert S.BEGUN is VISIT_TABLE.next(S.JUDGING, I.NOT_ACCEPTED)
    assert VISIT_TABLE.next(S.BEGUN, I.ATTEMPT_MADE) is None
    assert VISIT_TABLE.next(S.JUDGING, I.ATTEMPT_MADE) is None


def test_an_authenticated_visit_judges_no_more_pins() -> None:
    """The menu is out; another attempt is out of order."""
    assert VISIT_TABLE.next(S.AUTHENTICATED, I.ATTEMPT_MADE) is None
