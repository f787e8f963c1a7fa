"""A disk under which the process dies at a chosen call, and a process that kills itself there."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from keys.__main__ import main as issuance_keys

CHANGING = ("open", "write", "fsync", "fchmod", "link", "rename", "replace", "unlink", "mkdir")
"""Every call by which ``keys`` changes or flushes files, and ``rmdir``."""


class PowerCut(BaseException):
    """The process is dead; nothing that it does from here on reaches the disk."""


class DyingDisk:
    """Counts the calls that change files, and dies before a chosen one, or in the middle of it.

    Attributes:
        calls: the names of the calls that were made since ``die_at``.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self._die_at = 0
        self._half = False
        self._dead = False
        self._on_death: Callable[[], None] | None = None
        for name in (*CHANGING, "rmdir"):
            patch.setattr(os, name, self._watched(name, getattr(os, name)))

    def die_at(self, number: int, *, half: bool = False) -> None:
        """Die before the call of this number (1 and up), or half-way through it if it writes."""
        self.calls, self._die_at, self._half, self._dead = [], number, half, False

    def revive(self) -> None:
        """Let a new process have the disk, as long as it likes."""
        self.die_at(0)

    def kill_at(self, number: int) -> None:
        """End this very process by a signal that nothing can catch, before the call."""
        self.die_at(number)
        self._on_death = lambda: os.kill(os.getpid(), signal.SIGKILL)

    def _watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_CREAT:
                return call(*arguments, **named)
            if self._dead:
                raise PowerCut
            self.calls.append(name)
            if len(self.calls) == self._die_at:
                self._dead = True
                if self._on_death is not None:
                    self._on_death()
                if self._half and name == "write":
                    descriptor, content = arguments
                    call(descriptor, content[: len(content) // 2])
                raise PowerCut
            return call(*arguments, **named)

        return watched


def main() -> int:
    """Run ``issuance-keys`` with the arguments after the first, killed at the call it names."""
    with pytest.MonkeyPatch.context() as patch:
        DyingDisk(patch).kill_at(int(sys.argv[1]))
        return issuance_keys(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
