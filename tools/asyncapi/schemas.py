"""JSON Schemas of telegrams and of what is in them, from the types that the decoder enforces.

MessagePack has byte strings and JSON has none: in the document and its examples a byte string is
written as lower-case hexadecimal digits. ``x-msgpack`` says what a value is on the wire.
"""

from enum import Enum
from typing import Any, TypeAlias

import msgspec
import msgspec.inspect as ins

from protocol.binding import Binding
from protocol.checkpoint import Checkpoint
from protocol.codes import ReplyCode
from protocol.domicile_telegrams import DomicileState
from protocol.errors import Misuse
from protocol.kinds import Item, Kind, Options, Scope
from protocol.limits import CONTENT_KEY_BYTES
from protocol.requests import REQUESTS
from protocol.secret import Secret
from protocol.telegrams import (
    Counters,
    Member,
    MenuItem,
    NoticeKind,
    RequestRef,
    Telegram,
    Unavailable,
    UnfinishedIssuance,
)
from protocol.terminal_statements import (
    DeletionReport,
    FailureCause,
    PrintOutcome,
    PrintReport,
)
from tools.asyncapi.specification import FieldText, Specification

Schema: TypeAlias = dict[str, Any]

STRUCTURES: dict[type[msgspec.Struct], str] = {
    UnfinishedIssuance: "unfinished",
    MenuItem: "menu-item",
    Unavailable: "unavailable",
    Member: "member",
    Options: "options",
    Binding: "binding",
    PrintReport: "print-report",
    DeletionReport: "deletion-report",
    Counters: "counters",
    Checkpoint: "checkpoint",
    RequestRef: "in_reply_to",
}
"""Structures in telegrams, by their names in SPEC.md §7."""

CHOICES: dict[type[Enum], str] = {
    Kind: "kind",
    Item: "item",
    Scope: "scope",
    PrintOutcome: "outcome",
    FailureCause: "cause",
    NoticeKind: "notice",
    DomicileState: "domicile-state",
    ReplyCode: "code",
}
"""Fields that hold one of several words or numbers, by the names of their types there."""

_UNITS = {"ms": "milliseconds", "yen": "yen", "bytes": "bytes"}
"""Names carry their unit last (``valid_ms``, ``VISIT_MS_MAX``), so it is read from the name."""

_BARE_LIMITS = frozenset({"MAX", "HARD"})


def unit_of(name: str) -> str | None:
    """Return the unit of a numeric field or limit by its name; None if it counts things."""
    words = [word for word in name.split("_") if word not in _BARE_LIMITS]
    return _UNITS.get(words[-1].lower())


def telegram_schema(kind: type[Telegram], text: Specification) -> Schema:
    """Return the schema of the map that is one kind of telegram."""
    name = str(kind.__struct_config__.tag)
    said = text.fields_of_telegram(name)
    known = {field.name: field for field in _fields(kind)}
    answered = known.pop("in_reply_to")
    properties: Schema = {
        "telegram": {
            "const": name,
            "description": "the kind of telegram",
            "type": "string",
            "x-msgpack": "str",
        }
    }
    required = ["telegram"]
    if kind not in REQUESTS:
        # every reply has it (SPEC.md §7), though the class allows for the requests, which do not
        properties[answered.name] = {
            "allOf": [_reference(STRUCTURES[RequestRef])],
            "description": "the copy of the request that is answered",
        }
        required.append(answered.name)
    for field_name, field in known.items():
        properties[field_name] = _field_schema(field, said[field_name])
        if field.required:
            required.append(field_name)
    return {"type": "object", "x-msgpack": "map", "required": required, "properties": properties}


def structure_schema(structure: type[msgspec.Struct], text: Specification) -> Schema:
    """Return the schema of a structure inside telegrams."""
    name = STRUCTURES[structure]
    said = text.fields_of_structure(name)
    fields = _fields(structure)
    parts = {field.name: _field_schema(field, said[field.name]) for field in fields}
    description = text.prose_of_structure(name)
    if structure.__struct_config__.array_like:
        return {
            "type": "array",
            "x-msgpack": "array",
            "description": description,
            "minItems": len(parts),
            "maxItems": len(parts),
            "items": [{"title": field, **schema} for field, schema in parts.items()],
        }
    return {
        "type": "object",
        "x-msgpack": "map",
        "description": description,
        "required": [field.name for field in fields if field.required],
        "properties": parts,
    }


def choice_schema(choice: type[Enum], text: Specification) -> Schema:
    """Return the schema of a field that holds one of several values, each with its meaning."""
    values = [member.value for member in choice]
    if issubclass(choice, ReplyCode):
        meanings = {
            str(code.value): f"`{code.name}`: {text.meaning_of_code(code.value)}" for code in choice
        }
    elif issubclass(choice, Kind):
        meanings = {kind.value: kind.title for kind in choice}
    else:
        meanings = text.meanings_of_choice(CHOICES[choice])
    listed = "\n".join(f"- `{value}` {meaning}".rstrip() for value, meaning in meanings.items())
    is_number = isinstance(values[0], int)
    return {
        "type": "integer" if is_number else "string",
        "x-msgpack": "int" if is_number else "str",
        "description": f"One of:\n\n{listed}",
        "enum": values,
        "x-meanings": meanings,
    }


def bytes_schema(least: int, most: int) -> Schema:
    """Return the schema of a byte string of so many bytes, as hexadecimal digits."""
    return {
        "type": "string",
        "x-msgpack": "bin",
        "contentEncoding": "base16",
        "pattern": "^(?:[0-9a-f]{2})*$",
        "minLength": 2 * least,
        "maxLength": 2 * most,
        "x-bytes-min": least,
        "x-bytes-max": most,
    }


def _fields(structure: type[msgspec.Struct]) -> tuple[ins.Field, ...]:
    found = ins.type_info(structure)
    assert isinstance(found, ins.StructType)
    return found.fields


def _field_schema(field: ins.Field, said: FieldText) -> Schema:
    schema = _type_schema(field.type)
    if "$ref" in schema:
        schema = {"allOf": [schema]}  # beside a reference, nothing else would be read
    schema["description"] = said.meaning
    unit = unit_of(field.name)
    if unit is not None:
        schema["x-unit"] = unit
    if said.care:
        schema[f"x-{said.care}"] = True
    if not field.required:
        schema["default"] = msgspec.to_builtins(field.default)
    return schema


def _type_schema(kind: ins.Type) -> Schema:
    match kind:
        case ins.StructType(cls=structure):
            return _reference(STRUCTURES[structure])
        case ins.EnumType(cls=choice):
            return _reference(CHOICES[choice])
        case ins.VarTupleType(item_type=item, min_length=fewest, max_length=int(most)):
            counts = {"minItems": fewest or 0, "maxItems": most}
            return {"type": "array", "x-msgpack": "array", "items": _type_schema(item), **counts}
        case ins.UnionType(types=(ins.StructType(cls=structure), ins.NoneType())):
            return {"oneOf": [_reference(STRUCTURES[structure]), {"type": "null"}]}
        case ins.UnionType(types=(of_value, ins.NoneType())):
            schema = _scalar_schema(of_value)
            on_the_wire = f"{schema['x-msgpack']} or nil"
            return {**schema, "type": [schema["type"], "null"], "x-msgpack": on_the_wire}
    return _scalar_schema(kind)


def _scalar_schema(kind: ins.Type) -> Schema:
    match kind:
        case ins.Metadata(type=inner):  # says who may see it, which is not for the document
            return _scalar_schema(inner)
        case ins.CustomType(cls=cls) if cls is Secret:
            return {**bytes_schema(CONTENT_KEY_BYTES, CONTENT_KEY_BYTES), "x-secret": True}
        case ins.BytesType(min_length=int(least), max_length=int(most)):
            return bytes_schema(least, most)
        case ins.StrType(min_length=shortest, max_length=int(longest)):
            lengths = {"minLength": shortest or 0, "maxLength": longest}
            return {"type": "string", "x-msgpack": "str", **lengths}
        case ins.IntType(ge=int(lowest), le=highest, lt=above):
            top = above - 1 if above is not None else highest
            return {"type": "integer", "x-msgpack": "int", "minimum": lowest, "maximum": top}
        case ins.BoolType():
            return {"type": "boolean", "x-msgpack": "bool"}
    raise Misuse(f"a telegram has a field without bounds, or of a type with no schema: {kind}")


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
