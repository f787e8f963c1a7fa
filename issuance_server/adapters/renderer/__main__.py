"""A rendering worker: ``python -m issuance_server.adapters.renderer --fd N …``.

Started by the issuance server, not by hand. It prepares fonts and forms before its first order.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from issuance_server.adapters.child_serve import serve
from issuance_server.adapters.hardening import harden, silence_libraries
from issuance_server.adapters.renderer import wire
from issuance_server.certificates.code.placing import SheetCodes
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.certificates.render import (
    CertificateRenderer,
    Coding,
    no_code,
    no_secret,
)
from keys.city_folder import CityFolder
from keys.city_keys import load_back_secrets, load_code_key
from keys.trust import CityTrust
from protocol.errors import KofuError
from protocol.secret import Secret

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


def _coding(arguments: argparse.Namespace) -> Coding:
    """Return what puts codes on sheets, with the city's key if there is one."""
    if arguments.keys is None:
        return no_code
    code = load_code_key(arguments.keys, storage=arguments.storage)
    trust = CityTrust.load(CityFolder.at(arguments.keys).trust)
    return SheetCodes(trust.city, code.signer)


def _back_secret(arguments: argparse.Namespace) -> Callable[[], Secret]:
    """Return what gives the city's secret of backs, if sheets have backs."""
    if arguments.keys is None or not arguments.backs:
        return no_secret
    return load_back_secrets(arguments.keys, storage=arguments.storage).newest


def main() -> int:
    """Serve until the parent is gone; 0 then, 1 when a font cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m issuance_server.adapters.renderer")
    parser.add_argument("--fd", type=int, required=True, help="socket to the parent")
    parser.add_argument("--font", type=Path, action="append", default=[], help="font file")
    parser.add_argument("--keys", type=Path, help="the city's key folder, to sign codes with")
    parser.add_argument("--storage", type=Path, help="where the storage keys lie")
    parser.add_argument("--backs", action="store_true", help="sheets have backs")
    arguments = parser.parse_args()
    harden()
    silence_libraries()
    try:
        renderer = CertificateRenderer(
            arguments.font, code=_coding(arguments), back_secret=_back_secret(arguments)
        )
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
