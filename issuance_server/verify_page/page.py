"""The web application of the verification page."""

import asyncio
import base64
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from issuance_server.certificates.code.claim import NUMBER_CHARACTERS_MAX, key_id
from issuance_server.verify_page import worker_wire as wire
from issuance_server.verify_page.answers import StatusesOf, told
from issuance_server.verify_page.guard import Guard, Origins, from_our_page
from issuance_server.verify_page.sentences import (
    BAD_NUMBER,
    BUSY,
    NO_RECORDS,
    NOT_OURS,
    RECORDS_AWAY,
    TOO_HARD,
    WHY_NOT_VALID,
    Sentence,
    in_both,
)
from issuance_server.verify_page.uploads import (
    BODY_BYTES_MAX,
    FILES_MAX,
    UploadRefused,
    received,
)
from issuance_server.verify_page.workers import Workers
from keys.trust import CityTrust
from protocol.errors import AdapterError, KofuError
from protocol.kinds import Kind

UPLOADS_MAX = 6
"""In memory at once: being received, waiting, and being read."""
STATUS_QUESTIONS_MAX = 30
STATUS_QUESTIONS_MS = 10_000
"""Within so long a time at most so many questions are answered."""
RETRY_SECONDS = 10

_MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_START = "index.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """Whose page it is.

    Attributes:
        name: of the city; empty if only its keys are known.
        trust: reads the city's public keys, anew each time: a revoked one counts no more.
        statuses_of: the city's records; None where they are not at hand.
    """

    name: str
    trust: Callable[[], CityTrust]
    statuses_of: StatusesOf | None = None


def verification_page(city: City, workers: Workers, origins: Origins) -> ASGIApp:
    """Return the application.

    Args:
        city: whose certificates are verified.
        workers: started processes that read uploads.
        origins: addresses of the page; requests to any other are refused.
    """
    desk = _Desk(city=city, workers=workers)
    static = _static_files()

    async def static_file(request: Request) -> Response:
        content = static.get(request.path_params.get("name", _START))
        return content if content is not None else Response("no such file", 404)

    routes = [
        Route("/", static_file),
        Route("/static/{name}", static_file),
        Route("/keys", desk.keys),
        Route("/status", desk.status),
        Route("/verify", desk.verify, methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes), origins)


@dataclass
class _Desk:
    """Answers the questions of the page's script."""

    city: City
    workers: Workers
    _uploads: int = 0
    _asked_at_ms: list[float] = field(default_factory=list)

    async def keys(self, _request: Request) -> Response:
        """Tell what the page needs to verify a link by itself."""
        try:
            trust = self.city.trust()
        except KofuError:
            return _refusal(503, RECORDS_AWAY)
        return JSONResponse(
            {
                "city": trust.city,
                "name": self.city.name,
                "records": self.city.statuses_of is not None,
                "keys": {key_id(key).hex(): _base64(key) for key in trust.code_keys()},
                "kinds": [{"name": kind.value, "title": kind.title} for kind in Kind],
                "uploadBytesMax": BODY_BYTES_MAX,
                "filesMax": FILES_MAX,
            }
        )

    async def status(self, request: Request) -> Response:
        """Tell what is on record for a 発行番号."""
        number = request.query_params.get("number", "")
        if not from_our_page(request.headers):
            return _refusal(403, NOT_OURS)
        if self.city.statuses_of is None:
            return _refusal(404, NO_RECORDS)
        if not 1 <= len(number) <= NUMBER_CHARACTERS_MAX:
            return _refusal(400, BAD_NUMBER)
        if not self._may_ask():
            return _refusal(429, BUSY)
        try:
            (status,) = await self.city.statuses_of([number])
        except KofuError:
            return _refusal(503, RECORDS_AWAY)
        why = WHY_NOT_VALID.get(status)
        return JSONResponse({"status": status.name, "why": why.told() if why else None})

    async def verify(self, request: Request) -> Response:
        """Verify an upload. It is in memory here and in a reading process, and nowhere else."""
        if self._uploads >= UPLOADS_MAX:
            return _refusal(503, BUSY)
        with self._uploading():
            try:
                announced = request.headers.get("content-length", "")
                uploaded = await received(announced, _chunks(request))
                answer = await self.workers.read(uploaded)
            except UploadRefused as refused:
                return _refusal(refused.status, refused.sentence)
            except ClientDisconnect:
                return Response(status_code=400)
            except AdapterError as error:
                sys.stderr.write(f"verify-page: {error}\n")
                return _refusal(422, TOO_HARD)
        if isinstance(answer, wire.Unreadable):
            return _refusal(422, in_both(answer.why))
        return JSONResponse(await told(answer.sheets, self.city.statuses_of))

    @contextmanager
    def _uploading(self) -> Any:
        self._uploads += 1
        try:
            yield
        finally:
            self._uploads -= 1

    def _may_ask(self) -> bool:
        now_ms = asyncio.get_running_loop().time() * 1_000
        recent = [at for at in self._asked_at_ms if now_ms - at < STATUS_QUESTIONS_MS]
        self._asked_at_ms = [*recent, now_ms] if len(recent) < STATUS_QUESTIONS_MAX else recent
        return len(recent) < STATUS_QUESTIONS_MAX


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk


def _refusal(status: int, sentence: Sentence) -> Response:
    retry = {"retry-after": str(RETRY_SECONDS)} if status in {429, 503} else None
    return JSONResponse({"refusal": sentence.told()}, status, headers=retry)


def _static_files() -> Mapping[str, Response]:
    """Take all static files into memory; what is asked for later is looked up, never opened."""
    found = (files(__package__) / "static").iterdir()
    return {
        file.name: Response(
            file.read_bytes(),
            headers={"content-type": _MEDIA_TYPES[file.name.rpartition(".")[2]]},
        )
        for file in found
        if file.name.rpartition(".")[2] in _MEDIA_TYPES
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
