"""What operators change of the register copy; nothing of it but numbers is put on record."""

from dataclasses import dataclass
from typing import TypeAlias

from issuance_server.core.register_extract import Counts
from issuance_server.core.register_feed import Gap, Placed


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExtract:
    """A full extract takes the place of the copy; its rows lie ready in a file beside the city's.

    Attributes:
        staged: that file's path.
        file_digest: SHA-256 of the extract as it came.
        counts: what is in it.
        sequence: number of the last change that is in it.
        as_of_ms: when the registers were like this, Unix time in milliseconds.
    """

    staged: str
    file_digest: bytes
    counts: Counts
    sequence: int
    as_of_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """Stand-in operation (基幹システム障害時) is declared until a time, Unix time in ms."""

    until_ms: int


@dataclass(frozen=True, slots=True)
class StandInOver:
    """Stand-in operation ends before its time."""


CopyChange: TypeAlias = NewExtract | Placed | Gap | StandIn | StandInOver


def staged_by(change: object) -> str | None:
    """Return the file with an extract's rows, if a change takes one over."""
    return change.staged if isinstance(change, NewExtract) else None
