"""The checkers can see: bugs of the kind that they are there for, and each is found at once."""

import hashlib
from typing import Any

import pytest

from issuance_server.runtime.commit_loop import CommitLoop
from terminal_sim import desk_work
from tests.explorer import planted
from tests.sim import stand_ins
from tests.sim.campaign import seeds_until_found
from tests.sim.loop import US_PER_S, present_loop
from tests.sim.plan import Mode
from tests.sim.world import Plant, simulate

SEEDS_MAX = 30


def answered_before_commit(patch: pytest.MonkeyPatch) -> None:
    """Effects leave while the transaction is still being written."""

    async def commit(self: Any, group: Any, *, attached: str | None = None) -> None:
        leaving: list[Any] = []
        async with self._store.transaction(attached) as transaction:
            for input_ in group:
                leaving += await self._step(input_, transaction)
            for effect in leaving:
                self._perform(effect)
        self._committed()

    patch.setattr(CommitLoop, "commit", commit)


def ids_by_the_second(patch: pytest.MonkeyPatch) -> None:
    """An issuance is named by the second in which it was chosen."""

    class Seconds:
        @staticmethod
        def token_bytes(count: int) -> bytes:
            second = present_loop().now_us // US_PER_S
            return hashlib.sha256(str(second).encode()).digest()[:count]

    patch.setattr(desk_work, "secrets", Seconds)


def certificates_by_order(patch: pytest.MonkeyPatch) -> None:
    """The renderer gives whoever comes what the one before them ordered, and nobody looks at it."""
    shipped = stand_ins.rendered
    orders: list[Any] = []

    def made(order: Any) -> Any:
        orders.append(order)
        return shipped(orders[-2:][0])

    patch.setattr(stand_ins, "rendered", made)
    patch.setattr(stand_ins, "gate", lambda *_, deep: None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plant", "rules"),
    [
        (answered_before_commit, {9}),
        (ids_by_the_second, {5}),
        (certificates_by_order, {1, 6, 25}),
        (planted.key_kept_after_deletion, {22}),
        (planted.fee_before_the_paper, {10}),
        (planted.erased_before_erasing, {22}),
    ],
)
def test_planted_bug_is_found(plant: Plant, rules: set[int]) -> None:
    """A planted bug breaks the rule that it is about, within a few seeds."""
    for seed in range(1, SEEDS_MAX):
        for mode in Mode:
            outcome = simulate(seed, mode, plant=plant)
            if outcome.violations:
                assert not rules.isdisjoint(one.rule for one in outcome.violations)
                assert outcome.last, "the end of the course is told"
                return
    pytest.fail("not found")


@pytest.mark.slow
def test_nothing_stays_planted() -> None:
    """A world after a planted one is as if there had been none."""
    before = simulate(1, Mode.SAFETY).trace_hash

    assert 1 == seeds_until_found(planted.fee_before_the_paper, seeds_max=SEEDS_MAX)
    assert before == simulate(1, Mode.SAFETY).trace_hash
