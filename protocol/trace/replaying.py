"""A core trace put through a core again: does it decide the same (TP-135)?

The core is whatever says what it makes of a step; nothing here knows of server or terminal.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import msgspec

from protocol.errors import KofuError
from protocol.trace.comparing import Difference, compared
from protocol.trace.entries import Entry, Header, Missed, Stepped, TraceKind

BEFORE_SHOWN = 10
"""Steps that are told before one that differs."""

Effects: TypeAlias = Iterable[tuple[str, Any]]


class ReplayImpossible(KofuError):
    """This trace cannot be played: it is of another kind, or does not begin at a beginning."""


class PlayedCore(Protocol):
    """A core that is played."""

    def take(self, step: Stepped) -> Effects:
        """Take one step and return the names and fields of what it decided.

        Raises:
            ValueError: this version knows no such input.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """The first step at which the core decides otherwise.

    Attributes:
        entry: its number, from 1, the header being number 1.
        step: as it was recorded.
        found: what is different, field by field; left is recorded, right is what the core does now.
        failure: the core did not come to its end: the exception, in words.
        before: the steps that came before it, with their numbers, oldest first.
    """

    entry: int
    step: Stepped
    found: tuple[Difference, ...]
    failure: str
    before: tuple[tuple[int, Stepped], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How a replay ended.

    Attributes:
        steps: that were the same.
        deviation: the first that was not.
        missed_at: number of the entry behind which the recorder left something out; nothing after
            it was played.
    """

    steps: int
    deviation: Deviation | None = None
    missed_at: int | None = None


def play(entries: Iterable[Entry], core_of: Callable[[Header], PlayedCore]) -> Played:
    """Put every step of a trace through a core, up to the first that differs.

    Args:
        entries: of all its parts, in order.
        core_of: makes the core in its first state, from the header's settings.

    Raises:
        ReplayImpossible: it is no core trace, or its beginning is missing.
    """
    core: PlayedCore | None = None
    next_part, steps = 0, 0
    before: deque[tuple[int, Stepped]] = deque(maxlen=BEFORE_SHOWN)
    for number, entry in enumerate(entries, start=1):
        match entry:
            case Header():
                next_part = _checked(entry, next_part)
                core = core or core_of(entry)
            case Missed():
                return Played(steps=steps, missed_at=number)
            case Stepped() if core is not None:
                deviation = _deviation(core, number, entry, tuple(before))
                if deviation is not None:
                    return Played(steps=steps, deviation=deviation)
                steps += 1
                before.append((number, entry))
    return Played(steps=steps)


def _checked(header: Header, wanted: int) -> int:
    """Return the number of the part that is to follow."""
    if header.kind is not TraceKind.CORE:
        raise ReplayImpossible(
            "this is a trace of telegrams; a core trace is recorded with --core-trace FILE"
        )
    if header.part != wanted:
        raise ReplayImpossible(
            f"part {wanted} of the recording is wanted here, and this is part {header.part}: name"
            " all parts, oldest first (a recording is played from its beginning)"
        )
    return wanted + 1


def _deviation(
    core: PlayedCore, number: int, step: Stepped, before: tuple[tuple[int, Stepped], ...]
) -> Deviation | None:
    failure = ""
    made: Any = []
    try:
        made = _plain(list(core.take(step)))
    except Exception as error:  # noqa: BLE001  # however it fails: it did not before
        failure = f"{type(error).__name__}: {error}"
    recorded = _plain(step.effects)
    if not failure and recorded == made:
        return None
    found = () if failure else compared(number, _by_place(recorded), _by_place(made))
    return Deviation(entry=number, step=step, found=tuple(found), failure=failure, before=before)


def _by_place(effects: list[Any]) -> dict[str, Any]:
    """Let effects be compared one by one, also where one is too many."""
    return {f"{place} {name}": fields for place, (name, fields) in enumerate(effects, start=1)}


def _plain(value: Any) -> Any:
    """Return a value as it comes out of a file."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value))
