"""The renderer of a world: makes stand-in certificates, takes a while, and fails as it is drawn."""

from issuance_server.certificates.order import CertificateOrder, CertificateRefused, Rendered
from protocol.errors import AdapterError
from tests.sim import stand_ins
from tests.sim.faults import Faults
from tests.sim.loop import US_PER_MS, pause_us

RENDER_US = 40_000
SLOW_MS_MAX = 40_000


class SeededRenderer:
    """Renders for one life of the server."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def render(self, order: CertificateOrder) -> Rendered:
        """Return the certificate.

        Raises:
            CertificateRefused: the record cannot be printed.
            AdapterError: a worker died.
        """
        faults, rates = self._faults, self._faults.rates
        wait_us = int(RENDER_US * (0.5 + faults.dice.random()))
        if faults.hits(rates.renderer_slow, "renderer slow"):
            wait_us += int(faults.dice.random() ** 2 * SLOW_MS_MAX * US_PER_MS)
        await pause_us(wait_us)
        if faults.hits(rates.renderer_fails, "renderer failed"):
            if faults.dice.random() < 0.5:
                raise AdapterError("a worker died")
            raise CertificateRefused("missing-glyph")
        return stand_ins.rendered(order)
