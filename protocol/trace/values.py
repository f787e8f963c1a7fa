"""Values of a core by their types: what of them stands in a core trace, and back again (TP-135).

Every field that can hold more than a number or a word of a fixed list is decided in a table: it is
shown, or stands there as a pseudonym or a digest, or is left out. A class with a field that nobody
has decided cannot be coded at all.

What is read back holds a *stand-in* in the place of what was hidden: a text or bytes that say which
pseudonym it is. A core that treats it as it treats the original decides the same; what it hands on
is known again when it is coded once more, so that both can be compared.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec

from protocol.errors import Misuse
from protocol.shown import Shown, mark_in
from protocol.trace.hiding import Hider, stand_in
from protocol.trace.redaction import is_hidden

Fields: TypeAlias = dict[str, Any]
Named: TypeAlias = tuple[str, Any]
Fix: TypeAlias = Callable[[Any, Any], Any]
"""Takes a value and what it is as plain values; returns what of it may be shown."""

_TEXTS = (str, bytes, date, datetime, object)


class Mark(Enum):
    """What becomes of a field."""

    SHOWN = "shown"
    CARD = "card"  # a pseudonym
    PERSON = "person"  # a pseudonym
    SIGNATURE = "signature"  # a pseudonym: the same signature is known again
    SEALED = "sealed"  # digest and length
    WORDS = "words"  # what a person wrote: a pseudonym
    ECHO = "echo"  # shown, but where it repeats words of the same step
    BY_KEY = "by-key"  # a map: each value is decided by ``Class.field.key``, or shown
    LEFT_OUT = "left-out"  # the core looks at nothing of it


_OF_TYPES = {
    Shown.SIGNATURE: Mark.SIGNATURE,
    Shown.SEALED: Mark.SEALED,
    Shown.CARD: Mark.CARD,
    Shown.PERSON: Mark.PERSON,
    Shown.SECRET: Mark.LEFT_OUT,
}


class Values:
    """Codes the values of one core."""

    def __init__(
        self, classes: Iterable[type], marks: Mapping[str, Mark], hider: Hider | None = None
    ) -> None:
        """Prepare for some classes and whatever stands in their fields.

        Args:
            classes: of the inputs, facts, effects and settings, to be found by name.
            marks: what becomes of a field: by ``Class.field``, or else by ``field``.
            hider: makes pseudonyms; None: what is coded was read from a trace before.

        Raises:
            Misuse: somebody has to decide what becomes of a field.
        """
        self._marks = marks
        self._hider = hider or Hider(None)
        self._hints: dict[type, dict[str, Any]] = {}
        self._fixes: dict[type, Fix | None] = {}
        self._names = {one.__name__: one for one in classes}
        for one in self._names.values():
            self._fix_of(one)

    def begin_step(self) -> None:
        """Forget the words of the step before."""
        self._hider.words.clear()

    def fields(self, value: object) -> Fields:
        """Return the fields of a value as plain values, without what may not be shown."""
        plain: Fields = msgspec.to_builtins(value, builtin_types=(bytes,), enc_hook=_secret)
        fix = self._fixes[type(value)]
        return plain if fix is None else fix(value, plain)

    def named(self, value: object) -> Named:
        """Return the name of a value's class, and its fields."""
        return type(value).__name__, self.fields(value)

    def value(self, name: str, fields: Any) -> Any:
        """Return the value that a trace tells of, with stand-ins for what was hidden.

        Raises:
            ValueError: there is no such class, or these are not its fields.
        """
        kind = self._names.get(name)
        if kind is None:
            raise ValueError(f"this version knows no {name}")
        try:
            return self._read(kind, fields)
        except (TypeError, KeyError, AttributeError, IndexError) as error:
            raise ValueError(f"{name} does not fit its table: {error}") from None

    def decided(self) -> dict[str, Mark]:
        """Return what becomes of every field that had to be decided; for a test."""
        return {
            f"{kind.__name__}.{name}": mark
            for kind, hints in self._hints.items()
            for name, hint in hints.items()
            if (mark := self._mark(kind, name, hint)) is not None
        }

    # What may be shown of a value.

    def _fix_of(self, kind: type) -> Fix | None:
        """Return what to do with the fields of a class; None: nothing."""
        if kind in self._fixes:
            return self._fixes[kind]
        hints = self._hints[kind] = _hints(kind)
        fixes: dict[str, Fix] = {}
        left_out: list[str] = []
        for name, hint in hints.items():
            mark = self._mark(kind, name, hint)
            if mark is Mark.LEFT_OUT:
                left_out.append(name)
            elif mark is Mark.BY_KEY:
                fixes[name] = self._by_key(f"{kind.__name__}.{name}")
            elif mark is not None and mark is not Mark.SHOWN:
                fixes[name] = self._hiding(mark)
            elif (fix := self._fix(hint)) is not None:
                fixes[name] = fix
        fix = None
        if fixes or left_out:
            fix = _in_list(list(hints), fixes) if _is_list(kind) else _in_map(fixes, left_out)
        self._fixes[kind] = fix
        return fix

    def _mark(self, kind: type, name: str, hint: Any) -> Mark | None:
        """Return what becomes of a field; None: only what stands in it has fields to decide.

        Raises:
            Misuse: nobody has decided.
        """
        here = self._marks.get(f"{kind.__name__}.{name}")
        if here is not None:
            return here
        of_type = _type_mark(hint)
        if of_type is not None:
            return _OF_TYPES[of_type]
        if not any(leaf in _TEXTS for leaf in _leaves(hint)):
            return None
        if issubclass(kind, msgspec.Struct) and _is_telegram(kind):
            return Mark.SHOWN  # its types say what is not (SPEC.md §7)
        if name not in self._marks:
            raise Misuse(f"nobody has decided whether a trace shows {kind.__name__}.{name}")
        return self._marks[name]

    def _hiding(self, mark: Mark) -> Fix:
        hide = self._hider.hide

        def fix(_value: Any, plain: Any) -> Any:
            if isinstance(plain, list | tuple):
                return [hide(mark.value, one) for one in plain]
            return hide(mark.value, plain)

        return fix

    def _by_key(self, path: str) -> Fix:
        hide, marks = self._hider.hide, self._marks
        start = f"{path}."
        hidden = {key.removeprefix(start): one for key, one in marks.items() if start in key}

        def fix(_value: Any, plain: Any) -> Any:
            return {
                key: hide(hidden[key].value, one) if key in hidden else one
                for key, one in plain.items()
            }

        return fix

    def _fix(self, hint: Any) -> Fix | None:
        """Return what to do with a value of a type that is no text."""
        origin = get_origin(hint)
        if origin is Annotated:
            return self._fix(get_args(hint)[0])
        if origin in {Union, UnionType}:
            return self._of_union(_members(hint))
        if origin is frozenset:
            return lambda _value, plain: sorted(plain)
        if origin is tuple:
            inner = self._fix(get_args(hint)[0])
            return None if inner is None else _each(inner)
        if isinstance(hint, type) and _has_fields(hint):
            return self._fix_of(hint)
        return None

    def _of_union(self, members: list[Any]) -> Fix | None:
        if len(members) == 1:
            inner = self._fix(members[0])
            return None if inner is None else _unless_none(inner)
        kinds = [one for one in members if isinstance(one, type) and _has_fields(one)]
        fixes = {one: self._fix_of(one) for one in kinds}
        if _is_named(members):
            return _naming(fixes)
        return _unless_none(_one_of(fixes)) if any(fixes.values()) else None

    # From a trace back to values.

    def _read(self, hint: Any, plain: Any) -> Any:
        if plain is None:
            return None
        origin = get_origin(hint)
        if origin is Annotated:
            return self._read(get_args(hint)[0], plain)
        if is_hidden(plain):
            return stand_in(plain, as_bytes=bytes in _leaves(hint))
        if origin in {Union, UnionType}:
            return self._read_one_of(_members(hint), plain)
        if origin is tuple:
            kinds = get_args(hint)
            inner = [kinds[0]] * len(plain) if kinds[-1] is Ellipsis else kinds
            return tuple(self._read(one, item) for one, item in zip(inner, plain, strict=True))
        if origin is frozenset:
            return frozenset(self._read(get_args(hint)[0], one) for one in plain)
        if origin is not None:
            key_kind, kind = get_args(hint)
            return {self._read(key_kind, key): self._read(kind, one) for key, one in plain.items()}
        return self._read_plain(hint, plain)

    def _read_plain(self, kind: Any, plain: Any) -> Any:
        if not isinstance(kind, type) or kind is object:
            return plain
        if _has_fields(kind):
            return self._read_fields(kind, plain)
        if issubclass(kind, Enum):
            return kind(plain)
        if issubclass(kind, date):
            return kind.fromisoformat(plain)
        return plain

    def _read_one_of(self, members: list[Any], plain: Any) -> Any:
        if len(members) == 1:
            return self._read(members[0], plain)
        if _is_named(members):
            name, plain = plain
            kind = next(one for one in members if one.__name__ == name)
            return self._read(kind, plain)
        for one in members:
            config = one.__struct_config__
            if plain.get(config.tag_field) == config.tag:
                return self._read(one, plain)
        raise KeyError("this version knows no such kind of record or telegram")

    def _read_fields(self, kind: Any, plain: Any) -> Any:
        hints = self._hints.get(kind) or _hints(kind)
        if _is_list(kind):
            read = dict(zip(hints, plain, strict=False))
        else:
            read = {name: plain[name] for name in hints if name in plain}
        fields = {name: self._read(hints[name], one) for name, one in read.items()}
        for name in hints.keys() - fields.keys() - _optional(kind):
            if self._mark(kind, name, hints[name]) is not Mark.LEFT_OUT:
                raise KeyError(f"{kind.__name__}.{name} is missing")
            fields[name] = None
        return kind(**fields)


def _in_map(fixes: dict[str, Fix], left_out: list[str]) -> Fix:
    def fix(value: Any, plain: Any) -> Any:
        for name, one in fixes.items():
            if name in plain:  # a telegram says nothing of what is as usual
                plain[name] = one(getattr(value, name), plain[name])
        for name in left_out:
            plain.pop(name, None)
        return plain

    return fix


def _in_list(names: list[str], fixes: dict[str, Fix]) -> Fix:
    def fix(value: Any, plain: Any) -> Any:
        return [
            fixes[name](getattr(value, name), one) if name in fixes else one
            for name, one in zip(names, plain, strict=True)
        ]

    return fix


def _each(inner: Fix) -> Fix:
    return lambda values, plain: [
        inner(value, one) for value, one in zip(values, plain, strict=True)
    ]


def _unless_none(inner: Fix) -> Fix:
    return lambda value, plain: None if value is None else inner(value, plain)


def _one_of(fixes: dict[type, Fix | None]) -> Fix:
    def fix(value: Any, plain: Any) -> Any:
        inner = fixes[type(value)]
        return plain if inner is None else inner(value, plain)

    return fix


def _naming(fixes: dict[type, Fix | None]) -> Fix:
    def fix(value: Any, plain: Any) -> Any:
        if value is None:
            return None
        inner = fixes.get(type(value))
        return [type(value).__name__, plain if inner is None else inner(value, plain)]

    return fix


def _has_fields(kind: type) -> bool:
    struct = issubclass(kind, msgspec.Struct) or hasattr(kind, "_fields")
    return struct or dataclasses.is_dataclass(kind)


def _is_list(kind: Any) -> bool:
    """Tell whether the fields of a class are written without their names."""
    if issubclass(kind, msgspec.Struct):
        return bool(kind.__struct_config__.array_like)
    return hasattr(kind, "_fields")


def _is_named(members: list[Any]) -> bool:
    """Tell whether the members of a union do not say themselves which they are."""
    return not all(
        isinstance(one, type)
        and issubclass(one, msgspec.Struct)
        and one.__struct_config__.tag is not None
        for one in members
    )


def _is_telegram(kind: type) -> bool:
    return kind.__module__.startswith("protocol.")


def _members(hint: Any) -> list[Any]:
    return [one for one in get_args(hint) if one is not NoneType]


def _hints(kind: type) -> dict[str, Any]:
    return {
        name: hint
        for name, hint in get_type_hints(kind, include_extras=True).items()
        if get_origin(hint) is not ClassVar and not name.startswith("_")
    }


def _leaves(hint: Any) -> list[Any]:
    """Return the types that a type is made of; of a class with fields, only the class."""
    if get_origin(hint) is None:
        return [hint]
    metas = 1 if get_origin(hint) is Annotated else None
    return [leaf for one in get_args(hint)[:metas] for leaf in _leaves(one)]


def _type_mark(hint: Any) -> Shown | None:
    """Return what a type is marked with, wherever in it."""
    if get_origin(hint) is Annotated:
        for meta in get_args(hint)[1:]:
            if isinstance(meta, msgspec.Meta) and (found := mark_in(meta.extra)) is not None:
                return found
    marks = (_type_mark(one) for one in get_args(hint) if get_origin(hint) is not None)
    return next((one for one in marks if one is not None), None)


def _optional(kind: Any) -> set[str]:
    """Return the fields that have a default."""
    if dataclasses.is_dataclass(kind):
        nothing = dataclasses.MISSING
        return {
            one.name
            for one in dataclasses.fields(kind)
            if not (one.default is nothing and one.default_factory is nothing)
        }
    if issubclass(kind, msgspec.Struct):
        return {one.name for one in msgspec.structs.fields(kind) if not one.required}
    return set(kind._field_defaults)


def _secret(_value: Any) -> Any:
    """Pass over a secret; its field is left out."""
    return None
