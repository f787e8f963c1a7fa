"""Mixes of acts drawn from a seed, and one afternoon at two terminals under such a mix."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from protocol.handshake_port import HandshakePort
from protocol.issuance import IssuanceState
from tests.hostile.acts import (
    Chance,
    Delay,
    Divert,
    Flip,
    ForgeRejection,
    Lose,
    MakeUp,
    Reflect,
    Renumber,
    Reorder,
    Repeat,
    Replay,
    Splice,
    Truncate,
)
from tests.hostile.broker import Act
from tests.hostile.founding import LINE_IDS, PIN, WRONG_PIN, Keys
from tests.hostile.impostor import ActAsServer, ActAsTerminal
from tests.hostile.town import Opening, Town, WholeTerminal
from tests.hostile.virtual_time import VirtualLoop, run

PLAIN_ACTS: tuple[type[Chance], ...] = (
    Lose,
    Repeat,
    Delay,
    Reorder,
    Truncate,
    Flip,
    Splice,
    Reflect,
    Divert,
    Replay,
    ForgeRejection,
    MakeUp,
    Renumber,
)
ACTS_AT_ONCE_MAX = 5
CHANCE_MAX = 0.5
ACTING_MS_MAX = 60_000
RECOVERY_MS_MAX = 60_000
"""Within this, once the acts have stopped, a machine opens its line, settles all, and closes it."""

FEE_YEN = 200
VISITS_MAX = 3
"""Visits at each terminal in every fourth afternoon; one in the others."""
ENDINGS = frozenset({"closed", "city-silent", "refused", "stopped"})
"""How an opening may end: both sides counted the same, or the terminal says why not."""

_NAMES = {line_id: name for name, line_id in LINE_IDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Afternoon:
    """What came of one seed.

    Attributes:
        town: as it stands.
        acts: what the broker did, by name.
        quiet_ms: when it stopped.
        visits: the two openings with people.
        after: the two openings that settled the rest.
    """

    town: Town
    acts: list[str]
    quiet_ms: int
    visits: list[Opening]
    after: list[Opening]


def drawn_acts(dice: random.Random, keys: Keys) -> list[Act]:
    """Draw up to five acts with a chance for each."""
    ports: list[Callable[[], HandshakePort]] = [
        lambda: keys.foreign_terminal("HB-0001"),
        lambda: keys.terminal_port("HB-0003"),
    ]
    acts: list[Act] = [
        kind(dice=dice, chance=CHANCE_MAX * dice.random() ** 2)
        for kind in dice.sample(PLAIN_ACTS, dice.randrange(1, ACTS_AT_ONCE_MAX + 1))
    ]
    if dice.random() < 0.25:
        acts.append(
            ActAsServer(dice=dice, chance=0.5, terminals=_NAMES, handshakes=keys.foreign_server())
        )
    if dice.random() < 0.25:
        port = dice.choice(ports)()
        acts.append(ActAsTerminal(dice=dice, chance=0.05, terminals=_NAMES, handshakes=port))
    dice.shuffle(acts)
    return acts


def afternoon(seed: int, keys: Keys, folder: Path) -> Afternoon:
    """Let two people have a visit under the acts of a seed, and settle everything afterwards."""

    async def work(loop: VirtualLoop) -> Afternoon:
        dice = random.Random(seed)
        town = Town(loop, keys, folder, dice)
        acts = drawn_acts(dice, keys)
        quiet_ms = dice.randrange(100, ACTING_MS_MAX)
        until_ms = 0 if seed % 4 else quiet_ms
        begin_s = dice.choice((0.0, 0.0, dice.random() * 0.1))
        loop.call_at(begin_s, setattr, town.broker, "acts", acts)
        loop.call_at(quiet_ms / 1_000, setattr, town.broker, "acts", ())
        async with town.running():
            one, two, _ = town.terminals
            visits = await asyncio.gather(
                _visits(one, until_ms, PIN), _visits(two, until_ms, WRONG_PIN, PIN)
            )
            await asyncio.sleep(max(0, quiet_ms - loop.now_ms) / 1_000)
            after = await asyncio.gather(one.open(), two.open())
        names = sorted(type(act).__name__ for act in acts)
        return Afternoon(
            town=town,
            acts=names,
            quiet_ms=quiet_ms,
            visits=[*visits[0], *visits[1]],
            after=list(after),
        )

    return run(work)


async def _visits(terminal: WholeTerminal, until_ms: int, *pins: bytes) -> list[Opening]:
    """Let up to three people come, one after the other, until a time."""
    seen = [await terminal.open(*pins)]
    while seen[-1].ended_ms < until_ms and len(seen) < VISITS_MAX:
        seen.append(await terminal.open(*pins))
    return seen


def check(seen: Afternoon) -> None:
    """Assert what must hold after every afternoon, whatever the broker did."""
    town = seen.town
    assert [] == town.recorder.faults
    assert {opening.outcome for opening in seen.visits} <= ENDINGS
    for opening in seen.after:
        assert "closed" == opening.outcome
        assert opening.ended_ms - opening.began_ms <= RECOVERY_MS_MAX
    assert {} == town.runtime.state.issuances
    assert [] == [line for line in town.log.of("line.closed") if "in-order" != line["reason"]]
    for terminal in town.terminals[:2]:
        _check_terminal(town, terminal)


def _check_terminal(town: Town, terminal: WholeTerminal) -> None:
    """Money, paper and both journals say the same."""
    known = terminal.state.issuances.values()
    assert all(issuance.ended for issuance in known)
    completed = [i for i in known if i.state is IssuanceState.COMPLETED]
    laid = [i for i in known if i.sheets_laid]
    assert 0 == terminal.inside_yen
    assert FEE_YEN * len(completed) == terminal.earned_yen
    assert len(laid) == len(terminal.papers())
    assert {i.state for i in laid} <= {IssuanceState.COMPLETED}, "this printer never fails"
    booked = [
        line for line in town.log.of("issuance.completed") if terminal.name == line["terminal"]
    ]
    assert len(completed) == len(booked)
