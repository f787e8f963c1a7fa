"""What the page answers to requests, whoever sends them, and what it leaves behind."""

import http.client
import json
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message

from issuance_server.__main__ import main
from issuance_server.certificates.verify.verdict import NumberStatus
from issuance_server.verify_page.guard import ANSWER_HEADERS, Origins
from issuance_server.verify_page.page import (
    STATUS_QUESTIONS_MAX,
    UPLOADS_MAX,
    City,
    verification_page,
)
from issuance_server.verify_page.sentences import in_both
from issuance_server.verify_page.uploads import BODY_BYTES_MAX, FILES_MAX, joined
from issuance_server.verify_page.workers import Workers
from keys.__main__ import main as issuance_keys
from keys.trust import CityTrust
from tests.commands.test_verify import GENUINE, NEVER_RELEASED, UNCONFIRMED, UNKNOWN, VOID
from tests.verify_page.scene import Page, certificate, served, with_one_glyph_altered

WAIT_S = 20


def asked(
    page: Page, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], Any]:
    """Send one request as the page itself would; give status, headers and JSON or text."""
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=WAIT_S)
    own = {"origin": page.address.rstrip("/")} if method == "POST" else {}
    connection.request(method, path, body, {**own, **headers})
    answer = connection.getresponse()
    content = answer.read()
    told = {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    is_json = told.get("content-type") == "application/json"
    return answer.status, told, json.loads(content) if is_json else content.decode()


def verified(page: Page, *files: bytes) -> Any:
    """Upload files, and return what is told of them."""
    status, _, told = asked(page, "POST", "/verify", joined(files))
    assert 200 == status, told
    return told


@pytest.mark.parametrize(
    ("number", "verdict", "status"),
    [
        (GENUINE, "GENUINE", "PRINTED"),
        (UNCONFIRMED, "UNCONFIRMED", "RELEASED"),
        (VOID, "NOT_VALID", "VOID"),
        (NEVER_RELEASED, "NOT_VALID", "NEVER_RELEASED"),
        (UNKNOWN, "NOT_VALID", "UNKNOWN"),
    ],
)
def test_the_citys_record_decides(
    city: Path, served_page: Page, number: str, verdict: str, status: str
) -> None:
    """An upload and a question for the number alone agree."""
    told = verified(served_page, certificate(city / "keys", number))
    path = "/status?number=" + number.encode().hex(" ").upper().replace(" ", "%").join(["%", ""])
    _, _, record = asked(served_page, "GET", path)

    assert verdict == told["verdict"]
    assert number == told["sheets"][0]["claim"]["number"]
    assert (status, told["sheets"][0]["why"]) == (record["status"], record["why"])


def test_without_records_the_status_stays_open(city: Path, tmp_path: Path) -> None:
    """With public keys alone the signature is all that is vouched for, and a specimen is a test."""
    keys = city / "keys"
    assert 0 == issuance_keys(["export", str(keys), "--out", str(tmp_path / "public")])
    with served(tmp_path, "--trust", "public", stop=signal.SIGINT) as page:
        told = verified(page, certificate(keys, VOID))
        sample = verified(page, certificate(keys, VOID, specimen=True))
        status, _, refused = asked(page, "GET", "/status?number=1")

    assert ("SIGNATURE_GOOD", "TEST") == (told["verdict"], sample["verdict"])
    assert 404 == status
    assert "no access" in refused["refusal"]["en"]


def test_every_answer_forbids_what_the_page_does_not_need(served_page: Page) -> None:
    """Whatever is asked for, with a strict policy, without cookies, and never kept."""
    for method, path in (
        ("GET", "/"),
        ("GET", "/static/main.js"),
        ("GET", "/keys"),
        ("GET", "/no-such-page"),
        ("GET", "/static/..%2fpage.py"),
        ("POST", "/verify"),
    ):
        status, headers, _ = asked(served_page, method, path, b"" if method == "POST" else None)
        assert ANSWER_HEADERS.items() <= headers.items(), path
        assert "set-cookie" not in headers
        assert (path in {"/", "/static/main.js", "/keys"}) == (200 == status)


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/verify", {"host": "evil.example"}, 421),
        ("/verify", {"host": "127.0.0.1:1"}, 421),
        ("/verify", {"origin": "https://evil.example"}, 403),
        ("/verify", {"origin": "null"}, 403),
        ("/verify", {"origin": ""}, 403),
        ("/keys", {"host": "evil.example"}, 421),
        ("/status?number=1", {"sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_other_sites_are_refused(
    served_page: Page, path: str, headers: dict[str, str], expected: int
) -> None:
    """A rebound name and a form of another site get nowhere."""
    method = "POST" if path == "/verify" else "GET"
    status, _, _ = asked(served_page, method, path, joined((b"x",)), **headers)

    assert expected == status


def test_the_public_address_counts_too() -> None:
    """Behind a proxy the page is reached under the name that stands on the paper."""
    origins = Origins.of(host="127.0.0.1", port=8090, public=["https://Verify.example:443/x", ""])

    assert origins.own("https://verify.example", "verify.example")
    assert origins.own("http://localhost:8090", "localhost:8090")
    assert not origins.own("http://verify.example", "verify.example")
    assert not origins.own("https://verify.example", "localhost:8090")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "between 1 and 16"),
        (b"\x00\x00\x00\x09short", 400, "between 1 and 16"),
        (b"\x00\x00\x00\x00", 400, "between 1 and 16"),
        (joined((b"x",) * (FILES_MAX + 1)), 400, "between 1 and 16"),
        (joined((b"a letter",)), 422, "no PDF and no PNG, JPEG or TIFF picture"),
        (joined((b"%PDF-1.7 and no more",)), 422, "damaged, or no PDF"),
    ],
)
def test_bad_uploads_end_in_a_sentence(
    served_page: Page, body: bytes, status: int, words: str
) -> None:
    """In English and Japanese."""
    answered, _, told = asked(served_page, "POST", "/verify", body)

    assert status == answered
    assert words in told["refusal"]["en"]
    assert told["refusal"]["ja"].endswith("。")
    assert told["refusal"]["ja"] != in_both("of an unknown kind").ja


def test_a_large_upload_is_refused_before_it_is_sent(served_page: Page) -> None:
    """By its announced length, with a sentence that names the limit."""
    with socket.create_connection(("127.0.0.1", served_page.port), WAIT_S) as connection:
        connection.sendall(upload_head(served_page, BODY_BYTES_MAX + 1))
        answer = connection.makefile("rb").read().decode()

    assert answer.startswith("HTTP/1.1 413 ")
    assert "at most 48 MB" in answer


def test_more_uploads_than_there_is_room_for_are_told_to_come_again(
    served_page: Page, genuine: bytes
) -> None:
    """Slow senders take the places; the next one is asked to wait, and is served later."""
    slow = []
    for _ in range(UPLOADS_MAX):
        connection = socket.create_connection(("127.0.0.1", served_page.port), WAIT_S)
        connection.sendall(upload_head(served_page, 1_000) + b"expect")
        slow.append(connection)
    while True:  # until the last of them has taken its place
        status, headers, told = asked(served_page, "POST", "/verify", b"")
        if status == 503:
            break
    for connection in slow:
        connection.close()
    while asked(served_page, "POST", "/verify", b"")[0] == 503:
        pass

    assert "10" == headers["retry-after"]
    assert "Try again" in told["refusal"]["en"]
    assert "GENUINE" == verified(served_page, genuine)["verdict"]


def upload_head(page: Page, length: int) -> bytes:
    """Return the head of an upload."""
    origin = page.address.rstrip("/")
    host = origin.removeprefix("http://")
    return (
        f"POST /verify HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode()


async def test_numbers_cannot_be_tried_in_bulk(city: Path) -> None:
    """After some questions for numbers the next ones have to wait."""

    async def nowhere(numbers: Sequence[str]) -> Sequence[NumberStatus]:
        return [NumberStatus.UNKNOWN for _ in numbers]

    trust = CityTrust.load(city / "keys" / "trust")
    page = verification_page(
        City(name="", trust=lambda: trust, statuses_of=nowhere),
        Workers([]),
        Origins.of(host="127.0.0.1", port=80),
    )
    statuses = [await status_of(page, number) for number in range(STATUS_QUESTIONS_MAX + 1)]

    assert [200] * STATUS_QUESTIONS_MAX + [429] == statuses


async def status_of(page: ASGIApp, number: int) -> int:
    """Ask for a number without a network; return the status of the answer."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/status",
        "root_path": "",
        "query_string": f"number={number}".encode(),
        "headers": [(b"host", b"127.0.0.1")],
    }
    await page(scope, receive, send)
    return int(sent[0]["status"])


def test_nothing_of_an_upload_is_left(city: Path, served_page: Page, genuine: bytes) -> None:
    """Neither in the city's folder nor in what the page prints, whether it can be read or not."""
    canary = b"canary-of-an-upload"
    verified(served_page, with_one_glyph_altered(genuine) + b"\n%" + canary)
    asked(served_page, "POST", "/verify", joined((canary,)))

    traces = (canary, "架空コーポ".encode(), GENUINE.encode())
    database = city / "data"
    left = [
        path
        for path in city.rglob("*")
        if path.is_file()
        and database not in path.parents
        and any(trace in path.read_bytes() for trace in traces)
    ]
    stored = [path for path in database.iterdir() if canary in path.read_bytes()]
    assert (city / "page.log").is_file()
    assert ([], []) == (left, stored)


def test_a_reading_process_that_dies_is_replaced(served_page: Page, genuine: bytes) -> None:
    """What a hostile file does to one process, the next upload does not notice."""
    for process in reading_processes(served_page):
        os.kill(process, signal.SIGKILL)
    statuses = []
    while 200 not in statuses and len(statuses) < UPLOADS_MAX:  # the first may find it dying
        statuses.append(asked(served_page, "POST", "/verify", joined((genuine,)))[0])

    assert 200 == statuses[-1]
    for process in reading_processes(served_page):
        limits = Path(f"/proc/{process}/limits").read_text()
        for limit in ("Max file size", "Max core file size"):
            assert ["0"] == [
                line.split()[len(limit.split())]
                for line in limits.splitlines()
                if line.startswith(limit)
            ]


def reading_processes(page: Page) -> list[int]:
    """Return the processes that a page has started."""
    parent = page.process.pid
    return [
        int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    ]


def test_a_port_in_use_is_said(city: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one sentence that names the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status = main(["verify-page", "--config", str(city / "server.toml"), "--port", port])

    told = capsys.readouterr().err
    assert (1, 1) == (status, told.count("\n"))
    assert "choose another one with --port" in told
