"""Disks that refuse, fill up, are read-only or torn: stop or refuse, say why, and lose nothing.

A refusal is put in front of the call by the shim. A disk that was full has room again afterwards,
and a torn file is replaced by what it was, as an operator would do before starting again.
"""

import errno
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from issuance_server.demo.stage import ISSUANCE_SERVER
from protocol.errors import SetUpError
from tests.faults.panel import NEVER, Calls, Role
from tests.faults.report import Row
from tests.faults.stage import Foundation, Stage, staged
from tests.faults.storm import settled_and_examined
from tests.processes.town import Terminal

TERMINAL, CARD, BYSTANDER = "LW-0001", "h000-m1", "h001-m1"
STOP_WAIT_S = 20
START_WAIT_S = 40
PAGE_BYTES = 4_096
GARBAGE = bytes(range(256)) * (PAGE_BYTES // 256)
_MS_PER_S = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A disk that says no.

    Attributes:
        role: whose calls are refused.
        calls: which.
        error: with which errno.
        at: from which call of an issuance on.
        span: how many.
    """

    role: Role
    calls: Calls
    error: int
    at: int = 1
    span: int = 1

    @property
    def name(self) -> str:
        """What is told."""
        how = "until mended" if self.span == NEVER else "once"
        what = "full" if self.error == errno.ENOSPC else "fails"
        return f"disk {what}, {self.role.name.lower()} call {self.at}, {how}"


REFUSALS = tuple(
    Refusal(role=role, calls=calls, error=error, at=at, span=span)
    for role in (Role.SERVER, Role.JUDGE, Role.TERMINAL)
    for calls, error, span in (
        (Calls.SYNC, errno.EIO, 1),
        (Calls.WRITE, errno.ENOSPC, NEVER),
    )
    for at in ((1, 2) if role is Role.JUDGE else (1, 4, 8, 12))
)


def refused(foundation: Foundation, refusals: tuple[Refusal, ...], *, planted: str = "") -> Row:
    """Let the disk refuse during a visit, mend it, and start again."""
    row = Row(fault="disk-refuses", rerun="--only disk-refuses")
    with staged(foundation, "refused", planted=planted) as stage:
        stage.start()
        for refusal in refusals:
            stage.panel.refuse(
                refusal.role, refusal.calls, refusal.error, at=refusal.at, span=refusal.span
            )
            seen = len(stage.town.log_text)
            visit = stage.visit(TERMINAL, CARD)
            told = _ends_of(stage, refusal, visit, row, seen)
            if stage.panel.fired(refusal.role):
                row.points += 1
                row.notes.append(f"{refusal.name}: {told}")
            stage.panel.rest(refusal.role)
            began = time.monotonic()
            if not stage.serves():
                stage.rise()
            stage.end_of(visit)
            found = settled_and_examined(stage, row, began)
            for part in (found.lost, found.duplicated, found.crossed, found.other):
                part[:] = [f"{refusal.name}: {text}" for text in part]
            row.findings.add(found)
            if not row.clean:
                break
    return row


def _ends_of(stage: Stage, refusal: Refusal, visit: Terminal, row: Row, seen: int) -> str:
    """Wait until it is clear how whoever was refused took it; return what they said."""
    limit = time.monotonic() + STOP_WAIT_S
    fired = False
    while time.monotonic() < limit:
        fired = bool(stage.panel.fired(refusal.role))
        over = visit.process.poll() is not None
        if over or (fired and not stage.serves()):
            break
        if fired and refusal.role is Role.JUDGE and refusal.span == NEVER:
            time.sleep(1)  # it is started again in vain meanwhile
            break
        time.sleep(0.01)
    if not fired:
        return "not reached"
    if refusal.role is Role.TERMINAL:
        status = stage.end_of(visit)
        said = visit.said[-1] if visit.said else ""
        return f"the terminal ends with {status}: {said}"
    log = stage.town.log_text[seen:]
    if refusal.role is Role.SERVER:
        if stage.serves():
            row.findings.other.append(f"{refusal.name}: the server serves on")
            return "serves on"
        assert stage.town.server is not None
        status = stage.town.server.process.returncode
        if status != 1 or "journal.failed" not in log:
            row.findings.other.append(
                f"{refusal.name}: the server ended with {status}: {log[-300:]}"
            )
        return f"the server ends with {status}: {_reason(log)}"
    return f"the judge: {_reason(log)}"


def _reason(log: str) -> str:
    """Return the last thing in a log that tells why."""
    reasons = re.findall(r'"reason":"([^"]*)"', log)
    spoken = [line for line in log.splitlines() if line and not line.startswith("{")]
    judge = [line for line in spoken if line.startswith("pin judge:")]
    return str((judge or spoken or reasons or ["nothing"])[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A file that is not as the server left it.

    Attributes:
        name: what is told.
        file: relative to the city's folder.
        do: damages it.
    """

    name: str
    file: str
    do: Callable[[Path], None]


def _read_only(path: Path) -> None:
    path.chmod(0o400)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _emptied(path: Path) -> None:
    os.truncate(path, 0)


def _garbled(page: float) -> Callable[[Path], None]:
    def garble(path: Path) -> None:
        pages = path.stat().st_size // PAGE_BYTES
        with path.open("r+b") as file:
            file.seek(int(page * pages) * PAGE_BYTES)
            file.write(GARBAGE)

    return garble


DATABASES = ("data/city.db", "data/pin-judge.db")
DAMAGES = tuple(
    Damage(name=f"{Path(file).name} {name}", file=file, do=do)
    for file in DATABASES
    for name, do in (
        ("read-only", _read_only),
        ("cut in half", _cut),
        ("empty", _emptied),
        ("with its first page garbled", _garbled(0)),
        ("with a page at a quarter garbled", _garbled(0.25)),
        ("with a page in the middle garbled", _garbled(0.5)),
        ("with its last page garbled", _garbled(0.999)),
    )
)


def damaged(foundation: Foundation, damages: tuple[Damage, ...], *, planted: str = "") -> Row:
    """Damage a file while the server is down, start it, mend the file, and start again."""
    row = Row(fault="disk-damaged", rerun="--only disk-damaged")
    with staged(foundation, "damaged", planted=planted) as stage:
        stage.start()
        stage.end_of(stage.visit(TERMINAL, CARD))
        for damage in damages:
            assert stage.town.server is not None
            stage.town.server.stop()
            with _kept(stage.town.folder / damage.file) as path:
                damage.do(path)
                told = _served_damaged(stage, damage, row)
            row.points += 1
            row.notes.append(f"{damage.name}: {told}")
            began = time.monotonic()
            stage.rise()
            stage.end_of(stage.visit(TERMINAL, CARD))
            found = settled_and_examined(stage, row, began)
            for part in (found.lost, found.duplicated, found.crossed, found.other):
                part[:] = [f"{damage.name}: {text}" for text in part]
            row.findings.add(found)
            if found.all():
                break
    return row


def _served_damaged(stage: Stage, damage: Damage, row: Row) -> str:
    """Start the server on a damaged file; it must not serve on it. Return what it says."""
    server = _start_without_override(stage)
    log = stage.town.folder / "damaged.log"
    try:
        status = server.wait(START_WAIT_S if "started" not in log.read_text() else 1)
    except subprocess.TimeoutExpired:
        status = None
    if status is None:
        visit = stage.visit(TERMINAL, BYSTANDER)
        over = stage.end_of(visit)
        status = server.poll()
        if status is None:
            server.terminate()
            status = server.wait(START_WAIT_S)
            if over == 0:
                row.findings.other.append(f"{damage.name}: the server serves on")
            return f"ends a visit with {over}"
    text = log.read_text()
    if status != 1 or "Traceback" in text:
        row.findings.other.append(f"{damage.name}: ended with {status}: {text[-400:]}")
    return f"refuses with {status}: {_reason(text)}"


def _start_without_override(stage: Stage) -> "subprocess.Popen[bytes]":
    """Start the server so that a file's mode binds it, even where the tests are root's."""
    folder = stage.town.folder
    humble = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    command = [*ISSUANCE_SERVER, "run", "--config", str(folder / "server.toml")]
    log = folder / "damaged.log"
    with log.open("wb") as file:
        server = subprocess.Popen(
            [*humble, *command, "--log-format", "json"], stderr=file, stdin=subprocess.DEVNULL
        )
    limit = time.monotonic() + START_WAIT_S
    while server.poll() is None and '"server.started"' not in log.read_text():
        if time.monotonic() > limit:
            raise SetUpError("the server neither starts nor ends")
        time.sleep(0.02)
    return server


@contextmanager
def _kept(path: Path) -> Iterator[Path]:
    """Keep a database as it is, with what lies beside it, and put it back afterwards."""
    beside = [path.with_name(path.name + ending) for ending in ("", "-wal", "-shm")]
    kept = path.parent / "kept"
    kept.mkdir()
    for file in beside:
        if file.exists():
            shutil.copy2(file, kept / file.name)
    try:
        yield path
    finally:
        for file in beside:
            file.unlink(missing_ok=True)
            if (kept / file.name).exists():
                shutil.copy2(kept / file.name, file)
        shutil.rmtree(kept)
