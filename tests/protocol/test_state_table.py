"""The form of a state table: what it refuses, and its look-up."""

from enum import Enum

import pytest

from protocol.errors import Misuse
from protocol.state_table import Row, StateTable


class Lamp(Enum):
    """States of a lamp."""

    OFF = "off"
    ON = "on"
    BROKEN = "broken"


class Touch(Enum):
    """Inputs of a lamp."""

    PRESSED = "pressed"
    DROPPED = "dropped"


ROWS = (
    Row(Lamp.OFF, Touch.PRESSED, Lamp.ON, "-", "-"),
    Row(Lamp.ON, Touch.PRESSED, Lamp.OFF, "-", "-"),
    Row(Lamp.ON, Touch.DROPPED, Lamp.BROKEN, "-", "-"),
)
TABLE = StateTable(rows=ROWS, ignored={(Lamp.BROKEN, Touch.DROPPED)}, ends={Lamp.BROKEN})


@pytest.mark.parametrize(
    ("state", "input_", "expected", "moves"),
    [
        (Lamp.OFF, Touch.PRESSED, Lamp.ON, True),
        (Lamp.ON, Touch.DROPPED, Lamp.BROKEN, True),
        (Lamp.BROKEN, Touch.DROPPED, Lamp.BROKEN, False),
        (Lamp.BROKEN, Touch.PRESSED, None, False),
        (Lamp.OFF, Touch.DROPPED, None, False),
    ],
)
def test_a_pair_is_a_row_ignored_or_out_of_order(
    state: Lamp,
    input_: Touch,
    expected: Lamp | None,
    moves: bool,
) -> None:
    """A row moves, an ignored pair stays, anything else is None."""
    assert expected is TABLE.next(state, input_)
    assert moves is TABLE.moves(state, input_)


def test_two_rows_for_one_pair_are_refused() -> None:
    """A table says one thing about a pair."""
    with pytest.raises(Misuse):
        StateTable(rows=(*ROWS, ROWS[0]), ignored=(), ends=())


def test_a_pair_both_handled_and_ignored_is_refused() -> None:
    """What is ignored has no row."""
    with pytest.raises(Misuse):
        StateTable(rows=ROWS, ignored={(Lamp.OFF, Touch.PRESSED)}, ends=())
