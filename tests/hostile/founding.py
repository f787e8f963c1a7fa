"""A city, three terminals, one card, and an authority that calls itself the city's."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from issuance_server.adapters.pin_judge.registration import NewCard, register_offline
from issuance_server.adapters.sqlite.founding import NewTerminal
from keys.authority import Authority
from keys.cards import CardFile
from keys.city_keys import (
    JudgeKeys,
    ServerKeys,
    create_city_keys,
    load_judge_keys,
    load_server_keys,
)
from keys.line_tls import LineTls
from keys.storage_key import StorageKey
from keys.terminal_keys import TerminalKeys, create_terminal_keys
from protocol.handshake_port import Role
from protocol.secret import Secret
from tests.adapters.city_file import HOLDER_ID, found
from tests.core.made import CHAIN, RULES

CITY = RULES.city
TERMINALS = ("HB-0001", "HB-0002", "HB-0003")
LINE_IDS = {name: bytes([0xA0 + n]) * 8 for n, name in enumerate(TERMINALS)}
PIN = b"739105248617"
WRONG_PIN = b"111122223333"
DAY_STORAGE = StorageKey(Secret(bytes(32)))
CARD_NUMBER = b"CANARY-CARD-NUM!"
BEFORE = timedelta(minutes=5)
"""Certificates of the other authority begin this long before they are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """All keys, and a city as it is founded; made once and changed by nobody.

    Attributes:
        folder: holds the city's key folder, and the databases to begin with.
        server: the server's.
        judge: the PIN judge's.
        terminals: of each terminal.
        foreign: an authority that calls itself the city's.
        card: the registered card.
        card_ref: its reference.
    """

    folder: Path
    server: ServerKeys
    judge: JudgeKeys
    terminals: dict[str, TerminalKeys]
    foreign: Authority
    card: CardFile
    card_ref: str

    @property
    def authority_pem(self) -> bytes:
        """The certificate of the city's own authority."""
        return self.server.trust.authority_certificate

    def server_port(self) -> LineTls:
        """Return the server's end of handshakes."""
        return LineTls(Role.SERVER, self.server.line, self.authority_pem)

    def terminal_port(self, name: str) -> LineTls:
        """Return a terminal's end of handshakes."""
        return LineTls(
            Role.TERMINAL, self.terminals[name].line, self.authority_pem, expected_city=CITY
        )

    def foreign_server(self) -> LineTls:
        """Return an impostor that shows a certificate of the other authority."""
        since = datetime.now(UTC) - BEFORE
        key = self.foreign.issue_server(CITY, not_before=since)
        return LineTls(Role.SERVER, key, self.authority_pem)

    def foreign_terminal(self, name: str) -> LineTls:
        """Return the same for a terminal."""
        key = self.foreign.issue_terminal(
            name, LINE_IDS[name], not_before=datetime.now(UTC) - BEFORE
        )
        return LineTls(Role.TERMINAL, key, self.authority_pem, expected_city=CITY)


def make_keys(folder: Path) -> Keys:
    """Found a city of three terminals and one card."""
    now = datetime.now(UTC)
    root = folder / "city"
    create_city_keys(root, CITY, now)
    terminals = {
        name: create_terminal_keys(root, name, folder / name, LINE_IDS[name], now)
        for name in TERMINALS
    }
    judge = load_judge_keys(root)
    card = CardFile.create(
        folder / "card.json", holder="見本", number=CARD_NUMBER, seed=Secret(bytes(32))
    )
    new = NewCard(number=card.number, public_key=card.public_key, pin=Secret(PIN))
    (card_ref,) = asyncio.run(register_offline(folder / "judge.db", judge, [new]))
    entries = [
        NewTerminal(
            terminal=name,
            line_id=LINE_IDS[name],
            fingerprint=keys.line.names.fingerprint,
            report_key=keys.report_key.public_key,
            until_ms=int(keys.line.not_after.timestamp()) * 1_000,
            chain=CHAIN,
            store="見本店",
            in_city=True,
        )
        for name, keys in terminals.items()
    ]
    found(folder / "city.db", cards=[(card_ref, HOLDER_ID)], terminals=entries)
    return Keys(
        folder=folder,
        server=load_server_keys(root),
        judge=judge,
        terminals=terminals,
        foreign=Authority.generate(CITY, not_before=now - BEFORE),
        card=card,
        card_ref=card_ref,
    )
