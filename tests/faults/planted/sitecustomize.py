"""Bugs for the checkers to find: loaded by every Python that starts with ``FAULT_PLANTED`` set.

Each is a few lines that a careful programmer might have written otherwise.
"""

# ruff: noqa: PLC0415  # this is loaded by every program; a bug imports only what it is planted in

import asyncio
import os
import sys
from typing import Any

_WORDS = " ".join(sys.orig_argv)


def _journal_not_synced() -> None:
    """The terminal's journal is written and left to the operating system."""
    from terminal_sim.journal import Journal

    opened = Journal.__init__

    def open_loosely(self: Journal, path: Any, terminal: str) -> None:
        opened(self, path, terminal)
        self._database.execute("PRAGMA synchronous = OFF")

    Journal.__init__ = open_loosely  # type: ignore[method-assign]


def _answer_before_commit() -> None:
    """The server lets its answers leave while the transaction is still open."""
    from issuance_server.runtime.commit_loop import CommitLoop

    async def commit(self: CommitLoop, group: list[Any], *, attached: str | None = None) -> None:
        async with self._store.transaction(attached) as transaction:
            for input_ in group:
                for effect in await self._step(input_, transaction):
                    self._perform(effect)
            await asyncio.sleep(0.3)
        self._committed()

    CommitLoop.commit = commit  # type: ignore[method-assign]


def _unknown_counts_as_out() -> None:
    """After a restart, a sheet that was on its way counts as printed."""
    from terminal_sim.core import endings

    def all_out(issuance: Any) -> bool:
        quoted = issuance.quoted
        return quoted is not None and bool(issuance.sheets_started == quoted.sheets)

    endings._all_out = all_out


def _prints_again() -> None:
    """The document is kept on the disk, and printed again when the process before this one died."""
    from terminal_sim.desk_work import DeskWork
    from terminal_sim.devices import Printer

    opened, cleared = DeskWork._open_spooled, DeskWork.clear

    def keep(self: DeskWork, issuance_id: bytes, key: Any) -> Any:
        found = opened(self, issuance_id, key)
        printer, pdf = self._printer, self._documents.get(issuance_id)
        if printer is not None and pdf is not None:
            (printer._tray / f"{issuance_id.hex()}.kept").write_bytes(pdf)
        return found

    async def clear(self: DeskWork, state: Any) -> None:
        folder = self._spool._folder.parents[3] / "paper"
        for issuance in state.issuances.values():
            kept = folder / f"{issuance.issuance_id.hex()}.kept"
            if issuance.failure is not None and kept.exists():
                sheets = issuance.quoted.sheets
                for sheet in range(1, sheets + 1):
                    Printer(folder).lay(
                        issuance.issuance_id, kept.read_bytes(), sheet=sheet, sheets=sheets
                    )
                kept.unlink()
        await cleared(self, state)

    DeskWork._open_spooled = keep  # type: ignore[method-assign]
    DeskWork.clear = clear  # type: ignore[method-assign]


_BUGS = {
    "journal-not-synced": ("terminal", _journal_not_synced),
    "answer-before-commit": ("issuance", _answer_before_commit),
    "unknown-counts-as-out": ("terminal", _unknown_counts_as_out),
    "prints-again": ("terminal", _prints_again),
}
_role, _plant = _BUGS[os.environ["FAULT_PLANTED"]]
_PROGRAMS = {
    "terminal": ("terminal-sim", "terminal_sim"),
    "issuance": ("issuance-server", "-m issuance_server "),
}
if any(name in _WORDS for name in _PROGRAMS[_role]):
    _plant()
