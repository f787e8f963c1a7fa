"""3 and 7: every copy of a request is taken once, and none under keys that were replaced long ago.

An answer may leave a while after its request was taken: rendering and the judge have their limits.
"""

from collections.abc import Callable
from typing import Any

from protocol import telegrams as t
from protocol.limits import GENERATION_OVERLAP_MS, RENDER_MS_MAX
from tests.sim.checks.witness import Witness
from tests.sim.loop import US_PER_MS

ANSWERED_WITHIN_MS = 2 * RENDER_MS_MAX
"""Rendering may have to wait for its turn; no other work takes as long."""


class Copies(Witness):
    """Looks at what answers name: generation of the keys and number of the copy."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        super().__init__()
        self._now_us = now_us
        self._answered: dict[str, set[tuple[int, int]]] = {}
        self._seen_us: dict[str, dict[int, int]] = {}

    def on_restarted(self, node: str) -> None:
        """Keys and copies of before mean nothing to a new process of the server.

        A terminal's new process has other keys, and what its last one sent may still be answered:
        if that were forgotten, the old keys would be taken for the newest ones.
        """
        if node == "server":
            self._answered.clear()
            self._seen_us.clear()

    def on_told(self, terminal: str, ref: Any, _telegram: t.AnyTelegram) -> None:
        """Look at one answer."""
        copy = (ref.generation, ref.counter)
        answered = self._answered.setdefault(terminal, set())
        if copy in answered:
            self.broken(3, f"copy {ref.counter} of {terminal} was answered twice")
        answered.add(copy)
        seen_us = self._seen_us.setdefault(terminal, {})
        now_us = self._now_us()
        seen_us.setdefault(ref.generation, now_us)
        first_us = seen_us[ref.generation]
        newer_us = min((at_us for at_us in seen_us.values() if at_us > first_us), default=now_us)
        if now_us - newer_us > (GENERATION_OVERLAP_MS + ANSWERED_WITHIN_MS) * US_PER_MS:
            old_s = (now_us - newer_us) // US_PER_MS // 1_000
            self.broken(7, f"{terminal} is served under keys that were replaced {old_s} s ago")
