"""What a certificate costs: made, read back, digested, sealed; and what a PIN block costs."""

import asyncio
import functools
import resource
from collections.abc import Callable
from datetime import date

import msgspec

from issuance_server.adapters.renderer.pool import RendererPool
from issuance_server.certificates.code.placing import SheetCodes
from issuance_server.certificates.gate import gate_fault
from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.certificates.reading.sheets import read
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.core.register import Household
from issuance_server.sample.city import ISSUER, ISSUER_WITH_BACKS
from issuance_server.sample.residents import sample_households
from keys.pin_sealing import PinOpener, PinSealer
from keys.signing import SigningKey
from protocol import sealed_certificate
from protocol.kinds import Item, Kind, Options, Scope
from protocol.page_digest import page_digests
from protocol.secret import Secret
from tools.bench.measure import NS_PER_MS, NS_PER_US, Benchmark, Effort, cpu_of
from tools.bench.reportlab_costs import ReportLabCertificates

SHEETS = 2
NINE = 9
STARTS = 5
KEY = Secret(bytes(32))
ISSUANCE_ID = bytes(16)
BYTES_PER_KB = 1_000
INFO = b"what the block belongs to"


@functools.cache
def _code() -> SheetCodes:
    key = SigningKey.generate()
    return SheetCodes("272035", lambda: key)


@functools.cache
def _renderer() -> CertificateRenderer:
    return CertificateRenderer(code=_code(), back_secret=lambda: KEY)


def _order_of(household: Household) -> CertificateOrder:
    return CertificateOrder(
        issuance_id=ISSUANCE_ID,
        kind=Kind.JUMINHYO,
        options=Options(scope=Scope.HOUSEHOLD, items=(Item.RELATIONSHIP, Item.DOMICILE)),
        holder_id=household.head_id,
        household=household,
        numbers=("20261130 豊中市 7E-0001 001 000001",),
        issued_on=date(2026, 11, 30),
        issuer=ISSUER,
    )


@functools.cache
def _order() -> CertificateOrder:
    """Return the 住民票 of a fictitious household of five: two sheets, each with a signed code."""
    return _order_of(sample_households()[0])


def _order_with_backs() -> CertificateOrder:
    return msgspec.structs.replace(_order(), issuer=ISSUER_WITH_BACKS)


@functools.cache
def _rendered() -> Rendered:
    rendered = _renderer().render(_order())
    assert rendered.sheets == SHEETS
    return rendered


def _certificate() -> bytes:
    return _rendered().pdf


def _seal() -> bytes:
    return sealed_certificate.seal(_certificate(), sheets=SHEETS, key=KEY, issuance_id=ISSUANCE_ID)


def _unseal() -> Callable[[], bytes]:
    sealed = _seal()
    return lambda: sealed_certificate.open_sealed(
        sealed, sheets=SHEETS, key=KEY, issuance_id=ISSUANCE_ID
    )


def _seal_pin() -> Callable[[], bytes]:
    sealer = PinSealer(PinOpener.generate().public_key)
    return lambda: sealer.seal(Secret(b"1234"), INFO)


def _open_pin() -> Callable[[], Secret]:
    opener = PinOpener.generate()
    block = PinSealer(opener.public_key).seal(Secret(b"1234"), INFO)
    return lambda: opener.open(block, INFO)


def _render_of(effort: Effort, order: CertificateOrder) -> list[float]:
    renderer = _renderer()
    renderer.render(order)  # the first one opens the fonts
    return cpu_of(effort, lambda: renderer.render(order), usual=50, unit_ns=NS_PER_MS)


def _measure_render(effort: Effort) -> list[float]:
    return _render_of(effort, _order())


def _measure_further_sheet(effort: Effort) -> list[float]:
    """Take the household of five (four on a sheet) from one of nine, whose third sheet has four."""
    nine = next(home for home in sample_households() if len(home.members) == NINE)
    three, two = _order_of(nine), _order()
    once = Effort(rounds=1, scale=effort.scale)  # in turn, since the machine's load changes
    return [_render_of(once, three)[0] - _render_of(once, two)[0] for _ in range(effort.rounds)]


def _measure_backs(effort: Effort) -> list[float]:
    return _render_of(effort, _order_with_backs())


def _measure_backs_bytes(_effort: Effort) -> list[float]:
    return [len(_renderer().render(_order_with_backs()).pdf) / BYTES_PER_KB]


def _measure_reportlab(effort: Effort) -> list[float]:
    certificates = ReportLabCertificates(_order(), _code())
    return cpu_of(effort, certificates.make, usual=5, unit_ns=NS_PER_MS)


def _measure_reportlab_bytes(_effort: Effort) -> list[float]:
    return [len(ReportLabCertificates(_order(), _code()).make()) / BYTES_PER_KB]


def _measure_start(effort: Effort) -> list[float]:
    """Start a worker's process, have it make its first certificate, and end it."""

    async def run() -> None:
        workers = RendererPool(workers=1)
        await workers.start()
        await workers.render(_order())
        await workers.stop()

    figures = []
    for _ in range(effort.operations(STARTS)):
        before_s = _cpu_of_children_s()
        asyncio.run(run())
        figures.append(_cpu_of_children_s() - before_s)
    return figures


def _cpu_of_children_s() -> float:
    """Return the CPU time of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _measure_bytes(_effort: Effort) -> list[float]:
    return [len(_certificate()) / BYTES_PER_KB]


def _measure_reader(effort: Effort) -> list[float]:
    pdf = _certificate()
    return cpu_of(effort, lambda: read(pdf), usual=50, unit_ns=NS_PER_MS)


def _measure_gate(effort: Effort) -> list[float]:
    order = _order()
    rendered = _renderer().render(order)
    assert gate_fault(order, rendered) is None
    return cpu_of(effort, lambda: gate_fault(order, rendered), usual=50, unit_ns=NS_PER_MS)


def _measure_digests(effort: Effort) -> list[float]:
    pdf = _certificate()
    return cpu_of(effort, lambda: page_digests(pdf), usual=20, unit_ns=NS_PER_MS)


def _measure_seal(effort: Effort) -> list[float]:
    return cpu_of(effort, _seal, usual=200, unit_ns=NS_PER_US)


def _measure_unseal(effort: Effort) -> list[float]:
    return cpu_of(effort, _unseal(), usual=200, unit_ns=NS_PER_US)


def _measure_seal_pin(effort: Effort) -> list[float]:
    return cpu_of(effort, _seal_pin(), usual=200, unit_ns=NS_PER_US)


def _measure_open_pin(effort: Effort) -> list[float]:
    return cpu_of(effort, _open_pin(), usual=200, unit_ns=NS_PER_US)


BENCHMARKS = (
    Benchmark(
        name="pin-block-seal",
        what="a PIN sealed to the judge, CPU",
        unit="µs",
        measure=_measure_seal_pin,
    ),
    Benchmark(
        name="pin-block-open",
        what="a PIN block opened, CPU",
        unit="µs",
        measure=_measure_open_pin,
    ),
    Benchmark(
        name="certificate-render",
        what="a 住民票 of two sheets with signed codes, warm, page digests included, CPU",
        unit="ms",
        measure=_measure_render,
        at_most=3.0,
    ),
    Benchmark(
        name="certificate-kilobytes",
        what="its file",
        unit="kB",
        measure=_measure_bytes,
        at_most=120,
    ),
    Benchmark(
        name="certificate-further-sheet",
        what="each further sheet of it, CPU",
        unit="ms",
        measure=_measure_further_sheet,
        at_most=1.0,
    ),
    Benchmark(
        name="certificate-with-backs",
        what="the same with a scrambled back on each sheet, CPU",
        unit="ms",
        measure=_measure_backs,
        at_most=7.0,
    ),
    Benchmark(
        name="certificate-with-backs-kilobytes",
        what="its file",
        unit="kB",
        measure=_measure_backs_bytes,
        at_most=320,
    ),
    Benchmark(
        name="certificate-reportlab",
        what="the same without backs made with ReportLab, CPU",
        unit="ms",
        measure=_measure_reportlab,
    ),
    Benchmark(
        name="certificate-reportlab-kilobytes",
        what="its file",
        unit="kB",
        measure=_measure_reportlab_bytes,
    ),
    Benchmark(
        name="worker-start",
        what="a rendering worker, from its start to its first certificate, CPU",
        unit="s",
        measure=_measure_start,
        at_most=2.0,
    ),
    Benchmark(
        name="certificate-read",
        what="read back by the lean reader, CPU",
        unit="ms",
        measure=_measure_reader,
        at_most=1.5,
    ),
    Benchmark(
        name="certificate-gate",
        what="held against its order by the gate, page digests included, CPU",
        unit="ms",
        measure=_measure_gate,
    ),
    Benchmark(
        name="page-digests",
        what="page digests of a certificate of two sheets, CPU",
        unit="ms",
        measure=_measure_digests,
    ),
    Benchmark(
        name="certificate-seal",
        what="that certificate sealed, CPU",
        unit="µs",
        measure=_measure_seal,
    ),
    Benchmark(
        name="certificate-open",
        what="and opened, CPU",
        unit="µs",
        measure=_measure_unseal,
    ),
)
