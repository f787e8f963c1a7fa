"""What a log event is: its name, its level, its fields, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much an event asks for."""

    INFO = "info"  # the course of things
    WARNING = "warning"  # worth a look today
    ERROR = "error"  # somebody must act now


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One kind of line in the log.

    Attributes:
        name: dotted, in the past tense.
        level: how much it asks for.
        fields: what the line carries, by name, with the meaning and the unit.
        sometimes: those of them that only some lines carry; all others are always there.
        when: when it is written.
        what_to_do: what a reader should do about it; empty for the normal course of things.
    """

    name: str
    level: Level
    fields: dict[str, str]
    when: str
    what_to_do: str = ""
    sometimes: frozenset[str] = frozenset()
