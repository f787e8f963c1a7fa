"""A whole visit of the vectors: what passes between two lines, with a stand-in handshake."""

import hashlib
from typing import Any

import msgspec

from protocol import codec
from protocol.envelope import generation_of, parse, read_flight
from protocol.handshake_port import HandshakePort, Role
from protocol.key_schedule import export_context
from protocol.limits import PIECE_BYTES
from protocol.line import Line, TelegramReceived
from protocol.telegrams import PieceGiven
from tests.protocol.stand_in import CITY, LINE_ID, TERMINAL, server_port, terminal_port
from tests.vectors import story
from tests.vectors.statement_cases import MADE_BY, marked

MESSAGE_BYTES_SHOWN_MAX = 8_192
"""A longer message is given by its length and digest; its fields tell how to make it."""

_NOW_MS = 0


def visit(pin_block: bytes) -> dict[str, Any]:
    """Return the flights of the handshake and every telegram of the visit, in order."""
    terminal, server = _line(Role.TERMINAL, terminal_port()), _line(Role.SERVER, server_port())
    flights = _handshake(terminal, server)
    steps: list[dict[str, Any]] = []
    for request, reply in story.conversation(pin_block):
        received = _passed(terminal, server, codec.encode(request), steps)
        answer = msgspec.structs.replace(reply, in_reply_to=received.ref)
        _passed(server, terminal, codec.encode(answer), steps)
    return {
        "description": "A whole visit, from opening to closing, envelope by envelope. The flights "
        "are those of a stand-in that hides nothing (tests/protocol/stand_in.py); the exported "
        "secret is what its handshake gives. Pieces are of sealed_certificate.json.",
        "source": f"{MADE_BY} §3 to §7",
        "city": CITY,
        "terminal": TERMINAL,
        "line_id": LINE_ID.hex(),
        "handshake_id": story.HANDSHAKE_ID.hex(),
        "exported_secret_test_only": _exported(flights).hex(),
        "flights": [flight.hex() for flight in flights],
        "steps": steps,
    }


def _line(role: Role, handshakes: HandshakePort) -> Line:
    return Line(role=role, city=CITY, terminal=TERMINAL, line_id=LINE_ID, handshakes=handshakes)


def _handshake(terminal: Line, server: Line) -> list[bytes]:
    """Carry a handshake through and return its four flights."""
    flights: list[bytes] = []
    terminal.start_handshake(story.HANDSHAKE_ID, _NOW_MS)
    for sender, receiver in ((terminal, server), (server, terminal)) * 2:
        (flight,) = sender.messages_to_send()
        receiver.receive(flight, _NOW_MS)
        flights.append(flight)
    return flights


def _exported(flights: list[bytes]) -> bytes:
    """Return the secret that the stand-in exports after these flights."""
    session = server_port().start()
    for flight in (flights[0], flights[2]):
        session.step(read_flight(parse(flight))[1])
    generation = generation_of(story.HANDSHAKE_ID)
    return session.export(
        export_context(city=CITY, terminal=TERMINAL, line_id=LINE_ID, generation=generation)
    ).reveal()


def _passed(
    sender: Line, receiver: Line, plaintext: bytes, steps: list[dict[str, Any]]
) -> TelegramReceived:
    """Send a telegram, write it down, and return what the receiver made of it."""
    sender.send(plaintext)
    (message,) = sender.messages_to_send()
    (event,) = receiver.receive(message, _NOW_MS)
    assert isinstance(event, TelegramReceived)
    envelope = parse(message)
    step: dict[str, Any] = {
        "direction": envelope.direction.name.lower(),
        "counter": envelope.counter,
        "fields": marked(event.telegram),
        "message_bytes": len(message),
        "message_digest": hashlib.sha256(message).hexdigest(),
    }
    if len(message) <= MESSAGE_BYTES_SHOWN_MAX:
        step["message"] = message.hex()
    if isinstance(event.telegram, PieceGiven):
        start = event.telegram.piece * PIECE_BYTES
        end = start + len(event.telegram.content)
        step["fields"]["content"] = {"sealed_certificate_from": start, "sealed_certificate_to": end}
    steps.append(step)
    return event
