"""Restarts that are asked for: the server drains (予備閉局), ends, and comes back.

Drawn from dice of its own, so that worlds in which nobody asks for one are the same without it.
"""

import asyncio
import random

from protocol.errors import AdapterError, JournalFailed
from tests.sim.faults import Faults
from tests.sim.loop import US_PER_MS, SimLoop, pause_us
from tests.sim.plan import Plan
from tests.sim.server_node import ServerNode

DRAINS_IN = 0.3
"""In so many of the worlds the server is drained."""
DRAIN_MS_MAX = 20_000
OVER_EVERY_MS = 100


class Drains:
    """Asks for one planned restart in some worlds."""

    def __init__(self, loop: SimLoop, plan: Plan, *, server: ServerNode, faults: Faults) -> None:
        self._loop = loop
        self._server = server
        self._faults = faults
        dice = random.Random(f"drains {plan.seed} {plan.mode.value}")
        wanted = dice.random() < DRAINS_IN
        self._at_ms = int(dice.random() * plan.calm_ms) if wanted else None

    async def work(self) -> None:
        """Wait for the moment, drain, and let the process end."""
        if self._at_ms is None:
            return
        await pause_us(self._at_ms * US_PER_MS)
        node, runtime = self._server.node, self._server.runtime
        if node is None or runtime is None or not self._server.ready:
            return
        self._faults.note("server drained")
        drained = asyncio.Event()

        async def drain() -> None:
            try:
                await runtime.drain(DRAIN_MS_MAX)
            except (AdapterError, JournalFailed):
                return  # it ends anyway
            finally:
                drained.set()

        self._loop.spawn(node, drain())
        while node.alive and not drained.is_set():
            await pause_us(OVER_EVERY_MS * US_PER_MS)
        node.kill()
