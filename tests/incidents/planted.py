"""What went wrong elsewhere, planted where certificates are made or sealed here.

Each of these does to this city what the published cause did to another; a test shows what comes of
it, and that its own assertion would see it.
"""

import asyncio
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
import pikepdf
import pytest

from issuance_server.certificates.order import CertificateOrder, Rendered
from protocol import sealed_certificate
from protocol.page_digest import page_digests
from protocol.secret import Secret
from protocol.sheet_digest import digests_of_sheets
from tests.incidents.stage import Making, make

_MS_PER_S = 1_000
_DRAW_SEAL = b"/Seal Do"


class SlowWorkers:
    """Renderings that take their time, and come even if nobody waits any more.

    Attributes:
        latenesses_ms: of the next renderings; afterwards none is late.
        late: how many came after their asker had gone.
    """

    def __init__(self, *latenesses_ms: int) -> None:
        self.latenesses_ms = list(latenesses_ms)
        self.late = 0
        self._images: set[asyncio.Task[Rendered]] = set()

    async def __call__(self, order: CertificateOrder) -> Rendered:
        """Make a certificate, and give it to whoever asked for it."""
        image = self.begin(order)
        try:
            return await asyncio.shield(image)
        except asyncio.CancelledError:
            image.add_done_callback(self._count)
            raise

    def begin(self, order: CertificateOrder) -> asyncio.Task[Rendered]:
        """Begin to make one; nobody can stop it."""
        lateness_ms = self.latenesses_ms.pop(0) if self.latenesses_ms else 0
        image = asyncio.create_task(self._made(order, lateness_ms))
        self._images.add(image)
        return image

    async def _made(self, order: CertificateOrder, lateness_ms: int) -> Rendered:
        await asyncio.sleep(lateness_ms / _MS_PER_S)
        return await make(order)

    def _count(self, image: asyncio.Task[Rendered]) -> None:
        self.late += not image.cancelled()


class OneImageFile(SlowWorkers):
    """One place for all print images: whoever waits takes what comes there next."""

    def __init__(self, *latenesses_ms: int) -> None:
        super().__init__(*latenesses_ms)
        self._file: asyncio.Queue[Rendered] = asyncio.Queue()

    async def __call__(self, order: CertificateOrder) -> Rendered:
        """Begin an image, and take whatever comes first."""
        self.begin(order).add_done_callback(self._came)
        return await self._file.get()

    def _came(self, image: asyncio.Task[Rendered]) -> None:
        if not image.cancelled():
            self._file.put_nowait(image.result())


class FileNamedBy:
    """Files named by something that two applications may have in common: the later overwrites.

    Args:
        names: the name of each application's file, in the order in which they come.
        expected: how many are made before the first one is read.
    """

    def __init__(self, names: Sequence[str], expected: int) -> None:
        self._names = iter(names)
        self._files: dict[str, Rendered] = {}
        self._written = asyncio.Barrier(expected)

    async def __call__(self, order: CertificateOrder) -> Rendered:
        """Write a file, and read it when the others have written theirs."""
        name = next(self._names)
        self._files[name] = await make(order)
        await self._written.wait()
        return self._files[name]


def exchanging_sheet(place: int, other: CertificateOrder | None = None) -> Making:
    """Return workers that put a sheet of the last document into the next one.

    Args:
        place: which sheet, from 1.
        other: whose sheet it is instead; it bears the number of the document that it gets into.
    """
    last: list[Rendered] = []

    async def making(order: CertificateOrder) -> Rendered:
        made = await make(order)
        if other is not None:
            numbered = msgspec.structs.replace(other, numbers=order.numbers)
            last[:] = [await make(numbered)]
        mixed = with_sheet_of(made, place, last[0]) if last else made
        last[:] = [made]
        return mixed

    return making


def with_sheet_of(made: Rendered, place: int, other: Rendered) -> Rendered:
    """Return a document with one sheet of another; its digests are those of what it is now."""
    return _digested(made, _with_sheet(made.pdf, place, other.pdf))


def without_seal(made: Rendered) -> Rendered:
    """Return a document on whose last sheet the seal is not drawn."""
    with pikepdf.open(io.BytesIO(made.pdf)) as document:
        page = document.pages[-1]
        drawn = page.Contents.read_bytes()
        assert drawn.count(_DRAW_SEAL) == 1
        page.Contents = document.make_stream(drawn.replace(_DRAW_SEAL, b""))
        return _digested(made, _saved(document))


def _with_sheet(pdf: bytes, place: int, other: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as document, pikepdf.open(io.BytesIO(other)) as from_there:
        document.pages[place - 1] = from_there.pages[place - 1]
        return _saved(document)


def _saved(document: pikepdf.Pdf) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _digested(made: Rendered, pdf: bytes) -> Rendered:
    digests = digests_of_sheets(page_digests(pdf), made.sheets)
    return msgspec.structs.replace(made, pdf=pdf, sheet_digests=digests)


@contextmanager
def sealing_the_last_one(*, sheet: int | None = None) -> Iterator[None]:
    """Let each certificate be sealed with what was sealed before it, or with a sheet of that.

    That is past the gate, and after the city has decided what it signs.

    Args:
        sheet: which sheet alone, from 1.
    """
    honest, sealed_before = sealed_certificate.seal, list[bytes]()

    def seal(pdf: bytes, *, sheets: int, key: Secret, issuance_id: bytes) -> bytes:
        last = sealed_before[-1] if sealed_before else pdf
        sealed_before.append(pdf)
        wrong = last if sheet is None or last is pdf else _with_sheet(pdf, sheet, last)
        return honest(wrong, sheets=sheets, key=key, issuance_id=issuance_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed_certificate, "seal", seal)
        yield
