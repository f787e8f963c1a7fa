"""The table of challenges is bounded, per terminal and in all."""

from itertools import count

from issuance_server.adapters.pin_judge.challenges import Challenges
from issuance_server.core.pin_policy import (
    CHALLENGE_VALID_MS,
    CHALLENGES_OUTSTANDING_MAX,
    CHALLENGES_PER_TERMINAL_MAX,
)


def _challenges() -> Challenges:
    drawn = count()
    return Challenges(lambda length: next(drawn).to_bytes(length))


def test_taken_once() -> None:
    """What was taken is gone."""
    challenges = _challenges()
    given = challenges.give(("t", b"v", 1), 0)

    assert given == challenges.take(("t", b"v", 1), 1)
    assert challenges.take(("t", b"v", 1), 1) is None
    assert 0 == len(challenges)


def test_terminal_loses_its_oldest() -> None:
    """A terminal that asks for more than its share loses its own oldest, and nobody else's."""
    challenges = _challenges()
    theirs = challenges.give(("other", b"v", 1), 0)
    for number in range(CHALLENGES_PER_TERMINAL_MAX + 1):
        challenges.give(("greedy", b"v", number), 0)

    assert challenges.take(("greedy", b"v", 0), 1) is None
    assert challenges.take(("greedy", b"v", 1), 1) is not None
    assert theirs == challenges.take(("other", b"v", 1), 1)


def test_full_table_gives_none_until_some_expire() -> None:
    """When all are out there is none to give; a minute later there is."""
    challenges = _challenges()
    for number in range(CHALLENGES_OUTSTANDING_MAX):
        challenges.give((f"t{number}", b"v", 1), 0)

    assert challenges.give(("late", b"v", 1), CHALLENGE_VALID_MS - 1) is None
    assert challenges.give(("late", b"v", 1), CHALLENGE_VALID_MS) is not None
    assert 1 == len(challenges)
