"""The oracle: whatever comes out of a line was sent into its other end, byte for byte, and once.

Lines of honest ends are watched; those of the broker's own are not, so what an impostor sealed is a
forgery when an honest end takes it.
"""

from dataclasses import dataclass, field

from protocol import codec
from protocol.envelope import Direction
from protocol.line import Line, LineEvent, LineReady, MalformedReceived, TelegramReceived

_Copy = tuple[bytes, Direction, int, int]
"""Names one sealed copy: line id, direction, generation, counter."""


@dataclass
class Recorder:
    """What honest ends have sealed, what they took, and what should not have been.

    Attributes:
        honest: the fingerprints of those who may be at the other end of a line.
        sent: the digest of each copy that was sealed.
        taken: the copies that came out.
        ready: how often a line had new keys.
        faults: what should not have been.
    """

    honest: set[bytes] = field(default_factory=set)
    sent: dict[_Copy, bytes] = field(default_factory=dict)
    taken: set[_Copy] = field(default_factory=set)
    ready: int = 0
    faults: list[str] = field(default_factory=list)

    def line_class(self) -> type[Line]:
        """Return a ``Line`` that is watched; put it in the place of the real one."""
        recorder = self

        class WatchedLine(Line):
            def send(self, plaintext: bytes) -> tuple[int, int]:
                generation, counter = super().send(plaintext)
                copy = (self._line_id, self._sends, generation, counter)
                recorder.saw_sent(copy, plaintext)
                return generation, counter

            def receive(self, message: bytes, now_ms: int) -> list[LineEvent]:
                events = super().receive(message, now_ms)
                comes = Direction.DOWN if self._sends is Direction.UP else Direction.UP
                for event in events:
                    recorder.saw_event(self._line_id, comes, event)
                return events

        return WatchedLine

    def saw_sent(self, copy: _Copy, plaintext: bytes) -> None:
        """An honest end has sealed something."""
        if copy in self.sent:
            self.faults.append(f"a counter was used twice: {copy}")
        self.sent[copy] = codec.digest(plaintext)

    def saw_event(self, line_id: bytes, comes: Direction, event: LineEvent) -> None:
        """An honest end was given an event by its line."""
        match event:
            case LineReady(peer=peer):
                self.ready += 1
                if peer.fingerprint not in self.honest:
                    self.faults.append(f"a stranger opened the line {line_id.hex()}")
            case TelegramReceived(ref=ref) | MalformedReceived(ref=ref):
                copy = (line_id, comes, ref.generation, ref.counter)
                if self.sent.get(copy) != ref.digest:
                    self.faults.append(f"something was taken that nobody sent: {copy}")
                if copy in self.taken:
                    self.faults.append(f"a copy was taken twice: {copy}")
                self.taken.add(copy)
