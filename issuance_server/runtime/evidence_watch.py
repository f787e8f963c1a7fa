"""Sees that evidence is kept; nothing new is accepted while some is not (fail closed)."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from issuance_server.core import inputs as i
from issuance_server.core.records import Evidence
from issuance_server.ports import Clock

LOG_MS_MAX = 30_000
CHECKPOINTS_MS_MAX = 10_000
JUDGE_EVENTS_MS_MAX = 60_000
"""For so long evidence may be missing before nothing new is accepted. A judge that died is started
again within seconds, and keeps its events until then; lines of a log that cannot be written are
lost."""

BOUNDS_MS: Mapping[Evidence, int] = MappingProxyType(
    {
        Evidence.LOG: LOG_MS_MAX,
        Evidence.CHECKPOINTS: CHECKPOINTS_MS_MAX,
        Evidence.JUDGE_EVENTS: JUDGE_EVENTS_MS_MAX,
    }
)
LOOK_MS_MAX = 2_000
"""A look counts for so long at most: a process that stood still has not failed to keep anything."""


class EvidenceWatch:
    """Counts for how long each kind of evidence was not kept.

    Whoever keeps some says so with ``kept`` every time, also when there was nothing to keep; one
    that hangs or fails says nothing.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        submit: Callable[[i.Input], Awaitable[None]],
        log_is_written: Callable[[], bool],
    ) -> None:
        """Prepare; ``look`` is to be called every second or so.

        Args:
            clock: measures the time between two looks.
            submit: takes what the core has to know.
            log_is_written: tells whether the log can be written now.
        """
        self._clock = clock
        self._submit = submit
        self._log_is_written = log_is_written
        self._looked_at_ms = clock.now().real_ms
        self._missing_ms = dict.fromkeys(Evidence, 0)
        self._kept: set[Evidence] = set()
        self._lost: set[Evidence] = set()

    def kept(self, evidence: Evidence) -> None:
        """Note that a kind of evidence was kept since the last look."""
        self._kept.add(evidence)

    async def look(self) -> None:
        """Tell the core what could not be kept for longer than its bound, and what can be again."""
        now_ms = self._clock.now().real_ms
        passed_ms = min(max(0, now_ms - self._looked_at_ms), LOOK_MS_MAX)
        self._looked_at_ms = now_ms
        if self._log_is_written():
            self.kept(Evidence.LOG)
        kept, self._kept = self._kept, set()
        for evidence, bound_ms in BOUNDS_MS.items():
            if evidence in kept:
                await self._found_again(evidence)
                continue
            self._missing_ms[evidence] += passed_ms
            if self._missing_ms[evidence] > bound_ms and evidence not in self._lost:
                self._lost.add(evidence)
                lost_ms = self._missing_ms[evidence]
                await self._submit(i.EvidenceNotKept(evidence=evidence, lost_ms=lost_ms))

    async def _found_again(self, evidence: Evidence) -> None:
        lost_ms, self._missing_ms[evidence] = self._missing_ms[evidence], 0
        if evidence in self._lost:
            self._lost.discard(evidence)
            await self._submit(i.EvidenceKeptAgain(evidence=evidence, lost_ms=lost_ms))
