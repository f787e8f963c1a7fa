"""Ends of lines that are the broker's own: with real TLS, and keys that are not the right ones."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from protocol import codec
from protocol.envelope import Direction, EnvelopeKind
from protocol.handshake_port import HandshakePort, Role
from protocol.line import Line
from protocol.telegrams import Closed, Counters, LineTest
from protocol.topics import line_of_topic
from tests.hostile.acts import Chance
from tests.hostile.broker import HostileBroker, Passing, topic_of


@dataclass(slots=True, kw_only=True)
class ActAsServer(Chance):
    """Answers terminals' flights in the server's place; the server hears nothing of them.

    Attributes:
        terminals: the terminal of each line.
        handshakes: the impostor's end.
        lines: its ends of the lines.
    """

    terminals: dict[bytes, str]
    handshakes: HandshakePort
    lines: dict[bytes, Line] = field(default_factory=dict)

    def act(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Answer a flight; let everything else pass, and a forged telegram with it."""
        envelope = passing.envelope
        if envelope is None or envelope.direction is not Direction.UP:
            return (passing,)
        line_id = line_of_topic(passing.topic)
        if line_id not in self.terminals:
            return (passing,)  # another act has changed the line id
        line = self.lines.get(line_id)
        if line is None:
            line = self.lines[line_id] = Line(
                role=Role.SERVER,
                city=broker.city,
                terminal=self.terminals[line_id],
                line_id=line_id,
                handshakes=self.handshakes,
            )
        line.receive(passing.message, broker.now_ms)
        if line.ready:
            nothing = Counters(completed=0, reversed=0, fees_earned_yen=0)
            line.send(codec.encode(Closed(counters=nothing)))
        topic = topic_of(broker.city, line_id, Direction.DOWN)
        answers = [Passing(topic=topic, message=answer) for answer in line.messages_to_send()]
        if envelope.kind is EnvelopeKind.KEY_EXCHANGE:
            return answers
        return (passing, *answers)


@dataclass(slots=True, kw_only=True)
class ActAsTerminal(Chance):
    """Opens a line to the server in a terminal's place, now and then, and speaks on it.

    Attributes:
        terminals: the terminal of each line.
        handshakes: the impostor's end.
        lines: its ends of the lines.
    """

    terminals: dict[bytes, str]
    handshakes: HandshakePort
    lines: dict[bytes, Line] = field(default_factory=dict)

    def __call__(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Start a handshake, or go on with one; the terminal's own messages pass."""
        envelope = passing.envelope
        line_id = line_of_topic(passing.topic)
        if line_id not in self.terminals:
            return (passing,)  # another act has changed the line id
        line = self.lines.get(line_id)
        if line is None:
            line = self.lines[line_id] = Line(
                role=Role.TERMINAL,
                city=broker.city,
                terminal=self.terminals[line_id],
                line_id=line_id,
                handshakes=self.handshakes,
            )
        if self.dice.random() < self.chance:
            line.start_handshake(self.dice.randbytes(16), broker.now_ms)
        if envelope is not None and envelope.direction is Direction.DOWN:
            line.receive(passing.message, broker.now_ms)
        if line.ready:
            line.send(codec.encode(LineTest(nonce=666)))
        topic = topic_of(broker.city, line_id, Direction.UP)
        said = [Passing(topic=topic, message=message) for message in line.messages_to_send()]
        return (passing, *said)
