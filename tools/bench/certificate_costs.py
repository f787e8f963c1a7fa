"""What a certificate costs on its way: page digests, sealing; and what a PIN block costs."""

import functools
from collections.abc import Callable
from datetime import date

from issuance_server.certificates.order import CertificateOrder
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.sample.city import ISSUER
from issuance_server.sample.residents import sample_households
from keys.pin_sealing import PinOpener, PinSealer
from protocol import sealed_certificate
from protocol.kinds import Kind, Options
from protocol.page_digest import page_digests
from protocol.secret import Secret
from tools.bench.measure import NS_PER_MS, NS_PER_US, Benchmark, Effort, cpu_of

SHEETS = 2
KEY = Secret(bytes(32))
ISSUANCE_ID = bytes(16)
INFO = b"what the block belongs to"


@functools.cache
def _certificate() -> bytes:
    """Return the PDF of two copies of a 住民票 of one sheet, of a fictitious resident."""
    household = sample_households()[1]
    order = CertificateOrder(
        issuance_id=ISSUANCE_ID,
        kind=Kind.JUMINHYO,
        options=Options(),
        holder_id=household.head_id,
        household=household,
        numbers=("20261130 豊中市 7E-0001 001 000001", "20261130 豊中市 7E-0001 001 000002"),
        issued_on=date(2026, 11, 30),
        issuer=ISSUER,
    )
    rendered = CertificateRenderer().render(order)
    assert rendered.sheets == SHEETS
    return rendered.pdf


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
