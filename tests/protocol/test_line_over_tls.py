"""The line over the real handshake: TLS 1.3 takes the place of the stand-in."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from keys.authority import Authority
from keys.line_tls import LineTls
from protocol.handshake_port import Role
from protocol.line import Dropped, LineReady
from protocol.telegrams import LineTest
from tests.protocol.pair import Noise, Pair
from tests.protocol.stand_in import CITY, LINE_ID, TERMINAL

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Both ends' handshake ports, and one of a terminal that another line was given to."""

    terminal: LineTls
    stranger: LineTls
    server: LineTls


@pytest.fixture(scope="module")
def ends() -> Ends:
    """Key certificates of one authority for a server and two terminals."""
    since = datetime.now(UTC) - timedelta(minutes=5)
    authority = Authority.generate(CITY, not_before=since)
    trusted = authority.certificate_pem
    server = authority.issue_server(CITY, not_before=since)
    own = authority.issue_terminal(TERMINAL, LINE_ID, not_before=since)
    other = authority.issue_terminal("T-0002", bytes(8), not_before=since)
    return Ends(
        terminal=LineTls(Role.TERMINAL, own, trusted, expected_city=CITY),
        stranger=LineTls(Role.TERMINAL, other, trusted, expected_city=CITY),
        server=LineTls(Role.SERVER, server, trusted),
    )


def test_a_line_opens_and_a_request_is_answered(ends: Ends) -> None:
    """Four messages open it, both ends know each other, and telegrams go both ways (TP-020)."""
    pair = Pair(terminal_handshakes=ends.terminal, server_handshakes=ends.server)
    pair.open()
    digest = pair.exchange.ask(LineTest(nonce=1), 0)
    pair.carry(0)
    peers = [e.peer for e in pair.server_events if isinstance(e, LineReady)]

    assert {digest} == pair.answered
    assert [(TERMINAL, LINE_ID)] == [(peer.name, peer.line_id) for peer in peers]


def test_new_keys_replace_the_old_ones(ends: Ends) -> None:
    """A second handshake on the open line gives keys that work (TP-036)."""
    pair = Pair(terminal_handshakes=ends.terminal, server_handshakes=ends.server)
    pair.open()
    pair.open(1)
    digest = pair.exchange.ask(LineTest(nonce=1), 1)
    pair.carry(1)

    assert {digest} == pair.answered


def test_the_key_of_another_terminal_opens_nothing(ends: Ends) -> None:
    """A good certificate of the same city, for another line, is refused (TP-023)."""
    pair = Pair(terminal_handshakes=ends.stranger, server_handshakes=ends.server)
    pair.open()

    assert [Dropped(reason="handshake")] == pair.server_events
    assert not pair.server.ready


@pytest.mark.parametrize("seed", range(10))
def test_a_bad_carrier_is_overcome(ends: Ends, seed: int) -> None:
    """With half of all messages lost and half doubled, a request is answered (TP-022)."""
    pair = Pair(
        terminal_handshakes=ends.terminal,
        server_handshakes=ends.server,
        meddle=Noise(random.Random(seed), loss=0.5, doubling=0.5, holding=0.1),
    )
    digest = pair.exchange.ask(LineTest(nonce=seed), 0)
    pair.run(0, HOUR_MS, stop=lambda: bool(pair.answered))

    assert {digest} == pair.answered, f"seed {seed}"


@pytest.mark.parametrize("seed", range(40))
def test_a_changed_bit_never_leaves_ends_that_disagree(ends: Ends, seed: int) -> None:
    """It ends the handshake, or it was one that TLS ignores and both ends agree (TP-022)."""
    dice = random.Random(seed)
    number = dice.choice([0, 1, 2])
    passed = []

    def meddle(_sender: Role, message: bytes) -> list[bytes]:
        passed.append(message)
        if len(passed) != number + 1:
            return [message]
        changed = bytearray(message)
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
        return [bytes(changed)]

    pair = Pair(terminal_handshakes=ends.terminal, server_handshakes=ends.server, meddle=meddle)
    pair.open()
    pair.exchange.ask(LineTest(nonce=seed), 0)
    pair.carry(0)

    assert pair.server.ready == bool(pair.answered)
