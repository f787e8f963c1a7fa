"""Finds what the switch and its desks keep in memory only, so that it can be saved and loaded."""

from typing import Any, TypeAlias

from issuance_server.core.state import SwitchState
from issuance_server.core.switch import Switch

Memory: TypeAlias = dict[Any, Any] | set[Any]
"""A place where a desk keeps what no record holds."""


def kept(place: Memory) -> tuple[Any, ...]:
    """Return what is in a place of memory, in an order of its own."""
    if isinstance(place, dict):
        return tuple(sorted(place.items(), key=lambda item: item[0]))
    return tuple(sorted(place))


def memory_of(switch: Switch) -> tuple[Memory, ...]:
    """Find every place that the switch and its desks keep in memory only."""
    found: list[Memory] = []
    seen: set[int] = set()
    waiting: list[object] = [switch]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, SwitchState) or not hasattr(one, "__dict__"):
            continue
        seen.add(id(one))
        for value in vars(one).values():
            if isinstance(value, dict | set):
                found.append(value)
            elif type(value).__module__.startswith("issuance_server.core"):
                waiting.append(value)
            assert not isinstance(value, list), f"{type(one)} keeps {value}"
    return tuple(found)
