"""How much of a field a trace may show; its type says so (SPEC.md §18)."""

from enum import Enum
from typing import Any

_KEY = "shown"


class Shown(Enum):
    """What stands in a trace in the place of a field that it may not show."""

    SECRET = "secret"  # noqa: S105  # nothing but that a secret stood there
    SIGNATURE = "signature"  # likewise: with a list of public keys it would name its maker
    SEALED = "sealed"  # the digest and the length of the ciphertext
    CARD = "card"  # a pseudonym of the card
    PERSON = "person"  # a pseudonym of what was said about a person


def shown(how: Shown) -> dict[str, Any]:
    """Return the mark for ``msgspec.Meta(extra=...)``."""
    return {_KEY: how}


def mark_in(extra: dict[str, Any] | None) -> Shown | None:
    """Return what a type was marked with; None: it is shown as it is."""
    return (extra or {}).get(_KEY)
