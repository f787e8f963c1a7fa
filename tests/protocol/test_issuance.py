"""The table of an issuance: what must never be possible."""

import pytest

from protocol.issuance import ISSUANCE_TABLE, OWED_STATES, IssuanceInput, IssuanceState
from tests.protocol.walks import reachable, verdicts

S, I = IssuanceState, IssuanceInput  # noqa: E741  # short, as in the table
ENDS = {S.COMPLETED, S.REVERSED, S.CLOSED, S.WITHDRAWN}
WORDS = {I.PRINT_REPORTED, I.FAILURE_REPORTED, I.CLOSED_BY_TWO}


def test_every_pair_is_decided() -> None:
    """So many rows, so many ignored pairs, and the rest is out of order."""
    counts = verdicts(ISSUANCE_TABLE, S, I)

    assert {"row": 27, "ignored": 29, "out of order": 64} == counts
    assert len(S) * len(I) == counts.total()


def test_every_state_can_be_reached() -> None:
    """No state stands in the table for nothing."""
    assert set(S) == reachable(ISSUANCE_TABLE, S.APPLIED)


@pytest.mark.parametrize("state", S)
def test_every_state_leads_to_an_end(state: IssuanceState) -> None:
    """An issuance cannot be caught in a state for ever."""
    assert reachable(ISSUANCE_TABLE, state) & ENDS


def test_ends_are_ends() -> None:
    """No row leads out of an end, and the table knows its ends."""
    assert ENDS == ISSUANCE_TABLE.ends
    assert [] == [row for row in ISSUANCE_TABLE.rows if row.state in ENDS]


@pytest.mark.parametrize("state", [state for state in S if state not in ENDS])
def test_every_waiting_state_knows_its_deadline(state: IssuanceState) -> None:
    """Time that passes is handled; in RELEASING it is the terminal's 60 seconds that count."""
    assert ISSUANCE_TABLE.next(state, I.DEADLINE_PASSED) is not None
    if state is S.RELEASING:
        assert S.PRINT_FAILED is ISSUANCE_TABLE.next(state, I.FAILURE_REPORTED)
    else:
        assert ISSUANCE_TABLE.moves(state, I.DEADLINE_PASSED)


@pytest.mark.parametrize("start", [S.RELEASED, S.UNCONFIRMED])
def test_no_end_after_the_release_without_a_word(start: IssuanceState) -> None:
    """Without the terminal's report or two people, no end can be reached."""
    assert not reachable(ISSUANCE_TABLE, start, without=WORDS) & ENDS


@pytest.mark.parametrize("state", [S.PRINTED, S.PRINT_FAILED])
def test_no_end_without_the_recorded_deletion(state: IssuanceState) -> None:
    """Printed or failed, only the deletion ends it, or two people who say that none will come."""
    words = {I.DELETION_RECORDED, I.CLOSED_BY_TWO}

    assert {state} == reachable(ISSUANCE_TABLE, state, without=words)


@pytest.mark.parametrize("state", [state for state in S if state in OWED_STATES])
def test_nothing_is_withdrawn_after_the_release(state: IssuanceState) -> None:
    """A key that was handed out cannot be unsaid."""
    assert S.WITHDRAWN not in reachable(ISSUANCE_TABLE, state)
    assert ISSUANCE_TABLE.next(state, I.WITHDRAWAL) is None


@pytest.mark.parametrize("state", [S.APPLIED, S.QUOTED, S.SEALED, S.RELEASING])
def test_everything_before_the_release_can_be_withdrawn(state: IssuanceState) -> None:
    """No key has left, so nothing needs confirming."""
    assert S.WITHDRAWN is ISSUANCE_TABLE.next(state, I.WITHDRAWAL)


def test_only_the_release_leads_to_released() -> None:
    """The key is handed out on one input, to a terminal that holds the ciphertext."""
    into = {(row.state, row.input) for row in ISSUANCE_TABLE.rows if row.next is S.RELEASED}

    assert {(S.SEALED, I.RELEASE_GRANTED), (S.RELEASING, I.RELEASE_GRANTED)} == into


def test_a_failed_print_never_becomes_a_printed_one() -> None:
    """The first word about the paper decides over the fee."""
    assert S.PRINTED not in reachable(ISSUANCE_TABLE, S.PRINT_FAILED)
    assert S.PRINT_FAILED not in reachable(ISSUANCE_TABLE, S.PRINTED)


def test_two_people_close_only_what_was_released_and_waits_for_a_word() -> None:
    """Operators cannot end an issuance before its release, nor before its first deadline."""
    closed = {row.state for row in ISSUANCE_TABLE.rows if row.input is I.CLOSED_BY_TWO}

    assert {S.UNCONFIRMED, S.PRINTED, S.PRINT_FAILED} == closed


def test_owed_states_are_those_between_release_and_end() -> None:
    """They are what is reached from RELEASED, without the ends."""
    assert OWED_STATES == reachable(ISSUANCE_TABLE, S.RELEASED) - ENDS


def test_releasing_is_the_terminals_own() -> None:
    """A server goes from SEALED to RELEASED at once: its rows leave RELEASING out."""
    servers = [row for row in ISSUANCE_TABLE.rows if row.server != "(terminal only)"]

    assert [] == [row for row in servers if S.RELEASING in (row.state, row.next)]
