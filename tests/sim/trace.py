"""What is observed: every event goes into one hash, the last ones are kept, and checkers hear them.

An event is a virtual time, the name of a node, a word, and a few values. Two runs of one seed give
the same bytes, so their hashes are equal; whoever wants to see the whole writes it to a stream.
"""

import hashlib
from collections import deque
from collections.abc import Callable
from typing import TextIO

from tests.sim.loop import SimLoop

EVENTS_KEPT = 60
_LINES_AT_ONCE = 512


class Trace:
    """The hash of all events of one world, and the end of them in words."""

    def __init__(self, loop: SimLoop, stream: TextIO | None = None) -> None:
        self._loop = loop
        self._stream = stream
        self._hash = hashlib.sha256()
        self._lines: list[str] = []
        self._last: deque[str] = deque(maxlen=EVENTS_KEPT)
        self.events = 0

    def event(self, node: str, word: str, detail: str = "") -> None:
        """Take an event.

        Args:
            node: where it was seen.
            word: what it was.
            detail: more of it, always the same for the same seed.
        """
        self._lines.append(f"{self._loop.now_us} {node} {word} {detail}\n")
        if len(self._lines) >= _LINES_AT_ONCE:
            self._flush()

    def digest(self) -> str:
        """Return the hash of everything so far, 64 hexadecimal digits."""
        self._flush()
        return self._hash.hexdigest()

    def last(self) -> list[str]:
        """Return the last events, oldest first."""
        self._flush()
        return list(self._last)

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        self.events += len(lines)
        text = "".join(lines)
        self._hash.update(text.encode())
        self._last.extend(line.rstrip("\n") for line in lines[-EVENTS_KEPT:])
        if self._stream is not None:
            self._stream.write(text)


Say = Callable[[str], None]
