"""``terminal-sim witness``: what this terminal witnessed of the city's audit record."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from protocol.checkpoint import Checkpoint
from protocol.errors import SetUpError
from terminal_sim.config import TerminalConfig
from terminal_sim.core.records import Doubt, DoubtDismissed, DoubtRaised
from terminal_sim.core.state import Profile, TerminalState, evolve, fold
from terminal_sim.journal import JOURNAL_FILE, Journal, locked_storage

REASON_CHARACTERS_MAX = 200
_FILE_MODE = 0o600
_MS_PER_S = 1_000

_DOUBTS = {
    Doubt.WITHHELD: "検証点を示しません (the city shows no checkpoint any more)",
    Doubt.SIGNATURE: "検証点の署名が正しくありません (no checkpoint key that this terminal knows "
    "signed the city's checkpoint; a new key is told with issuance-keys distribute and taken with "
    "terminal-sim trust)",
    Doubt.PUT_BACK: "監査記録が過去の状態に戻されています (the city's audit record has fewer "
    "records than this terminal witnessed: it was put back to an earlier state)",
    Doubt.REWRITTEN: "監査記録が書き換えられています (the city's audit record does not contain "
    "what this terminal witnessed: it was rewritten)",
}


class _WitnessFile(msgspec.Struct, frozen=True, kw_only=True, tag="checkpoint"):
    """What ``issuance-server audit verify --witness`` reads."""

    city: str
    size: int
    root: bytes
    at_ms: int
    signature: bytes


def read(config: TerminalConfig, dismissed: str | None = None) -> TerminalState:
    """Return what the terminal's journal says.

    Args:
        config: the terminal.
        dismissed: why its doubt is dismissed, if it is to be.

    Raises:
        SetUpError: there is no doubt to dismiss, the reason is empty or too long, or the files are
            not as needed.
        JournalFailed: the disk refuses.
    """
    with locked_storage(config.storage):
        journal = Journal(config.storage / JOURNAL_FILE, config.terminal)
        try:
            profile = Profile(
                terminal=config.terminal, city=config.city, software="", binding_keys=()
            )
            state = fold(profile, journal.read())
            if dismissed is not None:
                _dismiss(state, journal, dismissed)
            return state
        finally:
            journal.close()


def write(out: Path, city: str, checkpoint: Checkpoint | None) -> None:
    """Write a checkpoint to a new file, for the owner alone.

    Raises:
        SetUpError: there is no checkpoint, or the file is there already or cannot be written.
    """
    if checkpoint is None:
        raise SetUpError("this terminal has no such checkpoint; open its line first: settle")
    line = msgspec.json.encode(
        _WitnessFile(
            city=city,
            size=checkpoint.size,
            root=checkpoint.root,
            at_ms=checkpoint.at_ms,
            signature=checkpoint.signature,
        )
    )
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE), "wb") as to:
            to.write(line + b"\n")
    except FileExistsError:
        raise SetUpError(f"{out} is there already; give another name") from None
    except OSError as error:
        raise SetUpError(f"{out} cannot be written: {error.strerror}") from None


def alarm_words(raised: DoubtRaised, terminal: str) -> str:
    """Return what the operator reads after an alarm: what is wrong, and what to do."""
    return (
        f"警報: {_DOUBTS[raised.doubt]}\n"
        "この端末では発行しません (ALARM: nothing is issued at this terminal). To find what was "
        f"changed: terminal-sim witness --terminal {terminal} --out FILE, and at the city: "
        "issuance-server audit verify --witness FILE. If the city's record was restored on "
        f"purpose: terminal-sim witness --terminal {terminal} --dismiss REASON"
    )


def witness_object(state: TerminalState) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    raised = state.doubt
    return {
        "terminal": state.profile.terminal,
        "city": state.profile.city,
        "kept": _checkpoint_object(state.witnessed),
        "doubt": None if raised is None else raised.doubt.value,
        "shown": None if raised is None else _checkpoint_object(raised.shown),
    }


def witness_words(state: TerminalState) -> str:
    """Return what a person reads."""
    lines = [_checkpoint_words("検証点 (kept)", state.witnessed)]
    if state.doubt is not None:
        lines.append(_checkpoint_words("市の提示 (shown by the city)", state.doubt.shown))
        lines.append(alarm_words(state.doubt, state.profile.terminal))
    return "\n".join(lines) + "\n"


def _dismiss(state: TerminalState, journal: Journal, reason: str) -> None:
    if state.doubt is None:
        raise SetUpError("there is no alarm to dismiss")
    if not 0 < len(reason.strip()) <= len(reason) <= REASON_CHARACTERS_MAX:
        raise SetUpError(f"give a reason of 1 to {REASON_CHARACTERS_MAX} characters: --dismiss")
    record = DoubtDismissed(reason=reason, at_ms=int(time.time() * _MS_PER_S))
    journal.append([record])
    evolve(state, record)


def _checkpoint_words(name: str, checkpoint: Checkpoint | None) -> str:
    if checkpoint is None:
        return f"{name}: なし (none)"
    signed_at = _time(checkpoint.at_ms)
    return f"{name}: {checkpoint.size} records, signed {signed_at}, root {checkpoint.root.hex()}"


def _checkpoint_object(checkpoint: Checkpoint | None) -> dict[str, Any] | None:
    if checkpoint is None:
        return None
    return {
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "at_ms": checkpoint.at_ms,
        "signature": checkpoint.signature.hex(),
    }


def _time(at_ms: int) -> str:
    """Return a time for people; a checkpoint may bear one that no calendar has."""
    try:
        return datetime.fromtimestamp(at_ms / _MS_PER_S, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return f"{at_ms} ms"
