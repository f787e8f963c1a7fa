"""Fields of telegrams as a scenario writes them, made into fields as a trace holds them.

What a scenario leaves out of a telegram that is sent has a value that follows from the rest, such
as the terminal's id; what it leaves out of one that is expected may be anything. Texts that begin
with ``$`` are names: of bytes the same name is the same bytes, of anything else it is a pattern
(``patterns``). ``*`` is anything.
"""

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, get_args

from msgspec import inspect

from protocol.errors import KofuError
from protocol.limits import DIGEST_BYTES, ID_BYTES, TABLES_VERSION
from protocol.secret import Secret
from protocol.shown import Shown, mark_in
from protocol.telegrams import AnyTelegram
from protocol.trace.patterns import anything
from protocol.trace.redaction import MARK
from protocol.trace.toml_places import KeyPath

SOFTWARE = "scenario"
ANYTHING = "*"
NAME_MARK = "$"
HEX_MARK = "hex:"
_REPLY_REF = "in_reply_to"

TELEGRAMS: dict[str, type[AnyTelegram]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(AnyTelegram)
}
"""By the name that stands in the field ``telegram``."""


class FieldFault(KofuError):
    """A field of a scenario cannot be what it is.

    Attributes:
        path: of the field, in the text.
        reason: in words.
    """

    def __init__(self, path: KeyPath, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Whose telegram it is, and which way it goes.

    Attributes:
        terminal: the terminal's id.
        said: whether it is sent; otherwise it is expected.
        numbers: what names of numbers stand for, where the scenario has said it.
    """

    terminal: str
    said: bool
    numbers: Mapping[str, int]


def telegram_type(name: Any, path: KeyPath) -> type[AnyTelegram]:
    """Return the type of a telegram.

    Raises:
        FieldFault: there is none of that name.
    """
    found = TELEGRAMS.get(name) if isinstance(name, str) else None
    if found is None:
        raise FieldFault(path, f"there is no telegram {name!r}{_meant(name, TELEGRAMS)}")
    return found


def fields_of(
    kind: type[AnyTelegram], written: Mapping[str, Any], speech: Speech, path: KeyPath
) -> dict[str, Any]:
    """Return the fields of a telegram for a trace.

    Args:
        kind: which telegram.
        written: its fields as the scenario has them.
        speech: whose it is.
        path: of the telegram, in the text.

    Raises:
        FieldFault: a field is unknown, missing, or out of its range.
    """
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return _struct(info, written, speech, path)


def named_bytes(name: str, length: int) -> bytes:
    """Return the bytes that a name stands for in the trace; they say nothing and never change."""
    return hashlib.shake_128(f"kofu scenario {name}".encode()).digest(length)


def _follows(given: Mapping[str, Any], speech: Speech) -> dict[str, Any]:
    """Return what need not be written, by the name of its field."""
    together = _named_by(given)
    if not speech.said:
        return together
    return together | {
        "terminal": speech.terminal,
        "software": SOFTWARE,
        "tables_version": TABLES_VERSION,
        "attempt": 1,
        "options": {},
        "copies": 1,
        "sheets_unknown": False,
        "cause": "none",
        "at_ms": 0,
        "nonce": 1,
        "counters": {"completed": 0, "reversed": 0, "fees_earned_yen": 0},
        "card_signature": {MARK: Shown.SIGNATURE.value},
        "signature": {MARK: Shown.SIGNATURE.value},
        "pin_block": {MARK: Shown.SEALED.value},
    }


def _named_by(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what belongs together because it is about the same issuance: digest, fee, sheets."""
    issuance = given.get("issuance_id")
    if not isinstance(issuance, str) or not issuance.startswith(NAME_MARK):
        return {}
    return {
        "sealed_digest": f"{issuance} sealed",
        "fee_yen": f"{issuance} fee",
        "amount_yen": f"{issuance} fee",
        "sheets": f"{issuance} sheets",
        "sheets_out": f"{issuance} sheets",
    }


def quoted_numbers(quotation: Mapping[str, Any]) -> dict[str, int]:
    """Return what fee and sheets of an issuance are, where a quotation says it in numbers."""
    names = _named_by(quotation)
    known = {names[field]: quotation.get(field) for field in ("fee_yen", "sheets") if names}
    return {name: value for name, value in known.items() if isinstance(value, int)}


def _struct(
    info: inspect.StructType, given: Mapping[str, Any], speech: Speech, path: KeyPath
) -> dict[str, Any]:
    known = {field.encode_name: field for field in info.fields}
    for name in given:
        if name not in known or name == _REPLY_REF:
            raise FieldFault(
                (*path, name), f"{_title(info)} has no field {name!r}{_meant(name, known)}"
            )
    written = _follows(given, speech) | dict(given)
    made: dict[str, Any] = {}
    for name, field in known.items():
        if name in written:
            made[name] = _value(field.type, written[name], speech, (*path, name))
        elif name == _REPLY_REF:
            continue
        elif not speech.said:
            made[name] = anything()
        elif field.required:
            raise FieldFault(path, f"{_title(info)} needs {name!r}")
    return made


def _value(info: inspect.Type, value: Any, speech: Speech, path: KeyPath) -> Any:
    if value == ANYTHING:
        if speech.said:
            raise FieldFault(path, "what is sent needs a value; '*' is for what is expected")
        return anything()
    if isinstance(value, dict) and MARK in value:
        return value
    match info:
        case inspect.Metadata(extra=extra, type=inner):
            how = mark_in(extra)
            return _value(inner, value, speech, path) if how is None else _hidden(how, value, path)
        case inspect.UnionType(types=types):
            (wanted,) = (one for one in types if not isinstance(one, inspect.NoneType))
            return _value(wanted, value, speech, path)
        case inspect.StructType():
            if not isinstance(value, dict):
                raise FieldFault(path, "a table of fields belongs here")
            return _struct(info, value, speech, path)
        case inspect.VarTupleType(item_type=item):
            if not isinstance(value, list):
                raise FieldFault(path, "an array belongs here")
            return [_value(item, one, speech, (*path, at)) for at, one in enumerate(value)]
        case _:
            return _plain(info, value, speech, path)


def _plain(info: inspect.Type, value: Any, speech: Speech, path: KeyPath) -> Any:
    named = isinstance(value, str) and value.startswith(NAME_MARK)
    if named and not isinstance(info, inspect.BytesType):
        return speech.numbers.get(value, anything(value))
    match info:
        case inspect.BytesType():
            return _bytes(info, value, path)
        case inspect.CustomType(cls=cls) if cls is Secret:
            return {MARK: Shown.SECRET.value}
        case inspect.EnumType(cls=cls):
            return _member(cls, value, path)
        case inspect.IntType(ge=low, le=high):
            whole = isinstance(value, int) and not isinstance(value, bool)
            if (
                not whole
                or (low is not None and value < low)
                or (high is not None and value > high)
            ):
                raise FieldFault(path, f"{value!r} is no number from {low} to {high}")
        case inspect.StrType(min_length=shortest, max_length=longest):
            if not isinstance(value, str) or not (shortest or 0) <= len(value) <= (longest or 200):
                raise FieldFault(
                    path, f"a text of at most {longest or 200} characters belongs here"
                )
        case inspect.BoolType():
            if not isinstance(value, bool):
                raise FieldFault(path, "true or false belongs here")
        case _:
            pass
    return value


def _member(kind: type[Any], value: Any, path: KeyPath) -> Any:
    """Return the value of an enumeration; reply codes have names as well."""
    by_name = issubclass(kind, IntEnum)
    if by_name and isinstance(value, str):
        if value in kind.__members__:
            return kind[value].value
        raise FieldFault(path, f"there is no code {value!r}{_meant(value, kind.__members__)}")
    values = [one.value for one in kind]
    if value not in values:
        shown = "" if by_name else f"; one of {', '.join(map(str, values))} belongs here"
        raise FieldFault(path, f"{value!r} is none of {kind.__name__}{shown}")
    return value


def _bytes(info: inspect.BytesType, value: Any, path: KeyPath) -> bytes:
    length = info.min_length or ID_BYTES
    if isinstance(value, str) and value.startswith(NAME_MARK):
        return named_bytes(value, min(length, DIGEST_BYTES))
    if isinstance(value, str) and value.startswith(HEX_MARK):
        try:
            found = bytes.fromhex(value.removeprefix(HEX_MARK))
        except ValueError:
            found = b""
        if len(found) == length:
            return found
    raise FieldFault(
        path, f"a name such as '$visit' belongs here, or '{HEX_MARK}' and {length} bytes"
    )


def _hidden(how: Shown, value: Any, path: KeyPath) -> Any:
    """Return what stands for a card, a person or a sealed thing; a scenario names it by a word."""
    if not isinstance(value, str):
        raise FieldFault(path, f"a word that names the {how.value} belongs here")
    if how in {Shown.CARD, Shown.PERSON}:
        return {MARK: how.value, "is": value.removeprefix(NAME_MARK)}
    return {MARK: how.value}


def _title(info: inspect.StructType) -> str:
    tag = info.cls.__struct_config__.tag
    return str(tag) if tag else info.cls.__name__


def _meant(name: Any, known: Any) -> str:
    """Return a word that may have been meant."""
    near = difflib.get_close_matches(str(name), map(str, known), n=1)
    return f"; was {near[0]!r} meant?" if near else ""
