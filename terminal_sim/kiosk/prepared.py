"""What was chosen at home, as a code of eight characters: no person in it, and soon over.

The code holds kind, options, copies and the minute in which it was made, and a check against slips
of the finger. It opens nothing: card and PIN are asked for all the same.
"""

import hashlib
from enum import Enum

from protocol.kinds import Item, Kind, Scope
from protocol.limits import COPIES_MAX
from terminal_sim.kiosk.state import Wish

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L, O and U, which are read as something else (the base 32 of D. Crockford)."""
CHARACTERS = 8
VALID_MINUTES = 120

_BITS = 5
_MINUTE_BITS = 13
_CHECK_BITS = 16
_MS_PER_MINUTE = 60_000
_KINDS, _SCOPES, _ITEMS = tuple(Kind), tuple(Scope), tuple(Item)


class Unusable(Enum):
    """Why a code is not taken; the value names the sentence."""

    UNREADABLE = "prepared-unreadable"
    EXPIRED = "prepared-expired"


def code_of(wish: Wish, now_ms: int) -> str:
    """Return the code of a wish; who of a household is meant is chosen at the machine.

    Args:
        wish: what is wanted.
        now_ms: since 1970.
    """
    items = sum(1 << place for place, item in enumerate(_ITEMS) if item in wish.items)
    value = _KINDS.index(wish.kind)
    value = value << 2 | _SCOPES.index(wish.scope)
    value = value << 3 | items
    value = value << 3 | wish.copies
    value = value << _MINUTE_BITS | _minute(now_ms)
    value = value << _CHECK_BITS | _check(value)
    places = range((CHARACTERS - 1) * _BITS, -1, -_BITS)
    return "".join(ALPHABET[value >> place & 31] for place in places)


def wish_of(code: str, now_ms: int) -> Wish | Unusable:
    """Return the wish in a code, or why it is not taken.

    Args:
        code: eight characters of ``ALPHABET``.
        now_ms: since 1970.
    """
    if len(code) != CHARACTERS or not set(code) <= set(ALPHABET):
        return Unusable.UNREADABLE
    value = 0
    for character in code:
        value = value << _BITS | ALPHABET.index(character)
    told, check = value >> _CHECK_BITS, value & (1 << _CHECK_BITS) - 1
    minute, chosen = told & (1 << _MINUTE_BITS) - 1, told >> _MINUTE_BITS
    copies, items, scope, kind = chosen & 7, chosen >> 3 & 7, chosen >> 6 & 3, chosen >> 8
    known = kind < len(_KINDS) and scope < len(_SCOPES) and 1 <= copies <= COPIES_MAX
    if check != _check(told) or not known:
        return Unusable.UNREADABLE
    if (_minute(now_ms) - minute) % (1 << _MINUTE_BITS) > VALID_MINUTES:
        return Unusable.EXPIRED
    return Wish(
        kind=_KINDS[kind],
        scope=_SCOPES[scope],
        items=frozenset(item for place, item in enumerate(_ITEMS) if items >> place & 1),
        copies=copies,
    )


def _minute(now_ms: int) -> int:
    return now_ms // _MS_PER_MINUTE % (1 << _MINUTE_BITS)


def _check(told: int) -> int:
    return int.from_bytes(hashlib.sha256(told.to_bytes(4, "big")).digest()[:2], "big")
