"""How sides of sheets arrive: files one behind the other, each after its length; never on a disk.

A form's multipart would need a parser that guards against names, headers and nesting; the page's
own script writes four bytes of length before each file instead.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator

from issuance_server.verify_page.sentences import BAD_UPLOAD, TOO_LARGE, TOO_SLOW, Sentence
from protocol.errors import KofuError

BODY_BYTES_MAX = 48 * 1024 * 1024
"""Both sides of four sheets, scanned at 300 dpi in colour."""
FILES_MAX = 16
UPLOAD_MS_MAX = 90_000
LENGTH_BYTES = 4


class UploadRefused(KofuError):
    """The body is not taken.

    Attributes:
        status: of HTTP.
        sentence: why.
    """

    def __init__(self, status: int, sentence: Sentence) -> None:
        super().__init__(sentence.en)
        self.status = status
        self.sentence = sentence


async def received(announced: str, chunks: AsyncIterator[bytes]) -> tuple[bytes, ...]:
    """Return the files of a body.

    Args:
        announced: what ``Content-Length`` says; empty if nothing.
        chunks: the body as it comes in.

    Raises:
        UploadRefused: too large, too slow, or not made as above.
    """
    if announced.isdecimal() and int(announced) > BODY_BYTES_MAX:
        raise UploadRefused(413, TOO_LARGE)
    body = bytearray()
    try:
        async with asyncio.timeout(UPLOAD_MS_MAX / 1_000):
            async for chunk in chunks:
                if len(body) + len(chunk) > BODY_BYTES_MAX:
                    raise UploadRefused(413, TOO_LARGE)
                body += chunk
    except TimeoutError:
        raise UploadRefused(408, TOO_SLOW) from None
    files = tuple(_files(bytes(body)))
    if not 1 <= len(files) <= FILES_MAX:
        raise UploadRefused(400, BAD_UPLOAD)
    return files


def joined(files: tuple[bytes, ...]) -> bytes:
    """Return the body that holds some files."""
    return b"".join(len(file).to_bytes(LENGTH_BYTES) + file for file in files)


def _files(body: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(body):
        end = start + LENGTH_BYTES + int.from_bytes(body[start : start + LENGTH_BYTES])
        if end > len(body) or end <= start + LENGTH_BYTES:
            raise UploadRefused(400, BAD_UPLOAD)
        yield body[start + LENGTH_BYTES : end]
        start = end
