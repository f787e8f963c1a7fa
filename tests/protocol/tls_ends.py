"""Both ends of a line with real TLS, with the key certificates of a city made for the purpose."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from keys.city_keys import create_city_keys, load_server_keys
from keys.line_tls import LineTls
from keys.terminal_keys import create_terminal_keys, load_terminal_keys
from protocol.handshake_port import Peer, Role
from tests.protocol.stand_in import CITY, LINE_ID, TERMINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsEnds:
    """The handshake ports of a terminal and its city, and whom each end proves to be."""

    terminal: LineTls
    server: LineTls
    terminal_peer: Peer
    server_peer: Peer


def tls_ends() -> TlsEnds:
    """Make a city, a terminal and their keys, and keep nothing of it on the disk."""
    since = datetime.now(UTC) - timedelta(minutes=5)
    with tempfile.TemporaryDirectory() as name:
        root, folder = Path(name) / "keys", Path(name) / "terminal"
        create_city_keys(root, CITY, since)
        create_terminal_keys(root, TERMINAL, folder, LINE_ID, since)
        server, terminal = load_server_keys(root), load_terminal_keys(folder)
    trusted = terminal.trust.authority_certificate
    return TlsEnds(
        terminal=LineTls(Role.TERMINAL, terminal.line, trusted, expected_city=CITY),
        server=LineTls(Role.SERVER, server.line, trusted),
        terminal_peer=terminal.line.names,
        server_peer=server.line.names,
    )
