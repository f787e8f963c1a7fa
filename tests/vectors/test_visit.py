"""The visit of the vectors: opened with its keys alone, and played again by two lines."""

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from protocol import codec, sealed_certificate
from protocol.binding import Binding
from protocol.envelope import Direction, generation_of, parse
from protocol.handshake_port import HandshakePort, Role
from protocol.key_schedule import direction_keys, export_context
from protocol.line import Dropped, Line, LineReady, TelegramReceived
from protocol.sealing import Opener, Sealer
from protocol.secret import Secret
from protocol.sheet_digest import sheet_digests
from protocol.statements import signature_holds
from protocol.telegrams import Apply, Released
from tests.protocol.stand_in import server_port, terminal_port
from tests.vectors.reading import flipped, octets, plain, vector

VISIT = vector("visit")
SEALED = vector("sealed_certificate")
STATEMENTS = {case["label"]: case for case in vector("statements")["statements"]}
LINE_ID = octets(VISIT["line_id"])
HANDSHAKE_ID = octets(VISIT["handshake_id"])
FLIGHTS = [octets(flight) for flight in VISIT["flights"]]
NOW_MS = 1_000


@pytest.fixture(scope="module")
def messages() -> list[bytes]:
    """Every message of the visit; those that are not written out are sealed from their fields."""
    return [
        octets(step["message"]) if "message" in step else sealed_anew(step)
        for step in VISIT["steps"]
    ]


def sealed_anew(step: dict[str, Any]) -> bytes:
    """Return the message of a step from its fields."""
    direction = Direction[step["direction"].upper()]
    sealer = Sealer(
        direction_keys(exported(), direction, context()),
        direction=direction,
        generation=generation_of(HANDSHAKE_ID),
        line_id=LINE_ID,
    )
    sealer.next_counter = step["counter"]
    packed = msgspec.msgpack.encode(fields_of(step))
    telegram = codec.decode((len(packed).to_bytes(4, "big") + packed).ljust(50_176, b"\0"))
    return sealer.seal(codec.encode(telegram)).pack()


def exported() -> Secret:
    """Return the secret that the handshake exported."""
    return Secret(octets(VISIT["exported_secret_test_only"]))


def context() -> bytes:
    """Return the exporter context of the visit's line."""
    return export_context(
        city=VISIT["city"],
        terminal=VISIT["terminal"],
        line_id=LINE_ID,
        generation=generation_of(HANDSHAKE_ID),
    )


def fields_of(step: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a step, with the content of a piece put in."""
    fields = dict(plain(step["fields"]))
    if isinstance(fields.get("content"), dict):
        part = fields["content"]
        span = slice(part["sealed_certificate_from"], part["sealed_certificate_to"])
        fields["content"] = sealed()[span]
    return fields


def sealed() -> bytes:
    """Return the sealed certificate of which the pieces are."""
    return sealed_certificate.seal(
        octets(SEALED["pdf"]),
        sheets=SEALED["sheets"],
        key=Secret(octets(SEALED["content_key_test_only"])),
        issuance_id=octets(SEALED["issuance_id"]),
    )


def lines() -> tuple[Line, Line]:
    """Return a terminal's and a server's line, with the stand-in for the handshake."""
    return line(Role.TERMINAL, terminal_port()), line(Role.SERVER, server_port())


def line(role: Role, handshakes: HandshakePort) -> Line:
    """Return one end of the visit's line."""
    return Line(
        role=role,
        city=VISIT["city"],
        terminal=VISIT["terminal"],
        line_id=LINE_ID,
        handshakes=handshakes,
    )


def shake_hands(terminal: Line, server: Line, flights: int = 4) -> Iterator[list[Any]]:
    """Play so many flights, each as recorded, and give the events of each."""
    terminal.start_handshake(HANDSHAKE_ID, NOW_MS)
    sides = ((terminal, server), (server, terminal)) * 2
    for recorded, (sender, receiver) in zip(FLIGHTS[:flights], sides, strict=False):
        assert [recorded] == sender.messages_to_send()
        yield receiver.receive(recorded, NOW_MS)


def test_keys_alone_open_every_message(messages: list[bytes]) -> None:
    """Secret and SPEC suffice: every message opens to the stated fields, counters in order."""
    openers = {
        direction: Opener(direction_keys(exported(), direction, context()))
        for direction in Direction
    }
    counters = dict.fromkeys(Direction, 0)
    for step, message in zip(VISIT["steps"], messages, strict=True):
        envelope = parse(message)
        plaintext = openers[envelope.direction].open(envelope)
        packed = plaintext[4 : 4 + int.from_bytes(plaintext[:4], "big")]

        assert step["message_bytes"] == len(message)
        assert step["message_digest"] == hashlib.sha256(message).hexdigest()
        assert step["direction"] == envelope.direction.name.lower()
        assert step["counter"] == envelope.counter == counters[envelope.direction]
        assert fields_of(step) == msgspec.msgpack.decode(packed)
        counters[envelope.direction] += 1


def test_two_lines_play_the_visit_again(messages: list[bytes]) -> None:
    """Two lines make the same flights and messages; a changed copy and a second one are dropped."""
    terminal, server = lines()
    events = list(shake_hands(terminal, server))
    assert [[], LineReady, LineReady, []] == [
        type(found[0]) if found else found for found in events
    ]

    asked: TelegramReceived | None = None
    for number, (step, message) in enumerate(zip(VISIT["steps"], messages, strict=True)):
        up = step["direction"] == "up"
        sender, receiver = (terminal, server) if up else (server, terminal)
        changed = flipped(message, number * 11 % len(message))

        assert [Dropped] == [type(event) for event in receiver.receive(changed, NOW_MS)]
        receiver.messages_to_send()
        (event,) = receiver.receive(message, NOW_MS)
        assert isinstance(event, TelegramReceived)
        assert [Dropped(reason="replayed")] == receiver.receive(message, NOW_MS)
        if up:
            asked = event
        else:
            assert asked is not None
            assert asked.ref == event.telegram.in_reply_to
        sender.send(codec.encode(event.telegram))
        assert [message] == sender.messages_to_send()


@pytest.mark.parametrize("number", range(4))
def test_a_flight_with_a_flipped_byte(number: int) -> None:
    """A changed header, handshake id or content of a flight gives no keys."""
    for place in (0, 1, 2, 4, 8, 24, len(FLIGHTS[number]) - 1):
        terminal, server = lines()
        list(shake_hands(terminal, server, number))
        receiver = server if number % 2 == 0 else terminal
        ready_before = receiver.ready

        events = receiver.receive(flipped(FLIGHTS[number], place), NOW_MS)

        assert [Dropped] == [type(event) for event in events]
        assert ready_before == receiver.ready


def test_the_release_fits_the_application(messages: list[bytes]) -> None:
    """What is released is bound to what was applied for, and to the pages that come out."""
    opener = {
        direction: Opener(direction_keys(exported(), direction, context()))
        for direction in Direction
    }
    plaintexts = [opener[parse(m).direction].open(parse(m)) for m in messages]
    (asked,) = (p for p in plaintexts if isinstance(codec.decode(p), Apply))
    (released,) = (t for t in map(codec.decode, plaintexts) if isinstance(t, Released))
    pdf = sealed_certificate.open_sealed(
        sealed(),
        sheets=SEALED["sheets"],
        key=released.content_key,
        issuance_id=released.issuance_id,
    )
    binding: Binding = released.binding

    assert codec.digest(asked) == binding.request_digest
    assert hashlib.sha256(pdf).digest() == binding.file_digest
    assert sheet_digests(pdf, SEALED["sheets"]) == binding.pages
    assert signature_holds(
        octets(STATEMENTS["binding"]["public_key"]),
        released.binding_signature,
        binding.statement(),
    )
