"""What operators want of issuing as a whole."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class StopIssuing:
    """Nothing is to be issued in the whole city; of one operator."""


@dataclass(frozen=True, slots=True)
class ReopenIssuing:
    """It was found out why issuing was stopped, and it may go on; of two operators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareManifest:
    """The city's node is to be this from now on; of two operators.

    Attributes:
        items: by name, in order.
    """

    items: tuple[tuple[str, str], ...]


IssuingChange: TypeAlias = StopIssuing | ReopenIssuing | DeclareManifest
