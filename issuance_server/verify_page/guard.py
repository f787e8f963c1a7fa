"""Stands before the page: whose requests count, and what browsers may do with the answers.

A page that runs on loopback can be reached by every web site that the same browser opens: by
rebinding a name to 127.0.0.1 (DNS rebinding) or by posting across origins (CSRF). So the name in
``Host`` must be one of ours, and what is not a plain reading must come from our own page.
"""

import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CONTENT_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
ANSWER_HEADERS = {
    "content-security-policy": "; ".join(_CONTENT_POLICY),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_READING = frozenset({"GET", "HEAD"})
_FROM_OUR_PAGE = frozenset({"same-origin", "none"})
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origins:
    """Under which addresses the page is reached.

    Attributes:
        allowed: such as ``http://127.0.0.1:8090``, without a path.
    """

    allowed: frozenset[str]

    @classmethod
    def of(cls, *, host: str, port: int, public: Iterable[str] = ()) -> "Origins":
        """Name the addresses of a page.

        Args:
            host: on which it listens.
            port: on which it listens.
            public: addresses of a proxy before it, as visitors see them.
        """
        names = {*_LOOPBACK_NAMES, f"[{host}]" if ":" in host else host}
        local = {_origin("http", f"{name}:{port}") for name in names}
        seen = {_origin(part.scheme, part.netloc) for part in map(urlsplit, public) if part.netloc}
        return cls(frozenset(local | seen))

    @property
    def hosts(self) -> Collection[str]:
        """What ``Host`` may say."""
        return {origin.partition("://")[2] for origin in self.allowed}

    def own(self, origin: str, host: str) -> bool:
        """Tell whether a request to ``host`` came from a page of that same host."""
        return origin in self.allowed and origin.partition("://")[2] == host


class Guard:
    """Refuses strange hosts and origins, and adds the headers to every answer.

    A bug is answered with one word and named on standard error by its type alone: its text may hold
    what stood on a certificate.
    """

    def __init__(self, page: ASGIApp, origins: Origins) -> None:
        self._page = page
        self._origins = origins

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
            sys.stderr.write(f"verify-page: a request failed: {type(error).__name__}\n")
            if not begun:
                await PlainTextResponse("failed", 500)(scope, receive, send_guarded)

    def _refusal(self, method: str, headers: Headers) -> PlainTextResponse | None:
        host = headers.get("host", "").lower()
        if host not in self._origins.hosts:
            return PlainTextResponse("this page has another address", 421)
        if method not in _READING and not self._origins.own(headers.get("origin", ""), host):
            return PlainTextResponse("only the page itself may send this", 403)
        return None


def from_our_page(headers: Headers) -> bool:
    """Tell whether a reading was not asked for by another site; old browsers do not say."""
    return headers.get("sec-fetch-site", "same-origin") in _FROM_OUR_PAGE


def _origin(scheme: str, netloc: str) -> str:
    """Return an origin as browsers write it: lower case, without the scheme's own port."""
    name, _, port = netloc.lower().rpartition(":")
    if name and port == str(_DEFAULT_PORTS.get(scheme)):
        return f"{scheme}://{name}"
    return f"{scheme}://{netloc.lower()}"
