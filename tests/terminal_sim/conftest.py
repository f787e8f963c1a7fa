"""A terminal's folder with real keys, a card, and a city on the other end of its line."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys.cards import CardFile
from keys.city_keys import create_city_keys, load_judge_keys, load_server_keys
from keys.line_tls import LineTls
from keys.terminal_keys import create_terminal_keys
from protocol.handshake_port import Role
from protocol.line import Line
from protocol.secret import Secret
from terminal_sim.config import TerminalConfig
from tests.terminal_sim.city import CITY
from tests.terminal_sim.paper_city import TERMINAL, PaperCity, Wire

LINE_ID = bytes.fromhex("a0b1c2d3e4f50617")
SETTINGS = f"""\
terminal = "{TERMINAL}"
city = "{CITY}"
line_id = "{LINE_ID.hex()}"
broker_host = "127.0.0.1"
broker_port = 1
keys = "keys"
storage = "storage"
chain = "見本"
store = "見本店"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """What a test of the whole machine needs.

    Attributes:
        folder: holds ``7-0001/terminal.toml`` and the card.
        config: the terminal's.
        card: a card file.
        tray: where paper is to lie.
    """

    folder: Path
    config: TerminalConfig
    card: Path
    tray: Path

    def wire(self) -> Wire:
        """Return a carrier to a city that was just founded; call it within the event loop."""
        server = load_server_keys(self.folder / "city")
        line = Line(
            role=Role.SERVER,
            city=CITY,
            terminal=TERMINAL,
            line_id=LINE_ID,
            handshakes=LineTls(Role.SERVER, server.line, server.trust.authority_certificate),
        )
        city = PaperCity(
            server=server,
            judge=load_judge_keys(self.folder / "city"),
            card_key=CardFile.load(self.card).public_key,
            line=line,
        )
        city.report_key = self.config.load_keys().report_key.public_key
        return Wire(city)


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys take a moment, so all tests share them; nothing changes them."""
    folder = tmp_path_factory.mktemp("town")
    now = datetime.now(UTC)
    create_city_keys(folder / "city", CITY, now)
    (folder / TERMINAL).mkdir()
    create_terminal_keys(folder / "city", TERMINAL, folder / TERMINAL / "keys", LINE_ID, now)
    (folder / TERMINAL / "terminal.toml").write_text(SETTINGS, encoding="utf-8")
    CardFile.create(
        folder / "card.json",
        holder="見本　太郎",
        number=b"CANARY-CARD-NUM!",
        seed=Secret(bytes(32)),
    )
    return folder


@pytest.fixture
def town(founded: Path, tmp_path: Path) -> Town:
    """Return a town whose terminal has a storage of its own."""
    place = tmp_path / TERMINAL
    place.mkdir()
    (place / "keys").symlink_to(founded / TERMINAL / "keys")
    (place / "terminal.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "city").symlink_to(founded / "city")
    return Town(
        folder=tmp_path,
        config=TerminalConfig.load(place / "terminal.toml"),
        card=founded / "card.json",
        tray=tmp_path / "tray",
    )


@pytest.fixture
def ticking() -> Callable[[], int]:
    """Return a clock that goes a millisecond at each look."""
    now_ms = 1_000_000

    def clock() -> int:
        nonlocal now_ms
        now_ms += 1
        return now_ms

    return clock
