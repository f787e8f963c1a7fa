"""What comes in files and streams: a certificate's PDF, and frames between processes."""

import asyncio
import functools
import zlib
from collections.abc import Iterable

from issuance_server.adapters import frames
from issuance_server.adapters.frames import Frame
from protocol.errors import AdapterError, MalformedTelegram
from protocol.limits import SHEETS_MAX
from protocol.page_digest import first_pages, page_digests
from tests.fuzz.target import Target, demand
from tests.vectors.reading import octets, vector


def pages(data: bytes) -> str:
    """Take the page digests of a PDF, and again of its first half."""
    try:
        digests = page_digests(data)
    except MalformedTelegram:
        return "refused"
    demand(1 <= len(digests) <= SHEETS_MAX, "a PDF has 1 to so many pages")
    half = max(1, len(digests) // 2)
    try:
        kept = page_digests(first_pages(data, half))
    except MalformedTelegram:
        return "digested"  # a page may refer to one that is gone, by an entry that shows nothing
    demand(len(kept) == half, "as many first pages as were asked for")
    return "digested"


def pdf(objects: Iterable[bytes]) -> bytes:
    """Return a PDF of these objects; the first one is the catalogue."""
    written, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(offsets) + 1
    return written + (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (count, table, count, len(written))
    )


def _stream(content: bytes, *, deflated: bool) -> bytes:
    if not deflated:
        return b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content)
    packed = zlib.compress(content)
    return b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(packed), packed)


def page_seeds() -> tuple[bytes, ...]:
    """Return small PDFs: plain, deflated, several pages, nested page trees, odd values."""
    catalogue = b"<< /Type /Catalog /Pages 2 0 R >>"
    box = b"/MediaBox [0 0 595.20 842] /Resources << >>"
    page = b"<< /Type /Page /Parent 2 0 R /Contents %b %b >>"
    tree = b"<< /Type /Pages /Kids [%b] /Count %d /MediaBox [0 0 595 842] >>"
    two = (catalogue, tree % (b"3 0 R 4 0 R", 2))
    content = _stream(b"BT (MIHON) Tj ET", deflated=True)
    odd = b"/A << /B [null true -0.50 +7 (a\\)b) <0a> /C#20D] /E 5 0 R >> /Resources << >>"
    deep = (
        catalogue,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /Rotate 90 >>",
        b"<< /Type /Pages /Parent 2 0 R /Kids [4 0 R] /Count 1 /Resources << >> >>",
        b"<< /Type /Page /Parent 3 0 R /Contents [5 0 R 5 0 R] /MediaBox [0 0 9 9] >>",
        _stream(b"q Q", deflated=False),
    )
    return (
        octets(vector("page_digest")["pdf"]),
        pdf((*two, page % (b"5 0 R", box), page % (b"[5 0 R]", odd), content)),
        pdf(deep),
    )


def frame(data: bytes) -> str:
    """Read frames from a stream, whole and byte by byte; both must end in the same way."""
    whole, bytewise = _read_all((data,)), _read_all(data[at : at + 1] for at in range(len(data)))
    demand(whole == bytewise, "frames do not depend on how the bytes arrive")
    found, damaged = whole
    if damaged:
        return "refused"
    return "frames" if found else "nothing"


def _read_all(pieces: Iterable[bytes]) -> tuple[list[bytes], bool]:
    """Return the frames of a stream, encoded again, and whether it ended with a damaged one."""
    return _loop().run_until_complete(_read_from(pieces))


async def _read_from(pieces: Iterable[bytes]) -> tuple[list[bytes], bool]:
    reader = asyncio.StreamReader()
    found: list[bytes] = []

    async def read() -> bool:
        try:
            while (next_one := await frames.read(reader)) is not None:
                found.append(frames.encode(next_one))
        except AdapterError:
            return True
        return False

    reading = asyncio.ensure_future(read())
    for piece in pieces:
        reader.feed_data(piece)
        await asyncio.sleep(0)
    reader.feed_eof()
    return found, await reading


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return one loop for all inputs; a new one for each would cost more than the reading."""
    return asyncio.new_event_loop()


def frame_seeds() -> tuple[bytes, ...]:
    """Return streams: of good frames, of a frame cut short, of one announced too long."""
    greeting = frames.encode(Frame(request_id=frames.GREETING_ID))
    asked = frames.encode(Frame(request_id=1, body=b"a body"))
    refused = frames.encode(Frame(request_id=2, refusal="not now"))
    return (
        b"",
        greeting,
        greeting + asked + refused,
        asked[:-1],
        asked + b"\0\0\0\1\xc1",
        (frames.FRAME_BYTES_MAX + 1).to_bytes(4, "big") + bytes(8),
    )


TARGETS = (
    Target(
        name="page-digest",
        run=pages,
        seeds=page_seeds,
        verdicts=frozenset({"digested", "refused"}),
        input_bytes_max=4_096,
        short_runs=4_000,
    ),
    Target(
        name="frames",
        run=frame,
        seeds=frame_seeds,
        verdicts=frozenset({"frames", "nothing", "refused"}),
        input_bytes_max=192,
        short_runs=2_000,
    ),
)
