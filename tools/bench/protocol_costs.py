"""What the protocol costs: a request and its reply, growth of telegrams, handshakes."""

import functools
import random
from collections.abc import Callable

import msgspec

from protocol import codec
from protocol.exchange import ReplyReceived
from protocol.line import TelegramReceived
from protocol.telegrams import Apply, LineTest, Quotation
from tests.protocol.pair import Noise, Pair
from tests.protocol.samples import SAMPLES
from tests.protocol.tls_ends import TlsEnds, tls_ends
from tools.bench.measure import NS_PER_MS, NS_PER_US, Benchmark, Effort, cpu_of

HANDSHAKES = 200
NOISE_MS_MAX = 3_600_000

APPLY = next(sample for sample in SAMPLES if isinstance(sample, Apply))
QUOTATION = next(sample for sample in SAMPLES if isinstance(sample, Quotation))


def _request_and_reply() -> Callable[[], object]:
    """Return one exchange on an open line: ``apply`` (6 fields) and ``quotation`` (9).

    At the terminal: encode, pad, digest, seal; open, decode, match. At the server the same for its
    part. Nothing carries the bytes, and keys are those of the stand-in; the seals are real.
    """
    pair = Pair()
    pair.open()
    terminal, server, exchange = pair.terminal, pair.server, pair.exchange

    def ask() -> None:
        exchange.ask(APPLY, 0)
        (request,) = terminal.messages_to_send()
        (came,) = server.receive(request, 0)
        assert isinstance(came, TelegramReceived)
        server.send(codec.encode(msgspec.structs.replace(QUOTATION, in_reply_to=came.ref)))
        (reply,) = server.messages_to_send()
        (answered,) = terminal.receive(reply, 0)
        assert isinstance(answered, TelegramReceived)
        assert isinstance(exchange.receive(answered.telegram), ReplyReceived)

    return ask


def _measure_request_and_reply(effort: Effort) -> list[float]:
    return cpu_of(effort, _request_and_reply(), usual=3_000, unit_ns=NS_PER_US)


def _measure_growth(_effort: Effort) -> list[float]:
    """Compare what travels with what was sealed, for one telegram of each kind."""
    pair = Pair()
    pair.open()
    growth = set()
    for sample in SAMPLES:
        plaintext = codec.encode(sample)
        pair.terminal.send(plaintext)
        (message,) = pair.terminal.messages_to_send()
        growth.add(float(len(message) - len(plaintext)))
    return sorted(growth)


@functools.cache
def _ends() -> TlsEnds:
    return tls_ends()


def _tls_pair(noise: Noise | None = None) -> Pair:
    ends = _ends()
    if noise is None:
        return Pair(terminal_handshakes=ends.terminal, server_handshakes=ends.server)
    return Pair(terminal_handshakes=ends.terminal, server_handshakes=ends.server, meddle=noise)


def _open_line() -> None:
    pair = _tls_pair()
    pair.open()
    assert pair.terminal.ready
    assert pair.server.ready


def _measure_handshake_cpu(effort: Effort) -> list[float]:
    return cpu_of(effort, _open_line, usual=30, unit_ns=NS_PER_MS)


def _measure_handshake_bytes(effort: Effort) -> list[float]:
    """Add up the four envelopes of a handshake; signatures and keys vary in no length."""
    totals = []
    for _ in range(effort.rounds):
        pair = _tls_pair()
        pair.open()
        totals.append(float(sum(len(message) for _, message in pair.passed)))
    return totals


def _measure_noise(effort: Effort) -> list[float]:
    """Count the lines that open and answer, with each message lost and doubled by half a chance."""
    return [float(sum(map(_answers_through_noise, range(effort.operations(HANDSHAKES)))))]


def _answers_through_noise(seed: int) -> bool:
    dice = random.Random(seed)  # noqa: S311  # it decides what a carrier loses
    pair = _tls_pair(Noise(dice, loss=0.5, doubling=0.5))
    pair.exchange.ask(LineTest(nonce=seed), 0)
    pair.run(0, NOISE_MS_MAX, stop=lambda: bool(pair.answered))
    return bool(pair.answered)


BENCHMARKS = (
    Benchmark(
        name="request-and-reply",
        what="apply and quotation (15 fields) through both ends, CPU",
        unit="µs",
        measure=_measure_request_and_reply,
        at_most=40,
    ),
    Benchmark(
        name="telegram-growth",
        what="bytes on the wire beyond the padded plaintext",
        unit="bytes",
        measure=_measure_growth,
        at_most=40,
    ),
    Benchmark(
        name="handshake-cpu",
        what="a handshake over TLS, both ends, CPU",
        unit="ms",
        measure=_measure_handshake_cpu,
        at_most=2.5,
    ),
    Benchmark(
        name="handshake-bytes",
        what="its four envelopes together",
        unit="bytes",
        measure=_measure_handshake_bytes,
        at_most=4_300,
    ),
    Benchmark(
        name="handshakes-through-noise",
        what=f"lines of {HANDSHAKES} that open with half lost and half doubled",
        unit="lines",
        measure=_measure_noise,
        at_least=HANDSHAKES,
    ),
)
