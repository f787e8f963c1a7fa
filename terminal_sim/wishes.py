"""What the person of the command line wants of a visit: certificates, each with its options.

A certificate is ``KIND`` or ``KIND:KEY=VALUE,…``, such as ``juminhyo:copies=2,scope=household``. A
word without ``=`` goes on with the list before it: ``members=1,3``.
"""

from collections.abc import Iterator
from enum import Enum
from typing import TypeVar

from protocol.kinds import MEMBERS_MAX, Item, Kind, Options, Scope
from protocol.limits import COPIES_MAX
from terminal_sim.customer import CancelPoint, Choice

_Named = TypeVar("_Named", bound=Enum)


def options_of(settings: list[str]) -> Options:
    """Return the options that ``--option`` gave.

    Raises:
        ValueError: one is none; the text says what may be given.
    """
    scope = Scope.SELF
    members: tuple[int, ...] = ()
    items: tuple[Item, ...] = ()
    for setting in settings:
        name, _, value = setting.partition("=")
        match name:
            case "scope":
                scope = _one(Scope, value, "scope")
            case "members":
                members = tuple(_member(word) for word in value.split(","))
            case "items":
                items = tuple(_one(Item, word, "items") for word in value.split(","))
            case _:
                raise ValueError(f"unknown option {name!r}; there are scope, members, items")
    return Options(scope=scope, members=members, items=items)


def choice_of(text: str) -> Choice:
    """Return the certificate that ``--certificate`` gave.

    Raises:
        ValueError: it is none; the text says what may be given.
    """
    word, colon, rest = text.partition(":")
    kind = _one(Kind, word, "a certificate")
    copies, cancel_at, settings = 1, None, []
    for name, value in _settings(rest) if colon else ():
        match name:
            case "copies":
                copies = _copies(value)
            case "cancel-at":
                cancel_at = _one(CancelPoint, value, "cancel-at")
            case "scope" | "members" | "items":
                settings.append(f"{name}={value}")
            case _:
                raise ValueError(
                    f"unknown option {name!r}; there are copies, scope, members, items, cancel-at"
                )
    return Choice(kind=kind, options=options_of(settings), copies=copies, cancel_at=cancel_at)


def _settings(text: str) -> Iterator[tuple[str, str]]:
    """Give name and value of each setting; a name comes once."""
    found: list[tuple[str, str]] = []
    for word in text.split(","):
        name, equals, value = word.partition("=")
        if equals:
            found.append((name, value))
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]},{word}")
        else:
            raise ValueError(f"{word!r} is no KEY=VALUE, such as juminhyo:copies=2")
    names = [name for name, _ in found]
    if len(set(names)) != len(names):
        raise ValueError("each option of a certificate is given once")
    yield from found


def _copies(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= COPIES_MAX:
        raise ValueError(f"copies is a number from 1 to {COPIES_MAX}")
    return int(text)


def _member(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MEMBERS_MAX:
        raise ValueError(f"members are numbers from 1 to {MEMBERS_MAX}, such as members=1,3")
    return int(text)


def _one(kind: type[_Named], value: str, name: str) -> _Named:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(str(entry.value) for entry in kind)
        raise ValueError(f"{name} is made of {known}") from None
