"""Equal things get one number, so that a state of the world is a few numbers."""

from collections.abc import Hashable
from typing import Generic, TypeVar

from msgspec.structs import replace

from issuance_server.core.state import Issuance, Visit

Thing = TypeVar("Thing")


class Numbers(Generic[Thing]):
    """Gives out numbers from 0; what has the same key has the same number."""

    def __init__(self) -> None:
        self.things: list[Thing] = []
        self._numbers: dict[Hashable, int] = {}

    def of(self, key: Hashable, thing: Thing) -> int:
        """Return the number of a thing; the first one with its key is kept."""
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.things)
            self.things.append(thing)
        return number

    def __getitem__(self, number: int) -> Thing:
        return self.things[number]

    def __len__(self) -> int:
        return len(self.things)


class ValueKeys:
    """Keys of visits and issuances, found once for each object: they never change."""

    def __init__(self) -> None:
        self._by_object: dict[int, tuple[object, int]] = {}
        self._numbers: dict[Hashable, int] = {}

    def of(self, value: Visit | Issuance) -> int:
        """Return a number that is equal for equal values."""
        known = self._by_object.get(id(value))
        if known is not None:
            return known[1]
        key: Hashable = value
        if isinstance(value, Visit):
            plain = replace(value, attempts={}, refusals={})
            fields = tuple(getattr(plain, name) for name in _VISIT_FIELDS)
            key = (fields, tuple(value.attempts.items()), tuple(value.refusals.items()))
        number = self._numbers.setdefault(key, len(self._numbers))
        self._by_object[id(value)] = (value, number)  # held, so that the address stays taken
        return number


_VISIT_FIELDS = tuple(
    name for name in Visit.__struct_fields__ if name not in {"attempts", "refusals"}
)
