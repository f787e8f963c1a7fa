"""The watch over evidence: lost after its bound, kept again by itself."""

import pytest

from issuance_server.core import inputs as i
from issuance_server.core.records import Evidence
from issuance_server.runtime.evidence_watch import BOUNDS_MS, LOOK_MS_MAX, EvidenceWatch
from issuance_server.runtime.intervals import Intervals
from protocol import telegrams as t
from protocol.errors import KeyManagementError
from tests.adapters.city_file import HandClock
from tests.core.made import opening
from tests.runtime.doubles import Bench
from tests.runtime.visits import VISIT

SECOND_MS = 1_000


class Watched:
    """A watch with a clock in the hand of a test, and what it told the core."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.told: list[i.Input] = []
        self.written = True
        self.watch = EvidenceWatch(
            clock=self.clock, submit=self.submit, log_is_written=lambda: self.written
        )

    async def submit(self, input_: i.Input) -> None:
        self.told.append(input_)

    async def seconds(self, count: int, *, missing: Evidence | None = None) -> None:
        """Let seconds pass in which all is kept but one."""
        for _ in range(count):
            self.clock.pass_ms(SECOND_MS)
            self.written = missing is not Evidence.LOG
            for evidence in set(Evidence) - {Evidence.LOG, missing}:
                self.watch.kept(evidence)
            await self.watch.look()


@pytest.mark.parametrize("evidence", list(Evidence))
async def test_evidence_is_lost_after_its_bound_and_kept_again(evidence: Evidence) -> None:
    """Up to the bound nothing is told; afterwards once, and once again when it is kept."""
    watched = Watched()
    bound_s = BOUNDS_MS[evidence] // SECOND_MS
    await watched.seconds(bound_s, missing=evidence)
    assert [] == watched.told
    await watched.seconds(3, missing=evidence)
    lost = i.EvidenceNotKept(evidence=evidence, lost_ms=BOUNDS_MS[evidence] + SECOND_MS)
    assert [lost] == watched.told

    await watched.seconds(2)
    kept = i.EvidenceKeptAgain(evidence=evidence, lost_ms=BOUNDS_MS[evidence] + 3 * SECOND_MS)
    assert [lost, kept] == watched.told


async def test_what_is_kept_now_and_then_is_not_lost() -> None:
    """The time begins anew with everything that is kept."""
    watched = Watched()
    for _ in range(5):
        await watched.seconds(BOUNDS_MS[Evidence.LOG] // SECOND_MS, missing=Evidence.LOG)
        await watched.seconds(1)

    assert [] == watched.told


async def test_a_process_that_stood_still_has_lost_nothing() -> None:
    """An hour of sleep counts as a short look, and a clock that is set back as none."""
    watched = Watched()
    for jump_ms in (3_600_000, -7_200_000):
        watched.clock.pass_ms(jump_ms)
        await watched.watch.look()

    assert [] == watched.told
    assert LOOK_MS_MAX < min(BOUNDS_MS.values())


@pytest.mark.parametrize("evidence", list(Evidence))
async def test_a_server_accepts_nothing_new_without_evidence(
    bench: Bench, evidence: Evidence
) -> None:
    """Log, signature or judge fail: a visit is refused; they are back: it begins by itself."""
    bench.intervals = Intervals(evidence_ms=5, tree_ms=1, judge_events_ms=1)
    failing = True

    def sign(statement: bytes) -> bytes:
        if failing and evidence is Evidence.CHECKPOINTS:
            raise KeyManagementError("the key is out of reach")
        return bench.city_key.sign(statement)

    bench.sign_checkpoint = sign
    bench.log_is_written = lambda: evidence is not Evidence.LOG or not failing
    bench.judge.reachable = evidence is not Evidence.JUDGE_EVENTS
    async with bench.running():
        await bench.open_line()
        await bench.ask(opening(), t.Opened)

        def lost() -> bool:
            bench.clock.pass_ms(SECOND_MS)
            return bool(bench.log.of("evidence.lost"))

        await bench.until(lost)
        assert (evidence.value,) == bench.runtime.evidence_lost
        assert [evidence.value] == [line["reason"] for line in bench.log.of("evidence.lost")]
        assert "ISSUING_STOPPED" == await bench.refused(t.Begin(visit_id=VISIT, attempt=1))

        failing, bench.judge.reachable = False, True
        await bench.until(lambda: bench.log.of("evidence.kept"))
        await bench.ask(t.Begin(visit_id=VISIT, attempt=1), t.ChallengeGiven)

    assert [evidence.value] == [line["reason"] for line in bench.log.of("evidence.kept")]
