"""Inputs that once crashed a target. Tests replay them for ever."""

import json
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("crashes.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """One input that once crashed.

    Attributes:
        target: which target.
        why: what was wrong, in a sentence.
        content: the input.
    """

    target: str
    why: str
    content: bytes


def kept() -> tuple[Crash, ...]:
    """Return all crashes that were kept."""
    rows = json.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(
        Crash(target=row["target"], why=row["why"], content=bytes.fromhex(row["content"]))
        for row in rows
    )


def keep(*, target: str, content: bytes, why: str) -> None:
    """Add an input to the file."""
    rows = json.loads(_FILE.read_text(encoding="utf-8"))
    rows.append({"target": target, "why": why, "content": content.hex()})
    _FILE.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
