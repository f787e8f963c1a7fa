"""Schemas and examples as people read them, in Markdown."""

import json
import re
from typing import Any

from tools.asyncapi.schemas import STRUCTURES, Schema

LINE_MAX = 88
"""A list or map that fits a line of so many characters stays on one."""

DIGITS_SHOWN = 32
"""Byte strings with more hexadecimal digits are cut; the document has them whole."""

_HEX = re.compile(r"[0-9a-f]+")
_POWERS = {1 << 53: "2^53", (1 << 32) - 1: "2^32 − 1"}


def readable_json(value: Any) -> str:
    """Return a value as JSON for people: short things on one line, long byte strings cut."""
    return _readable(_cut(value), indent=0, before=0)


def type_cell(schema: Schema) -> str:
    """Return what a value is on the wire, with a link where it is described elsewhere."""
    if "allOf" in schema:
        return type_cell(schema["allOf"][0])
    if "oneOf" in schema:
        return f"{type_cell(schema['oneOf'][0])} or nil"
    if "$ref" in schema:
        return _link(schema["$ref"])
    if schema["type"] == "array":
        return f"array of {type_cell(schema['items'])}"
    return str(schema["x-msgpack"])


def range_cell(schema: Schema) -> str:
    """Return what a value may be, and its default."""
    bounds = _bounds(schema)
    if schema.get("type") == "array":
        each = _bounds(schema["items"])
        bounds += f", each {each}" if each else ""
    if "default" not in schema:
        return bounds
    default = {"[]": "empty", "null": "nil"}.get(
        json.dumps(schema["default"]), f"`{schema['default']}`"
    )
    return f"{bounds}; default {default}" if bounds else f"default {default}"


def care_cell(schema: Schema) -> str:
    """Return ``secret`` or ``personal`` where the specification asks for care."""
    return "**secret**" if "x-secret" in schema else "personal" if "x-personal" in schema else ""


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *([_in_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _readable(value: Any, *, indent: int, before: int) -> str:
    """Lay out a value; ``before`` is how many characters stand before it on its line."""
    flat = json.dumps(value, ensure_ascii=False)
    if before + len(flat) <= LINE_MAX or not isinstance(value, dict | list):
        return flat
    inner, outer, deeper = " " * (indent + 2), " " * indent, indent + 2
    if isinstance(value, list):
        lines = [inner + _readable(item, indent=deeper, before=deeper) for item in value]
        return "[\n" + ",\n".join(lines) + f"\n{outer}]"
    lines = []
    for key, item in value.items():
        name = f"{inner}{json.dumps(key)}: "
        lines.append(name + _readable(item, indent=deeper, before=len(name)))
    return "{\n" + ",\n".join(lines) + f"\n{outer}}}"


def _bounds(schema: Schema) -> str:
    match schema:
        case {"x-bytes-min": least, "x-bytes-max": most}:
            return _counted(least, most, "byte")
        case {"minLength": least, "maxLength": most}:
            return _counted(least, most, "character")
        case {"minItems": least, "maxItems": most}:
            return _counted(least, most, "item")
        case {"minimum": least, "maximum": most}:
            return f"{_number(least)} to {_number(most)}"
    return ""


def _counted(least: int, most: int, thing: str) -> str:
    numbers = _number(most) if least == most else f"{_number(least)} to {_number(most)}"
    return f"{numbers} {thing}" if numbers == "1" else f"{numbers} {thing}s"


def _number(value: int) -> str:
    return _POWERS.get(value, f"{value:,}")


def _link(reference: str) -> str:
    name = reference.rsplit("/", 1)[1]
    if name in STRUCTURES.values():
        return f"[{name}](#structure-{name})"
    return f"[{name}](#reply-codes)" if name == "code" else f"[{name}](#choice-{name})"


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


def _cut(value: Any) -> Any:
    match value:
        case str() if len(value) > DIGITS_SHOWN and _HEX.fullmatch(value):
            return f"{value[:16]}… ({len(value) // 2} bytes)"
        case list():
            return [_cut(item) for item in value]
        case dict():
            return {key: _cut(item) for key, item in value.items()}
    return value
