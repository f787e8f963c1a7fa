"""Secrets are a type: a PIN or a key is never a plain ``bytes`` that something could print."""

import hmac
from typing import NoReturn, final


@final
class Secret:
    """Bytes that show themselves only when asked by name.

    ``repr``, ``str`` and ``format`` give ``Secret(***)``; pickling and copying are refused;
    equality takes the same time whatever the content. Python cannot wipe memory, so a secret is
    kept by as few holders as possible and dropped early.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """Return the bytes. Call it where they are used, and do not keep the result."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # a secret is no key of a table

    def __repr__(self) -> str:
        return "Secret(***)"

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not written anywhere")

    def __copy__(self) -> NoReturn:
        raise TypeError("a Secret is not copied")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError("a Secret is not copied")
