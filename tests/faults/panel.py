"""The panel from which faults are set in running processes, and the shim that obeys it.

The shim (``shim.c``) is compiled once per run. ``Panel.installed`` puts it into the environment, so
every process that is started meanwhile maps the panel's file; what is set acts at once.
"""

import mmap
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, IntEnum, IntFlag
from pathlib import Path

from protocol.errors import SetUpError

SHIM_SOURCE = Path(__file__).with_name("shim.c")
HIT_BYTES = 64
NEVER = 0xFFFF_FFFF
"""As ``at``: calls are counted and none is hit. As ``span``: all from there on."""

_PANEL_BYTES = 4_096
_SEAT = struct.Struct(f"=7I{HIT_BYTES}s")


class Role(IntEnum):
    """Who is hit; the numbers are the shim's."""

    SERVER = 0
    JUDGE = 1
    TERMINAL = 2
    BROKER = 3


class Calls(IntFlag):
    """Which calls are counted."""

    SYNC = 1
    WRITE = 2
    SEND = 4


class Action(Enum):
    """What happens at the call instead of it."""

    KILL = 1
    POWER = 2  # killed, and what was not synced is gone
    REFUSE = 3


def compiled_shim(folder: Path) -> Path:
    """Compile the shim into a folder and return the library.

    Raises:
        SetUpError: there is no C compiler.
    """
    library = folder / "shim.so"
    command = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"]
    try:
        done = subprocess.run(
            [*command, "-o", str(library), str(SHIM_SOURCE)],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise SetUpError("gcc is missing: tools/debian_packages gcc libc6-dev") from None
    if done.returncode:
        raise SetUpError(f"the shim cannot be compiled:\n{done.stderr}")
    return library


class Panel:
    """One seat for each role, in memory that this process shares with all that it starts."""

    def __init__(self, folder: Path, library: Path) -> None:
        """Make a panel.

        Args:
            folder: where its file goes.
            library: the compiled shim.
        """
        self._library = library
        self._path = folder / "panel"
        self._path.write_bytes(bytes(_PANEL_BYTES))
        with self._path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _PANEL_BYTES)

    @contextmanager
    def installed(
        self, *, unsynced: bool = False, trace: Path | None = None, planted: str = ""
    ) -> Iterator[None]:
        """Let every process that is started meanwhile obey this panel.

        Args:
            unsynced: remember what was written and not synced, as ``Action.POWER`` needs.
            trace: a file to which every counted call is written.
            planted: the bug of ``planted/sitecustomize.py`` that they have.
        """
        wanted = {"LD_PRELOAD": str(self._library), "FAULT_PANEL": str(self._path)}
        if unsynced:
            wanted["FAULT_UNSYNCED"] = "1"
        if trace is not None:
            wanted["FAULT_TRACE"] = str(trace)
        if planted:
            wanted["FAULT_PLANTED"] = planted
            paths = (str(Path(__file__).with_name("planted")), os.environ.get("PYTHONPATH"))
            wanted["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def count(self, role: Role, calls: Calls) -> None:
        """Begin to count a role's calls of some kinds; none is hit."""
        self._set(role, (calls, NEVER, 0, 0, 0, 0, 0))

    def hit(self, role: Role, calls: Calls, at: int, action: Action) -> None:
        """Let the process of a role die in front of its ``at``-th call from now on."""
        self._set(role, (calls, at, 1, action.value, 0, 0, 0))

    def refuse(self, role: Role, calls: Calls, error: int, *, at: int = 1, span: int = 1) -> None:
        """Let calls about regular files fail with an errno, ``span`` of them from the ``at``-th."""
        self._set(role, (calls, at, span, Action.REFUSE.value, error, 0, 0))

    def rest(self, role: Role) -> None:
        """Let a role be."""
        self._set(role, (0, 0, 0, 0, 0, 0, 0))

    def counted(self, role: Role) -> int:
        """Return how many calls there were since the role was last set."""
        return self._seat(role)[5]

    def fired(self, role: Role) -> str:
        """Return which call was hit, such as ``fdatasync city.db-wal``; empty: none was."""
        *_, fired, hit = self._seat(role)
        return bytes(hit).split(b"\0")[0].decode(errors="replace") if fired else ""

    def _seat(self, role: Role) -> tuple[int, int, int, int, int, int, int, bytes]:
        return _SEAT.unpack_from(self._memory, role * _SEAT.size)

    def _set(self, role: Role, fields: tuple[int, ...]) -> None:
        at = role * _SEAT.size
        self._memory[at : at + 4] = bytes(4)  # nothing is counted while the rest changes
        _SEAT.pack_into(self._memory, at, 0, *fields[1:], bytes(HIT_BYTES))
        self._memory[at : at + 4] = int(fields[0]).to_bytes(4, "little")
