"""The files into which a server records: what ``run --trace FILE`` asks for."""

import os
from collections.abc import Callable
from pathlib import Path

from issuance_server.core.replay import StepCoder
from issuance_server.core.rules import CityRules
from issuance_server.runtime.recording import NO_RECORDING, Recording
from protocol.errors import SetUpError
from protocol.limits import TABLES_VERSION
from protocol.secret import Secret
from protocol.shells.trace_file import Bounds, Subject, TraceFile
from protocol.trace.entries import Recorder, TraceKind
from protocol.trace.redaction import PSEUDONYM_KEY_BYTES


def begin_recording(
    rules: CityRules,
    bounds: Bounds,
    files: tuple[Path | None, Path | None],
    *,
    clock: Callable[[], int],
    log: Callable[..., None],
) -> Recording:
    """Begin the traces that were asked for.

    Args:
        rules: of the city.
        bounds: how much each may take.
        files: of the telegrams and of the core; None: not wanted.
        clock: milliseconds since 1970.
        log: takes what went wrong with a recording.

    Raises:
        SetUpError: a file cannot be begun; the text names it.
    """
    telegrams, core = files
    if telegrams is None and core is None:
        return NO_RECORDING
    if telegrams is not None and core is not None and telegrams.absolute() == core.absolute():
        raise SetUpError(f"{telegrams}: telegrams and core need a file each; name another one")
    coder = StepCoder(rules, Secret(os.urandom(PSEUDONYM_KEY_BYTES)))

    def begun(path: Path, kind: TraceKind) -> TraceFile:
        subject = Subject(
            kind=kind,
            recorder=Recorder.SERVER,
            city=rules.city,
            software=rules.software,
            tables_version=TABLES_VERSION,
            settings=coder.settings() if kind is TraceKind.CORE else None,
        )
        try:
            return TraceFile(path, subject, clock=clock, on_failure=_looked_for, bounds=bounds)
        except OSError as error:
            raise SetUpError(
                f"no trace can be written to {path}: {error.strerror}; name another file"
            ) from None

    return Recording(
        lines=None if telegrams is None else begun(telegrams, TraceKind.TELEGRAMS),
        steps=None if core is None else begun(core, TraceKind.CORE),
        coder=coder,
        log=log,
    )


def _looked_for(_reason: str) -> None:
    """A recording looks at its files by itself, from the thread that writes the log."""
