"""Values of a trace that stand for others (TP-134): written by hand, never recorded.

``{"~": "any"}`` stands for whatever is there, also for nothing. With ``is`` it has a name: what
stood there first under that name has to stand there again, and a telegram that is sent takes it.
"""

from typing import Any

from protocol.trace.redaction import MARK

ANY = "any"
NAME = "is"


def anything(name: str | None = None) -> dict[str, Any]:
    """Return what stands for any value, or for the one of that name."""
    return {MARK: ANY} if name is None else {MARK: ANY, NAME: name}


def is_pattern(value: Any) -> bool:
    """Tell whether a value stands for others."""
    return isinstance(value, dict) and value.get(MARK) == ANY


def name_of(pattern: dict[str, Any]) -> str | None:
    """Return the name of a pattern, if it has one."""
    name = pattern.get(NAME)
    return name if isinstance(name, str) else None


def patterns_kept(before: Any, now: Any) -> Any:
    """Return a value with the patterns that stood in it before."""
    if is_pattern(before):
        return before
    if isinstance(before, dict) and isinstance(now, dict):
        return {name: patterns_kept(before.get(name), one) for name, one in now.items()}
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        return [patterns_kept(old, one) for old, one in zip(before, now, strict=True)]
    return now
