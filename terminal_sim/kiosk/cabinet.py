"""What is inside the cabinet: the printer that can jam, the wire that can be cut, the card tray."""

import asyncio
import io
import re
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
import zxingcpp
from PIL import Image

from keys.cards import Card, CardFile, load_card
from protocol.errors import AdapterError, SetUpError
from terminal_sim.carrier import Carrier
from terminal_sim.devices import Printer
from terminal_sim.kiosk.state import SampleCard

CARDS_SHOWN_MAX = 8
PICTURE_WIDTH_PIXELS = 1_000
SYMBOL_SCALE = 8
_CARD_SUFFIX = ".card.json"
_NOTE = re.compile(r"cards/(\S+)\.card\.json \| (\d{4,12}) \|")


class Wiring:
    """The wire to the city, as long as nobody cuts it. It outlives the openings of the line."""

    def __init__(self) -> None:
        self.cut = False
        self._unplugged = asyncio.Event()

    def turn(self, *, cut: bool) -> None:
        """Cut the wire, or mend it."""
        self.cut = cut
        if not cut:
            self._unplugged.set()
            self._unplugged = asyncio.Event()

    def connected(self, carrier: Carrier) -> asyncio.Event:
        """Return what tells whether messages go through; who waits for a cut wire is woken."""
        return self._unplugged if self.cut else carrier.connected


class CutWire:
    """A carrier whose messages are lost while the wire is cut."""

    def __init__(self, carrier: Carrier, wiring: Wiring) -> None:
        self._carrier = carrier
        self._wiring = wiring

    @property
    def connected(self) -> asyncio.Event:
        """Set while messages go through."""
        return self._wiring.connected(self._carrier)

    @connected.setter
    def connected(self, _event: asyncio.Event) -> None:
        raise AttributeError("the carrier itself connects")

    async def run(self) -> None:
        """Stay connected."""
        await self._carrier.run()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Send, unless the wire is cut.

        Raises:
            AdapterError: it may or may not have been delivered.
        """
        if self._wiring.cut:
            raise AdapterError("the wire is cut")
        await self._carrier.publish(topic, payload)

    @property
    async def incoming(self) -> AsyncIterator[tuple[str, bytes]]:
        """Give what arrives."""
        async for message in self._carrier.incoming:
            if not self._wiring.cut:
                yield message

    async def close(self) -> None:
        """Disconnect."""
        await self._carrier.close()


class FaultyPrinter(Printer):
    """A printer that takes its time, and that an operator can jam or leave without toner."""

    def __init__(self, tray: Path, sheet_ms: int) -> None:
        super().__init__(tray)
        self._sheet_s = sheet_ms / 1_000
        self._jammed = threading.Event()
        self.no_toner = False

    def jam(self, *, on: bool) -> None:
        """Jam the paper, or take it out."""
        if on:
            self._jammed.set()
        else:
            self._jammed.clear()

    def make_ready(self) -> None:
        """See that there are a tray, toner, and a free way for the paper.

        Raises:
            OSError: something of this is missing.
        """
        if self._jammed.is_set() or self.no_toner:
            raise OSError("the printer wants its staff")
        super().make_ready()

    def lay(self, issuance_id: bytes, pdf: bytes, *, sheet: int, sheets: int) -> None:
        """Let one sheet leave.

        Raises:
            OSError: the sheet may be out or not.
        """
        if self._jammed.wait(self._sheet_s):
            raise OSError("the paper is jammed")
        super().lay(issuance_id, pdf, sheet=sheet, sheets=sheets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tray:
    """Sample cards that lie ready beside the machine.

    Attributes:
        folder: holds ``NAME.card.json``.
        cards: as they are shown.
    """

    folder: Path
    cards: tuple[SampleCard, ...]

    @classmethod
    def lay_out(cls, folder: Path, *, names: tuple[str, ...], notes: Path | None) -> "Tray":
        """Lay out cards.

        Args:
            folder: of card files.
            names: which; none: the first ones.
            notes: a text with a table of card files and PINs, as that of a sample city; a tray of
                cards without PINs otherwise.

        Raises:
            SetUpError: there are no cards, or the notes cannot be read.
            KeyManagementError: a card can be read by others.
        """
        found = sorted(
            path.name.removesuffix(_CARD_SUFFIX) for path in folder.glob(f"*{_CARD_SUFFIX}")
        )
        shown = names or tuple(found[:CARDS_SHOWN_MAX])
        missing = sorted(set(shown) - set(found))
        if not shown or missing:
            raise SetUpError(
                f"{folder} holds no card {', '.join(missing)}".rstrip()
                + "; give --cards the folder "
                "cards of a sample city, and --show the names of files there"
            )
        pins = _pins_of(notes)
        return cls(
            folder=folder,
            cards=tuple(_shown(folder, name, pins.get(name, "")) for name in shown),
        )

    def card(self, name: str) -> Card:
        """Return a card of the tray.

        Raises:
            SetUpError: it is not there any more.
            KeyManagementError: it can be read by others.
        """
        return load_card(self.folder / f"{name}{_CARD_SUFFIX}")


def _shown(folder: Path, name: str, pin: str) -> SampleCard:
    card = load_card(folder / f"{name}{_CARD_SUFFIX}")
    form = "basic" if isinstance(card, CardFile) else "mynumber"
    return SampleCard(name=name, holder=card.holder, form=form, pin=pin)


def _pins_of(notes: Path | None) -> dict[str, str]:
    if notes is None:
        return {}
    try:
        return dict(_NOTE.findall(notes.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError):
        raise SetUpError(f"the notes {notes} cannot be read; leave out --notes") from None


def picture_of(paper: Path, *, sheet: int, sheets_out: int) -> bytes:
    """Draw the face of a sheet that lies in the tray, as a PNG. The call blocks.

    Args:
        paper: the file of the paper.
        sheet: which, from 1.
        sheets_out: how many sheets the file holds.

    Raises:
        OSError: it is not there any more.
    """
    content = paper.read_bytes()
    with pypdfium2.PdfDocument(content) as document:
        sides = max(1, len(document) // max(1, sheets_out))
        page = document[min((sheet - 1) * sides, len(document) - 1)]
        scale = PICTURE_WIDTH_PIXELS / page.get_width()
        picture = page.render(scale=scale, grayscale=True).to_pil()
    drawn = io.BytesIO()
    picture.save(drawn, "PNG")
    return drawn.getvalue()


def symbol_of(code: str) -> bytes:
    """Draw a code as a 2D symbol, a PNG."""
    made = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.QRCode)
    drawn = io.BytesIO()
    Image.fromarray(made.to_image(scale=SYMBOL_SCALE)).save(drawn, "PNG")
    return drawn.getvalue()
