"""A whole line in both roles, with a carrier that does what the input says.

An input is a MessagePack array of steps. Some steps seal bytes of the input as if a dishonest peer
had done it, so that the search gets behind the seal; the others are what a stranger can do.
"""

from collections.abc import Iterator
from enum import IntEnum

import msgspec

from protocol.envelope import Direction, flight
from protocol.handshake_port import Role
from protocol.limits import ENVELOPE_BYTES_MAX
from protocol.line import Dropped, Line, MalformedReceived, TelegramReceived
from protocol.telegrams import RequestRef
from tests.fuzz.target import Edit, Target, demand, edited
from tests.fuzz.wire_targets import packed_samples, wrapped
from tests.protocol.pair import handshake_id
from tests.protocol.stand_in import CITY, LINE_ID, TERMINAL, server_port, terminal_port

STEPS_MAX = 24
REASONS = frozenset(
    {
        *("misdirected", "envelope", "seal", "replayed", "handshake", "malformed"),
        *("keys-unknown", "keys-refused", "generation-in-use"),
        *("handshake-unknown", "handshake-timed-out"),
    }
)


class Deed(IntEnum):
    """What one step does."""

    TO_SERVER = 0  # raw bytes arrive at the server
    TO_TERMINAL = 1
    SEAL_UP = 2  # the terminal seals a plaintext: the content in length and padding
    SEAL_DOWN = 3
    SEAL_UP_BARE = 4  # the terminal seals the content as it is
    SEAL_DOWN_BARE = 5
    AGAIN = 6  # message ``number`` of those that passed arrives once more, with ``edits``
    WAIT = 7  # so many milliseconds pass
    HANDSHAKE = 8  # the terminal starts one
    CARRY = 9  # what lies ready arrives


class Step(msgspec.Struct, frozen=True, array_like=True):
    """One step of an input."""

    deed: Deed
    number: int = 0
    content: bytes = b""
    edits: list[Edit] = []  # never changed


_decoder = msgspec.msgpack.Decoder(list[Step])


class _Carrier:
    """Both ends of one open line, what has passed between them, and what was taken."""

    def __init__(self) -> None:
        self.ends = {
            Role.TERMINAL: _line(Role.TERMINAL),
            Role.SERVER: _line(Role.SERVER),
        }
        self.now_ms = 0
        self.handshakes = 0
        self.passed: list[tuple[Role, bytes]] = []
        self.genuine: set[bytes] = set()
        self.taken: set[tuple[Role, int, int]] = set()
        self.reached = {"dropped"}
        self.handshake()
        self.carry()
        demand(all(end.ready for end in self.ends.values()), "a line opens")

    def handshake(self) -> None:
        """Let the terminal start a handshake."""
        self.handshakes += 1
        self.ends[Role.TERMINAL].start_handshake(handshake_id(self.handshakes), self.now_ms)

    def carry(self) -> None:
        """Deliver what lies ready, and what follows from it."""
        for _ in range(STEPS_MAX):
            waiting = self._waiting()
            for sender, message in waiting:
                self.deliver(_other(sender), message)
            if not waiting:
                return
        demand(holds=False, promise="a faithful carrier falls quiet")

    def seal(self, sender: Role, plaintext: bytes) -> None:
        """Seal a plaintext as the sender would, and deliver it."""
        if self.ends[sender].ready and len(plaintext) < ENVELOPE_BYTES_MAX // 2:
            self.ends[sender].send(plaintext)
            self.carry()

    def deliver(self, receiver: Role, message: bytes) -> None:
        """Hand a message over and check what the line says about it."""
        for event in self.ends[receiver].receive(message, self.now_ms):
            if isinstance(event, TelegramReceived | MalformedReceived):
                self._check_taken(receiver, message, event.ref)
                malformed = isinstance(event, MalformedReceived)
                self.reached.add("malformed" if malformed else "telegram")
            elif isinstance(event, Dropped):
                demand(event.reason in REASONS, "the reason is one of a few words")

    def wait(self, length_ms: int) -> None:
        """Let time pass."""
        self.now_ms += length_ms
        for end in self.ends.values():
            end.wake(self.now_ms)
            due_ms = end.next_deadline_ms()
            demand(due_ms is None or due_ms > self.now_ms, "a line that woke up is not due")

    def _check_taken(self, receiver: Role, message: bytes, ref: RequestRef) -> None:
        name = (receiver, ref.generation, ref.counter)
        demand(name not in self.taken, "a copy is taken once")
        demand(message in self.genuine, "what opens was sealed")
        self.taken.add(name)

    def _waiting(self) -> list[tuple[Role, bytes]]:
        waiting = [
            (role, message) for role, end in self.ends.items() for message in end.messages_to_send()
        ]
        for _, message in waiting:
            demand(len(message) <= ENVELOPE_BYTES_MAX, "no message is too long")
            self.genuine.add(message)
        self.passed += waiting
        return waiting


def run(data: bytes) -> str:
    """Do the steps of an input; the two ends must survive whatever they are."""
    try:
        steps = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "no steps"
    carrier = _Carrier()
    for step in steps[:STEPS_MAX]:
        _do(carrier, step)
    carrier.carry()
    return max(carrier.reached)


def _do(carrier: _Carrier, step: Step) -> None:
    match step.deed:
        case Deed.TO_SERVER:
            carrier.deliver(Role.SERVER, step.content)
        case Deed.TO_TERMINAL:
            carrier.deliver(Role.TERMINAL, step.content)
        case Deed.SEAL_UP:
            carrier.seal(Role.TERMINAL, wrapped(step.content))
        case Deed.SEAL_DOWN:
            carrier.seal(Role.SERVER, wrapped(step.content))
        case Deed.SEAL_UP_BARE:
            carrier.seal(Role.TERMINAL, step.content)
        case Deed.SEAL_DOWN_BARE:
            carrier.seal(Role.SERVER, step.content)
        case Deed.AGAIN:
            sender, message = carrier.passed[step.number % len(carrier.passed)]
            carrier.deliver(_other(sender), edited(message, step.edits))
        case Deed.WAIT:
            carrier.wait(max(1, min(step.number, 1 << 31)))
        case Deed.HANDSHAKE:
            carrier.handshake()
        case Deed.CARRY:
            carrier.carry()


def _other(role: Role) -> Role:
    return Role.SERVER if role is Role.TERMINAL else Role.TERMINAL


def _line(role: Role) -> Line:
    port = terminal_port() if role is Role.TERMINAL else server_port()
    return Line(role=role, city=CITY, terminal=TERMINAL, line_id=LINE_ID, handshakes=port)


def seeds() -> tuple[bytes, ...]:
    """Return conversations: telegrams each way, repeats, damage, new keys, forged flights."""
    return tuple(msgspec.msgpack.encode(steps) for steps in _conversations())


def _conversations() -> Iterator[list[Step]]:
    again = Step(Deed.AGAIN, -1)
    for packed in packed_samples():
        yield [Step(Deed.SEAL_UP, content=packed), again]
        yield [Step(Deed.SEAL_DOWN, content=packed), again, Step(Deed.HANDSHAKE), again]
    yield [Step(Deed.SEAL_UP_BARE, content=bytes(512)), Step(Deed.SEAL_DOWN_BARE, content=b"")]
    for at in (0, 2, 4, 8, 16, 24, 40, -1):
        yield [
            Step(Deed.SEAL_UP, content=b"\x80"),
            Step(Deed.AGAIN, -1, edits=[Edit(at, 1, b"\x07")]),
            Step(Deed.WAIT, 1_000),
        ]
    for deed, direction in ((Deed.TO_SERVER, Direction.UP), (Deed.TO_TERMINAL, Direction.DOWN)):
        for number in range(5):
            forged = flight(
                direction=direction,
                line_id=LINE_ID,
                handshake_id=handshake_id(number),
                number=number,
                tls=b"\x16\x03\x03",
            )
            yield [Step(Deed.HANDSHAKE), Step(deed, content=forged.pack()), Step(Deed.CARRY)]
    yield [Step(Deed.HANDSHAKE), Step(Deed.WAIT, 10_000), Step(Deed.WAIT, 60_000), Step(Deed.CARRY)]
    yield [Step(Deed.HANDSHAKE), Step(Deed.CARRY), Step(Deed.WAIT, 60_001), again]


LINE = Target(
    name="line",
    run=run,
    seeds=seeds,
    verdicts=frozenset({"telegram", "malformed", "dropped", "no steps"}),
    input_bytes_max=4_096,
    short_runs=4_000,
)
