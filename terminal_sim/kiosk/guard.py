"""Stands before the panel: whose requests count, and what browsers may do with the answers.

Any web site that is open in a browser on this machine can send requests to loopback. So ``Host``
has to name us, what changes something must come from our own page, and whoever drives the panel
shows the token of the session that was given to that page.
"""

import sys
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CONTENT_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
ANSWER_HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": "; ".join(_CONTENT_POLICY),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_READING = frozenset({"GET", "HEAD"})


def hosts_of(host: str, port: int) -> frozenset[str]:
    """Return what ``Host`` may say for an address on which the panel listens."""
    named = f"[{host}]" if ":" in host else host
    return frozenset(f"{name}:{port}" for name in (named, "127.0.0.1", "localhost", "[::1]"))


class Guard:
    """Refuses strange hosts and origins, and adds the headers to every answer."""

    def __init__(self, page: ASGIApp, hosts: frozenset[str]) -> None:
        self._page = page
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message).update(ANSWER_HEADERS)
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal is not None:
            await refusal(scope, receive, send_guarded)
            return
        try:
            await self._page(scope, receive, send_guarded)
        except Exception as error:  # noqa: BLE001  # our own bug; the text may be personal
            sys.stderr.write(f"kiosk: a request failed: {type(error).__name__}\n")
            if not begun:
                await PlainTextResponse("failed", 500)(scope, receive, send_guarded)

    def _refusal(self, method: str, headers: Headers) -> PlainTextResponse | None:
        host = headers.get("host", "").lower()
        if host not in self._hosts:
            return PlainTextResponse("this panel has another address", 421)
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return PlainTextResponse("only the panel itself may ask this", 403)
        if method not in _READING and headers.get("origin", "").lower() != f"http://{host}":
            return PlainTextResponse("only the panel itself may send this", 403)
        return None
