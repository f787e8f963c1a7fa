"""Strategies for any telegram that the tables allow, read off the field types themselves."""

import types
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from protocol.limits import CONTENT_KEY_BYTES, PIECE_BYTES
from protocol.secret import Secret
from protocol.telegrams import AnyTelegram

COUNT_MAX = 1 << 53
TEXT_CHARACTERS_MAX = 300
LONG_BYTES = 2_000
"""Longer byte strings are all one byte: what is in them is not the point."""

KINDS: tuple[type[AnyTelegram], ...] = get_args(AnyTelegram)


def telegrams() -> st.SearchStrategy[AnyTelegram]:
    """Return a strategy for telegrams of every kind."""
    return st.one_of([telegrams_of(kind) for kind in KINDS])


def telegrams_of(kind: type[AnyTelegram]) -> st.SearchStrategy[AnyTelegram]:
    """Return a strategy for telegrams of one kind, with every field in all of its range."""
    return _structs(kind)


def structs_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for any other structure of the tables."""
    return _structs(kind)


def _structs(kind: type[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind, include_extras=True)
    fields = {field: _values(hints[field], msgspec.Meta()) for field in kind.__struct_fields__}
    return st.builds(kind, **fields)


def _values(hint: Any, meta: msgspec.Meta) -> st.SearchStrategy[Any]:
    """Return a strategy for the values of a type within the bounds that were said around it."""
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *said = get_args(hint)
        return _values(inner, next(one for one in said if isinstance(one, msgspec.Meta)))
    if origin in (Union, types.UnionType):
        return st.one_of([_values(choice, meta) for choice in get_args(hint)])
    if origin is tuple:
        return _tuples(get_args(hint)[0], meta)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _structs(hint)
    return _plain(hint, meta)


def _tuples(item: Any, meta: msgspec.Meta) -> st.SearchStrategy[Any]:
    longest = meta.max_length if meta.max_length is not None else 5
    return st.lists(
        _values(item, msgspec.Meta()), min_size=meta.min_length or 0, max_size=longest
    ).map(tuple)


def _plain(hint: Any, meta: msgspec.Meta) -> st.SearchStrategy[Any]:
    shortest = meta.min_length or 0
    if hint is types.NoneType or hint is None:
        return st.none()
    if hint is bool:
        return st.booleans()
    if hint is int:
        low = int(meta.ge) if meta.ge is not None else 0
        high = int(meta.le) if meta.le is not None else COUNT_MAX
        return st.integers(low, int(meta.lt) - 1 if meta.lt is not None else high)
    if hint is str:
        return st.text(min_size=shortest, max_size=meta.max_length or TEXT_CHARACTERS_MAX)
    if hint is bytes:
        return _octets(shortest, meta.max_length or PIECE_BYTES)
    if hint is Secret:
        return st.binary(min_size=CONTENT_KEY_BYTES, max_size=CONTENT_KEY_BYTES).map(Secret)
    raise TypeError(f"no strategy for {hint}")


def _octets(shortest: int, longest: int) -> st.SearchStrategy[bytes]:
    random = st.binary(min_size=shortest, max_size=min(longest, LONG_BYTES))
    if longest <= LONG_BYTES:
        return random
    return random | st.integers(LONG_BYTES, longest).map(lambda length: b"\xa5" * length)
