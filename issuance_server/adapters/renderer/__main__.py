"""A rendering worker: ``python -m issuance_server.adapters.renderer --fd N [--font FILE …]``.

Started by the issuance server, not by hand. It prepares fonts and forms before its first order.
"""

import argparse
import asyncio
import sys
from pathlib import Path

import msgspec

from issuance_server.adapters.child_serve import serve
from issuance_server.adapters.renderer import wire
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.certificates.render import CertificateRenderer
from protocol.errors import KofuError

_decode_order = msgspec.msgpack.Decoder(CertificateOrder).decode


def answer(renderer: CertificateRenderer, request: bytes) -> bytes:
    """Return the worker's answer to one order, both as they go between the processes."""
    try:
        return wire.encode(wire.Made(rendered=renderer.render(_decode_order(request))))
    except CertificateRefused as refused:
        return wire.encode(wire.NotMade(reason=refused.reason, item=refused.item))


async def _serve(fd: int, renderer: CertificateRenderer) -> None:
    async def handle(request: bytes) -> bytes:
        return answer(renderer, request)

    await serve(fd, handle)


def main() -> int:
    """Serve until the parent is gone; 0 then, 1 when a font cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m issuance_server.adapters.renderer")
    parser.add_argument("--fd", type=int, required=True, help="socket to the parent")
    parser.add_argument("--font", type=Path, action="append", default=[], help="font file")
    arguments = parser.parse_args()
    try:
        renderer = CertificateRenderer(arguments.font)
        asyncio.run(_serve(arguments.fd, renderer))
    except KofuError as error:
        sys.stderr.write(f"renderer: {error}\n")
        return 1
    except Exception as error:  # noqa: BLE001  # its text may hold what nobody may read
        sys.stderr.write(f"renderer: stopped by {type(error).__name__}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
