"""How far a long command is: a line on standard error that a terminal overwrites."""

import sys
import time
from typing import Self

from issuance_server.desk_commands.tables import width

_LOOK_S = 0.2
_PERCENT = 100


class Progress:
    """Shows a share of a whole, a few times a second; silent where nobody looks at a terminal."""

    def __init__(self, what: str, whole: int) -> None:
        """Begin.

        Args:
            what: is being done.
            whole: how much there is; 0 if that is not known.
        """
        self._what = what
        self._whole = whole
        self._shown = sys.stderr.isatty()
        self._next_s = time.monotonic()
        self._last = ""

    def __call__(self, done: int) -> None:
        """Show how much is done."""
        if not self._shown or time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + _LOOK_S
        share = f"{_PERCENT * done // self._whole} %" if self._whole else str(done)
        self._write(f"{self._what}: {share}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._last:
            self._write("")
            sys.stderr.write("\r")

    def _write(self, text: str) -> None:
        blank = " " * max(0, width(self._last) - width(text))
        sys.stderr.write(f"\r{text}{blank}")
        sys.stderr.flush()
        self._last = text
