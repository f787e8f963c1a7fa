"""What recording costs: whole issuances at a server that records, and at one that does not.

Both servers run in this process, with the real core, journal, seals, gate and writer of
certificates; a handshake's keys, the carrier and the PIN judge are stand-ins. Rounds of the one and
the other take turns, so that what else the machine does falls on both.
"""

import asyncio
import functools
import gc
import hashlib
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from issuance_server.runtime.recording import NO_RECORDING, Recording
from issuance_server.runtime.runtime import Parts
from issuance_server.trace_files import begin_recording
from issuance_server.trace_settings import Trace
from protocol import telegrams as t
from protocol.kinds import Kind, Options
from protocol.terminal_statements import DeletionReport, FailureCause, PrintOutcome, PrintReport
from tests.core.made import RULES, START_REAL_MS, opening
from tests.runtime.doubles import CARD_NUMBER, RIGHT_BLOCK, Bench
from tools.bench.measure import NS_PER_MS, Benchmark, Effort

ISSUANCES_PER_ROUND = 10
VISIT_KEPT_MS = 6 * 60_000


@dataclass
class RecordedBench(Bench):
    """A server with everything around it, that records if it is given something to record into."""

    recording: Recording = NO_RECORDING

    def _parts(self) -> Parts:
        return replace(super()._parts(), recording=self.recording)


async def _issue(bench: Bench, number: int) -> None:
    """Carry one visit through, from the card to the deletion."""
    visit, issuance = (
        hashlib.sha256(b"%b %d" % (what, number)).digest()[:16] for what in (b"visit", b"issuance")
    )
    await bench.ask(t.Begin(visit_id=visit, attempt=1), t.ChallengeGiven)
    proof: dict[str, Any] = {
        "card": CARD_NUMBER,
        "card_signature": bytes(64),
        "pin_block": RIGHT_BLOCK,
    }
    await bench.ask(t.Authenticate(visit_id=visit, attempt=1, **proof), t.Menu)
    wish: dict[str, Any] = {"kind": Kind.JUMINHYO, "options": Options(), "copies": 1}
    asked = t.Apply(visit_id=visit, issuance_id=issuance, **wish)
    quotation = await bench.ask(asked, t.Quotation)
    for piece in range(quotation.pieces):
        await bench.ask(t.Fetch(issuance_id=issuance, piece=piece), t.PieceGiven)
    held = t.Held(issuance_id=issuance, sealed_digest=quotation.sealed_digest)
    await bench.ask(held, t.Acknowledged)
    amount_yen = quotation.fee_yen
    await bench.ask(t.Release(issuance_id=issuance, amount_yen=amount_yen), t.Released)
    report = PrintReport(
        issuance_id=issuance,
        outcome=PrintOutcome.PRINTED,
        sheets_out=quotation.sheets,
        sheets_unknown=False,
        cause=FailureCause.NONE,
        at_ms=START_REAL_MS,
    )
    await bench.ask(bench.far.report(report), t.Acknowledged)
    gone = DeletionReport(issuance_id=issuance, at_ms=START_REAL_MS)
    await bench.ask(bench.far.deletion(gone), t.Acknowledged)
    await bench.ask(t.EndVisit(visit_id=visit), t.Acknowledged)
    bench.clock.pass_ms(VISIT_KEPT_MS)
    await bench.store.set_watermark(bench.clock.real_ms)


async def _round_ms(bench: Bench, first: int, count: int) -> float:
    """Return the CPU time of one issuance."""
    gc.collect()
    started_ns = time.process_time_ns()
    for number in range(first, first + count):
        await _issue(bench, number)
    return (time.process_time_ns() - started_ns) / count / NS_PER_MS


async def _pairs(effort: Effort, folder: Path) -> list[tuple[float, float]]:
    """Return the CPU time of one issuance without and with recording, for each round."""
    for name in ("plain", "recorded"):
        (folder / name).mkdir()
    recorded = RecordedBench(folder / "recorded")
    recorded.recording = begin_recording(
        RULES,
        Trace().bounds(),
        (folder / "lines.trace", folder / "core.trace"),
        clock=lambda: recorded.clock.real_ms,
        log=recorded.log,
    )
    plain = Bench(folder / "plain")
    count = effort.operations(ISSUANCES_PER_ROUND)
    pairs: list[tuple[float, float]] = []
    try:
        async with plain.running(), recorded.running():
            for bench in (plain, recorded):
                await bench.open_line()
                await bench.ask(opening(), t.Opened)
                await _issue(bench, -1)
            for place in range(effort.rounds):
                first = place * count
                pairs.append(
                    (
                        await _round_ms(plain, first, count),
                        await _round_ms(recorded, first, count),
                    )
                )
    finally:
        recorded.recording.close()
    assert recorded.recording.missed_count == 0
    return pairs


@functools.cache  # one run gives both figures
def _measured(effort: Effort) -> list[tuple[float, float]]:
    with TemporaryDirectory() as folder:
        return asyncio.run(_pairs(effort, Path(folder)))


def _measure_cpu(effort: Effort) -> list[float]:
    return [recorded - plain for plain, recorded in _measured(effort)]


def _measure_share(effort: Effort) -> list[float]:
    pairs = _measured(effort)
    plain = statistics.median(one for one, _ in pairs)
    return [100 * (recorded - one) / plain for one, recorded in pairs]


BENCHMARKS = (
    Benchmark(
        name="trace",
        what="both traces of whole issuances, CPU beyond that of the issuances",
        unit="%",
        measure=_measure_share,
        at_most=3,
    ),
    Benchmark(
        name="trace-cpu",
        what="both traces of one issuance, CPU",
        unit="ms",
        measure=_measure_cpu,
    ),
)
