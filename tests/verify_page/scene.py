"""A city whose certificates are verified, its page in a process of its own, and files to upload."""

import asyncio
import io
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec
import pikepdf
import pypdfium2
from PIL import Image

from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.certificates.code.placing import SheetCodes
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.certificates.verify.pictures import seen_codes
from issuance_server.core import records as r
from issuance_server.desk_commands.set_up import init
from issuance_server.sample.city import ISSUER
from keys.city_keys import load_back_secrets, load_code_key
from tests.certificates.one_sheet import order_of_one_sheet
from tests.commands.test_issuances import RECORDS, applied
from tests.commands.test_verify import RELEASED, RESERVED

CITY = "272035"
START_LINE = re.compile(r"http://127\.0\.0\.1:\d+/")
STOP_SECONDS_MAX = 20
SCAN_DPI = 200


@dataclass(frozen=True)
class Page:
    """A served page.

    Attributes:
        address: such as ``http://127.0.0.1:8090/``.
        process: which serves it.
    """

    address: str
    process: "subprocess.Popen[str]"

    @property
    def port(self) -> int:
        return int(self.address.rstrip("/").rpartition(":")[2])


def issued_city(folder: Path) -> Path:
    """Make the sample city with a number in every state; return its folder."""
    init(folder, sample="toyonaka")
    released = msgspec.structs.replace(
        next(one for one in RECORDS if isinstance(one, r.IssuanceReleased)), issuance_id=RELEASED
    )

    async def write() -> None:
        store = await SqliteStore.open(folder / "data" / "city.db")
        async with store.transaction() as transaction:
            for record in (*RECORDS, applied(RESERVED, 3), applied(RELEASED, 4), released):
                transaction.write(record)
        await store.close()

    asyncio.run(write())
    return folder


@contextmanager
def served(folder: Path, *arguments: str, stop: signal.Signals = signal.SIGTERM) -> Iterator[Page]:
    """Serve the page from a folder, with its output in ``page.log`` there; it must end well."""
    command = [sys.executable, "-m", "issuance_server", "verify-page", "--port", "0", *arguments]
    with (folder / "page.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            found = START_LINE.search(process.stdout.readline())
            assert found, (folder / "page.log").read_text()
            yield Page(found[0], process)
            process.send_signal(stop)
            assert 0 == process.wait(STOP_SECONDS_MAX)
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


@cache
def _renderer(keys: Path) -> CertificateRenderer:
    coding = SheetCodes(CITY, load_code_key(keys).signer)
    return CertificateRenderer(code=coding, back_secret=load_back_secrets(keys).newest)


def certificate(keys: Path, number: str, *, specimen: bool = False, backs: bool = False) -> bytes:
    """Make a certificate of one sheet with a city's own keys."""
    order = order_of_one_sheet(
        number, msgspec.structs.replace(ISSUER, specimen=specimen, backs=backs)
    )
    return _renderer(keys).render(order).pdf


def pictures(pdf: bytes) -> list[Image.Image]:
    """Draw the sides of a certificate as a scanner without faults would."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=SCAN_DPI / 72).to_pil().convert("L") for page in document]


def png(picture: Image.Image) -> bytes:
    """Return the file of a picture."""
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def link_fragment(pdf: bytes) -> str:
    """Return what follows the # in the link of a certificate's first sheet."""
    (code, *_) = seen_codes(pictures(pdf)[0])
    return code.text.partition("#")[2]


def with_one_glyph_altered(pdf: bytes) -> bytes:
    """Put the last but one glyph of the first line in place of its last."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        page = document.pages[0]
        before, place, behind = page.Contents.read_bytes().partition(b"> Tj ET\nBT")
        page.Contents = document.make_stream(before[:-4] + before[-8:-4] + place + behind)
        altered = io.BytesIO()
        document.save(altered)
    return altered.getvalue()
