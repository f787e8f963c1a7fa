"""What a broker can do with a message. Acts are made of dice and a chance, and can be combined."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from msgspec import structs

from protocol.envelope import HEADER_BYTES, Direction, Envelope, EnvelopeKind
from protocol.limits import HANDSHAKE_ID_BYTES
from protocol.topics import line_of_topic
from tests.hostile.broker import HostileBroker, Passing, topic_of

FAR_COUNTER = 1 << 40
"""A counter that no honest line reaches."""
DIRECTION_BYTE = 2
LINE_ID_AT = slice(8, 16)


@dataclass(slots=True, kw_only=True)
class Chance:
    """Does its act now and then.

    Attributes:
        dice: where the draws come from.
        chance: of the act, for each message.
    """

    dice: random.Random
    chance: float = 1.0

    def __call__(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Act on the message, or let it pass."""
        if self.dice.random() >= self.chance:
            return (passing,)
        return self.act(passing, broker)

    def act(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Return what arrives instead."""
        raise NotImplementedError


class Lose(Chance):
    """The message never arrives."""

    def act(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Deliver nothing."""
        return ()


class Repeat(Chance):
    """It arrives up to four times, some copies much later."""

    def act(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Deliver it and copies."""
        copies = self.dice.randrange(1, 4)
        delays_ms = [self.dice.choice((0, 300, 12_000, 70_000)) for _ in range(copies)]
        return (passing, *(replace(passing, delay_ms=delay_ms) for delay_ms in delays_ms))


class Delay(Chance):
    """It arrives late, after others that were sent later."""

    def act(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Deliver it late."""
        return (replace(passing, delay_ms=passing.delay_ms + self.dice.randrange(1, 4_000)),)


@dataclass(slots=True, kw_only=True)
class Reorder(Chance):
    """It waits for the next message of its topic and arrives after that."""

    waiting: dict[str, Passing] = field(default_factory=dict)

    def __call__(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Hold the message, or let it pass and the one that waits after it."""
        before = self.waiting.pop(passing.topic, None)
        if before is not None:
            return (passing, before)
        if self.dice.random() < self.chance:
            self.waiting[passing.topic] = passing
            return ()
        return (passing,)


class Truncate(Chance):
    """Bytes are missing at its end, or there are more than there were."""

    def act(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Deliver it shorter or longer."""
        message = passing.message
        if not message or self.dice.random() < 0.2:
            return (replace(passing, message=message + self.dice.randbytes(16)),)
        return (replace(passing, message=message[: self.dice.randrange(len(message))]),)


class Flip(Chance):
    """One of its bits is turned over."""

    def act(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Deliver it with another bit."""
        if not passing.message:
            return (passing,)
        position = self.dice.randrange(8 * len(passing.message))
        return (replace(passing, message=flipped(passing.message, position)),)


class Splice(Chance):
    """Beside it arrives the header of one envelope with the body of another, of any line."""

    def act(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Deliver it, and a chimera before or after it."""
        if not broker.history:
            return (passing,)
        other = self.dice.choice(broker.history)
        one, two = (passing, other) if self.dice.random() < 0.5 else (other, passing)
        chimera = one.message[:HEADER_BYTES] + two.message[HEADER_BYTES:]
        made = replace(passing, message=chimera)
        return (made, passing) if self.dice.random() < 0.5 else (passing, made)


class Reflect(Chance):
    """A copy goes back to where it came from, as it is or with the direction changed."""

    def act(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Deliver it, and its reflection."""
        envelope = passing.envelope
        if envelope is None:
            return (passing,)
        back = Direction.DOWN if envelope.direction is Direction.UP else Direction.UP
        message = passing.message
        if self.dice.random() < 0.5:
            message = structs.replace(envelope, direction=back).pack()
        topic = topic_of(broker.city, line_of_topic(passing.topic), back)
        return (passing, Passing(topic=topic, message=message))


class Divert(Chance):
    """A copy goes to another line of the same city, as it is or with the line id changed."""

    def act(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Deliver it, and the copy at the other line."""
        envelope = passing.envelope
        others = sorted({p.topic for p in broker.history if p.topic != passing.topic})
        if envelope is None or not others:
            return (passing,)
        topic = self.dice.choice(others)
        message = passing.message
        if self.dice.random() < 0.5:
            message = structs.replace(envelope, line_id=line_of_topic(topic)).pack()
        return (passing, Passing(topic=topic, message=message))


class Replay(Chance):
    """Something from long ago arrives once more, flights and rejections included."""

    def act(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Deliver it, and up to five old messages."""
        if not broker.history:
            return (passing,)
        old = [self.dice.choice(broker.history) for _ in range(self.dice.randrange(1, 6))]
        return (*old, passing) if self.dice.random() < 0.5 else (passing, *old)


class ForgeRejection(Chance):
    """A terminal that sends a telegram is told that its keys are unknown."""

    def act(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Deliver it, and the rejection."""
        envelope = passing.envelope
        if envelope is None or envelope.kind is not EnvelopeKind.TELEGRAM:
            return (passing,)
        made = Envelope(
            kind=EnvelopeKind.REJECTION,
            direction=Direction.DOWN,
            generation=envelope.generation,
            line_id=envelope.line_id,
            counter=envelope.counter,
            body=b"",
        )
        topic = topic_of(broker.city, envelope.line_id, Direction.DOWN)
        return (passing, Passing(topic=topic, message=made.pack()))


class MakeUp(Chance):
    """Beside it arrives something made up: a telegram, a flight, or no envelope at all."""

    def act(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Deliver it, and the invention."""
        envelope = passing.envelope
        if envelope is None or self.dice.random() < 0.2:
            noise = self.dice.randbytes(self.dice.randrange(200))
            return (passing, replace(passing, message=noise))
        near = envelope.counter + self.dice.randrange(3)
        body = envelope.body[:HANDSHAKE_ID_BYTES] + self.dice.randbytes(len(envelope.body))
        invention = structs.replace(
            envelope,
            kind=self.dice.choice((EnvelopeKind.KEY_EXCHANGE, EnvelopeKind.TELEGRAM)),
            counter=self.dice.choice((near, self.dice.randrange(4), FAR_COUNTER)),
            body=self.dice.choice((b"", body, body[HANDSHAKE_ID_BYTES:])),
        )
        return (passing, replace(passing, message=invention.pack()))


@dataclass(slots=True, kw_only=True)
class Renumber(Chance):
    """Handshakes get another id on the way up and their own again on the way down.

    TLS does not see it, so both ends finish the handshake; what they export must not agree.
    """

    twins: dict[bytes, bytes] = field(default_factory=dict)

    def __call__(self, passing: Passing, broker: HostileBroker) -> Iterable[Passing]:
        """Change the id of a flight, if its handshake is one that was chosen."""
        envelope = passing.envelope
        if envelope is None or envelope.kind is not EnvelopeKind.KEY_EXCHANGE:
            return (passing,)
        own = envelope.body[:HANDSHAKE_ID_BYTES]
        first = envelope.direction is Direction.UP and envelope.counter == 0
        if first and own not in self.twins and self.dice.random() < self.chance:
            twin = self.dice.randbytes(HANDSHAKE_ID_BYTES)
            self.twins[own], self.twins[twin] = twin, own
        other = self.twins.get(own)
        if other is None:
            return (passing,)
        changed = structs.replace(
            envelope,
            generation=int.from_bytes(other[:4], "big"),
            body=other + envelope.body[HANDSHAKE_ID_BYTES:],
        )
        return (replace(passing, message=changed.pack()),)


def flipped(message: bytes, position: int) -> bytes:
    """Return the message with one bit turned over, counted from the first byte's highest."""
    changed = bytearray(message)
    changed[position // 8] ^= 0x80 >> position % 8
    return bytes(changed)
