"""The web application: screens go out as server-sent events, touches come in as small posts."""

import asyncio
import hmac
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from importlib.resources import files
from typing import Annotated, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from protocol.errors import SetUpError
from protocol.kinds import Item, Kind, Scope
from protocol.limits import COPIES_MAX
from terminal_sim.kiosk import inputs as into
from terminal_sim.kiosk.cabinet import symbol_of
from terminal_sim.kiosk.font import cut_font
from terminal_sim.kiosk.guard import Guard
from terminal_sim.kiosk.kiosk import Kiosk
from terminal_sim.kiosk.prepared import ALPHABET, CHARACTERS, VALID_MINUTES, code_of
from terminal_sim.kiosk.screens import Screen
from terminal_sim.kiosk.state import Wish
from terminal_sim.kiosk.words import LANGUAGES, table

SESSION_HEADER = "kiosk-session"
BODY_BYTES_MAX = 1_024
STILL_THERE_SECONDS = 10
"""So often the screen is sent again, so that an end of the connection is seen."""
_TOKEN_BYTES = 32
_FONT = "kiosk-sans.otf"
_MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class _Touch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    screen: str
    touch: str


class _Prepare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: Kind
    scope: Scope
    items: frozenset[Item]
    copies: Annotated[int, msgspec.Meta(ge=1, le=COPIES_MAX)]


class _Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fault: into.Fault
    on: bool


_Body = TypeVar("_Body", _Touch, _Turn, _Prepare)


class _Frame(msgspec.Struct, frozen=True):
    screen: Screen
    faults: list[str]
    now_ms: int


def kiosk_page(kiosk: Kiosk, hosts: frozenset[str]) -> ASGIApp:
    """Return the application.

    Args:
        kiosk: the machine.
        hosts: what ``Host`` may say.
    """
    panel = _PanelDesk(kiosk)
    static = _static_files()
    words = {language: _json(table(language)) for language in LANGUAGES}

    async def static_file(request: Request) -> Response:
        found = static.get(request.path_params.get("name", "index.html"))
        return found if found is not None else Response("no such file", 404)

    async def prepare_file(_request: Request) -> Response:
        return static["prepare.html"]

    async def words_file(request: Request) -> Response:
        found = words.get(request.path_params["language"])
        return found if found is not None else Response("no such language", 404)

    routes = [
        Route("/", static_file),
        Route("/prepare", prepare_file),
        Route("/prepared", panel.prepared, methods=["POST"]),
        Route("/prepared/{code}", panel.code_picture),
        Route("/static/{name}", static_file),
        Route("/words/{language}", words_file),
        Route("/session", panel.session, methods=["POST"]),
        Route("/screens", panel.screens),
        Route("/touch", panel.touch, methods=["POST"]),
        Route("/operator", panel.turn, methods=["POST"]),
        Route("/paper/{paper:int}/{sheet:int}", panel.paper),
    ]
    return Guard(Starlette(routes=routes), hosts)


class _PanelDesk:
    """One panel: the page that opened last drives it."""

    def __init__(self, kiosk: Kiosk) -> None:
        self._kiosk = kiosk
        self._token = secrets.token_urlsafe(_TOKEN_BYTES)

    async def session(self, _request: Request) -> Response:
        """Give the panel to the page that asks; an older page has it no more."""
        self._token = secrets.token_urlsafe(_TOKEN_BYTES)
        return _json({"session": self._token})

    async def screens(self, request: Request) -> Response:
        """Send the screen that is shown, and every following one."""
        if not self._is_ours(request):
            return Response("another page has the panel", 401)
        frames = self._frames(self._token)
        return StreamingResponse(frames, headers={"content-type": "text/event-stream"})

    async def touch(self, request: Request) -> Response:
        """Take a touch."""
        touched = await self._body(request, _Touch)
        if isinstance(touched, Response):
            return touched
        self._kiosk.feed(into.Touched(screen=touched.screen, touch=touched.touch))
        return Response(status_code=204)

    async def turn(self, request: Request) -> Response:
        """Take what the operator does."""
        turned = await self._body(request, _Turn)
        if isinstance(turned, Response):
            return turned
        self._kiosk.turn(turned.fault, on=turned.on)
        return Response(status_code=204)

    async def prepared(self, request: Request) -> Response:
        """Give the code of what somebody wants; whoever may open the page may ask."""
        wanted = await self._read(request, _Prepare)
        if isinstance(wanted, Response):
            return wanted
        wish = Wish(kind=wanted.kind, scope=wanted.scope, items=wanted.items, copies=wanted.copies)
        code = code_of(wish, self._kiosk.now_ms)
        self._kiosk.feed(into.PhoneHeld(code=code))
        return _json({"code": code, "minutes": VALID_MINUTES})

    async def code_picture(self, request: Request) -> Response:
        """Draw a code, as the machine's reader takes it."""
        code = request.path_params["code"]
        if len(code) != CHARACTERS or not set(code) <= set(ALPHABET):
            return Response("no such code", 404)
        return Response(symbol_of(code), headers={"content-type": "image/png"})

    async def paper(self, request: Request) -> Response:
        """Show a sheet that is out."""
        if not self._is_ours(request):
            return Response("another page has the panel", 401)
        place = request.path_params
        picture = await self._kiosk.picture(place["paper"], place["sheet"])
        if picture is None:
            return Response("no such sheet", 404)
        return Response(picture, headers={"content-type": "image/png"})

    async def _frames(self, token: str) -> AsyncIterator[bytes]:
        while token == self._token:
            frame = _Frame(
                screen=self._kiosk.screen,
                faults=sorted(fault.value for fault in self._kiosk.faults),
                now_ms=self._kiosk.now_ms,
            )
            change = self._kiosk.change
            yield b"data: " + msgspec.json.encode(frame) + b"\n\n"
            with suppress(TimeoutError):
                async with asyncio.timeout(STILL_THERE_SECONDS):
                    await change.wait()
        yield b"event: taken\ndata: {}\n\n"

    async def _body(self, request: Request, kind: type[_Body]) -> _Body | Response:
        if not self._is_ours(request):
            return Response("another page has the panel", 401)
        return await self._read(request, kind)

    async def _read(self, request: Request, kind: type[_Body]) -> _Body | Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                return Response("too long", 413)
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError:
            return Response("not understood", 400)

    def _is_ours(self, request: Request) -> bool:
        shown = request.headers.get(SESSION_HEADER, "")
        return hmac.compare_digest(shown.encode(), self._token.encode())


def _json(content: object) -> Response:
    return Response(
        msgspec.json.encode(content), headers={"content-type": "application/json; charset=utf-8"}
    )


def _static_files() -> Mapping[str, Response]:
    """Take all static files into memory; what is asked for later is looked up, never opened."""
    folder = files(__package__) / "static"
    found = {
        file.name: Response(
            file.read_bytes(),
            headers={"content-type": _MEDIA_TYPES[file.name.rpartition(".")[2]]},
        )
        for file in folder.iterdir()
        if file.name.rpartition(".")[2] in _MEDIA_TYPES
    }
    if "index.html" not in found:
        raise SetUpError("the files of the panel are missing; install the package again")
    found[_FONT] = Response(cut_font(), headers={"content-type": "font/otf"})
    return found
