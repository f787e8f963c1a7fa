"""Whether what clients saw of one card's counter could have happened one thing after another.

The search of Wing and Gong (1993) with Lowe's memory (2017): an operation may come next if no other
one ended before it began; a set of operations that are done, with the state they lead to, is looked
at once. An operation without an answer may have happened at any time since, or never.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from issuance_server.core.pin_policy import TRIES_MAX

OPERATIONS_MAX = 60
"""The search is for histories up to this length; longer ones may take for ever."""

NOT_COUNTED = frozenset({"busy", "challenge-expired"})
"""What an operation that changed nothing is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation on a card as its client saw it.

    Attributes:
        right: whether the PIN was the right one; None: operators unlock the card.
        began_ns: just before it was asked, on the clock that all processes share.
        ended_ns: just after it was answered; infinite if it never was.
        outcome: the judge's word: ``right``, ``wrong``, ``burned``, ``locked``, ``busy``,
            ``challenge-expired``; ``unlocked``; None if there was no answer.
        tries_left: what the verdict said of it.
    """

    right: bool | None
    began_ns: int
    ended_ns: float = inf
    outcome: str | None = None
    tries_left: int | None = None


def after(tries_left: int, one: Operation) -> set[int]:
    """Return the tries that a card may have after an operation: the rules for PINs, in sequence.

    Args:
        tries_left: before it.
        one: the operation; the set is empty if it cannot have had its outcome here.
    """
    if one.right is None:
        return {TRIES_MAX}
    if tries_left == 0:
        return {0} if one.outcome in {"locked", None} and one.tries_left in {0, None} else set()
    ends = {"right": TRIES_MAX} if one.right else {"wrong": tries_left - 1}
    ends["burned"] = tries_left - 1
    if one.outcome is None:
        return set(ends.values())
    end = ends.get(one.outcome)
    return {end} if end is not None and end == one.tries_left else set()


def linearizable(history: Sequence[Operation], tries_left: int = TRIES_MAX) -> bool:
    """Tell whether the operations of one card could have happened one after another.

    Args:
        history: in any order, at most ``OPERATIONS_MAX``.
        tries_left: in the beginning.
    """
    assert len(history) <= OPERATIONS_MAX, "too long to be searched"
    if any(one.outcome == "busy" and not _has_company(one, history) for one in history):
        return False
    counted = [one for one in history if one.outcome not in NOT_COUNTED]
    counted.sort(key=lambda one: one.began_ns)
    answered = sum(1 << index for index, one in enumerate(counted) if one.outcome is not None)
    ways, seen = [(0, tries_left)], set()
    while ways:
        way = done, left = ways.pop()
        if done & answered == answered:
            return True
        if way in seen:
            continue
        seen.add(way)
        still = [(1 << index, one) for index, one in enumerate(counted) if not done >> index & 1]
        first_end_ns = min(one.ended_ns for _, one in still)
        ways += [
            (done | bit, end)
            for bit, one in still
            if one.began_ns <= first_end_ns
            for end in after(left, one)
        ]
    return False


def _has_company(busy: Operation, history: Sequence[Operation]) -> bool:
    """Tell whether another attempt may have been under way when a card was said to be busy."""
    return any(
        one is not busy
        and one.right is not None
        and one.outcome not in NOT_COUNTED | {"locked"}
        and one.began_ns <= busy.ended_ns
        and busy.began_ns <= one.ended_ns
        for one in history
    )
