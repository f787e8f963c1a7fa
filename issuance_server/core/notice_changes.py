"""What operators change of 本人通知."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribing:
    """A holder wants notices. The address goes into its table and into no record."""

    resident_id: str
    address: str

    def __repr__(self) -> str:
        return f"Subscribing({self.resident_id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribing:
    """A holder wants no more notices; those that wait are not sent."""

    resident_id: str
