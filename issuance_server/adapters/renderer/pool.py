"""The server's side of the rendering workers: hands orders out in turn."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from issuance_server.adapters.build import BuildCheck
from issuance_server.adapters.child_process import Child
from issuance_server.adapters.renderer import wire
from issuance_server.certificates.order import CertificateOrder, CertificateRefused, Rendered
from keys.city_folder import CityFolder
from protocol.codec import UNREADABLE
from protocol.errors import AdapterError
from protocol.limits import RENDER_MS_MAX

RENDERER_MODULE = "issuance_server.adapters.renderer"


class RendererPool:
    """Some workers; each order goes to the next one, and to no second one."""

    def __init__(
        self,
        *,
        workers: int,
        fonts: Sequence[Path] = (),
        keys: CityFolder | None = None,
        backs: bool = False,
        on_restart: Callable[[int], None] = lambda _exit_status: None,
        build: BuildCheck | None = None,
    ) -> None:
        """Prepare the workers; ``start`` starts them.

        Args:
            workers: how many processes, 1 or more.
            fonts: font files in order of preference; by default those of the Python packages.
            keys: the city's key folder; a worker reads ``renderer/``, its storage key and
                ``trust/``, and signs the codes on sheets. None: sheets bear no code.
            backs: whether sheets have backs; needs ``keys``.
            on_restart: called with the exit status when one died and its successor answers.
            build: what program the workers have to run.
        """
        arguments = [part for font in fonts for part in ("--font", str(font))]
        if keys is not None:
            arguments += ["--keys", str(keys.root), "--storage", str(keys.storage)]
        if backs:
            arguments.append("--backs")
        self._children = [
            Child(module=RENDERER_MODULE, arguments=arguments, on_restart=on_restart, build=build)
            for _ in range(workers)
        ]
        self._turn = itertools.cycle(self._children)

    async def start(self) -> None:
        """Start all workers.

        Raises:
            AdapterError: one could not start; it has told why on standard error.
        """
        for child in self._children:
            await child.start()

    async def stop(self) -> None:
        """End all workers, at the same time."""
        await asyncio.gather(*(child.stop() for child in self._children))

    async def render(self, order: CertificateOrder) -> Rendered:
        """Return the certificate.

        Raises:
            CertificateRefused: the record cannot be printed as it must be.
            AdapterError: the worker died or was too slow; nothing of it is used.
        """
        request = wire.encode(order)
        reply = await next(self._turn).ask(request, RENDER_MS_MAX)
        try:
            answer = wire.decode_answer(reply)
        except UNREADABLE:
            raise AdapterError("a rendering worker gave an answer that is none") from None
        if isinstance(answer, wire.NotMade):
            raise CertificateRefused(answer.reason, answer.item)
        return answer.rendered
