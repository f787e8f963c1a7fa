"""Says where ``tables.toml`` does not fit its schema, as an editor of the file would say it.

The reader's own text counts lines from 0, does not say what a line is about, and names types of a
programming language. Here a line has its place and meaning as in all other faults of the file, and
the text says what may stand there.
"""

import datetime as dt
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec

from issuance_server.core.tables import lines as f
from issuance_server.core.tables.fees import Channel
from issuance_server.core.terminal_place import TerminalClass
from protocol.kinds import Kind

_PLACE = re.compile(r" - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+)\]|(?P<any>\[\.\.\.\])")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`$")
_VALUE = re.compile(r"Invalid enum value (?P<value>.*)$", re.DOTALL)
_TYPE = re.compile(r"Expected `(?P<wanted>\w+)(?: \| null)?`, got `(?P<found>\w+)`$")

_LINES: Mapping[str, type[f.Line]] = {
    "hours": f.Hours,
    "yearly_closures": f.YearlyClosureLine,
    "inspection_days": f.InspectionDayLine,
    "maintenance": f.MaintenanceLine,
    "fees": f.Fees,
    "campaigns": f.CampaignOfFees,
    "chains": f.Chain,
    "commissions": f.Commission,
}
_WORDS: Mapping[str, type[Enum]] = {"class": TerminalClass, "channel": Channel}
_TYPES = {
    "int": "a whole number",
    "float": "a number with a fraction",
    "str": "a text",
    "date": "a day",
    "datetime": "a day and time",
    "array": "a list",
    "object": "a table",
    "bool": "true or false",
}
_DAY = "a day without quotation marks, such as 2027-04-01"
_MOMENT = "a day and time without quotation marks and zone, such as 2026-10-04T17:30:00"
_FORMS = _TYPES | {"date": _DAY, "datetime": _MOMENT}
_HOURS = 'hours such as "06:30-23:00", or "closed"'
_MONTH_DAY = 'a month and a day such as "12-29"'
_YEN = f"whole yen from 0 to {f.YEN_MAX}"
_EXPECTED = {
    "yen": _YEN,
    "holidays": _HOURS,
    "daily": _HOURS,
    "weekdays": _HOURS,
    "weekend": _HOURS,
    "monday": _HOURS,
    "tuesday": _HOURS,
    "wednesday": _HOURS,
    "thursday": _HOURS,
    "friday": _HOURS,
    "saturday": _HOURS,
    "sunday": _HOURS,
    "first": _MONTH_DAY,
    "last": _MONTH_DAY,
    "kinds": 'a list of kinds, each once, such as ["juminhyo"]',
    "chain": f"a name of 1 to {f.CHAIN_CHARACTERS_MAX} characters",
    "chains": f"a list of names of 1 to {f.CHAIN_CHARACTERS_MAX} characters",
}


def misfit(error: msgspec.ValidationError, content: bytes) -> str:
    """Say what does not fit, with the line's place and meaning, and the way out.

    Args:
        error: what the reader found.
        content: the file, which is TOML.
    """
    text = str(error)
    found = _PLACE.search(text)
    what = text[: found.start()] if found else text
    steps = [one.group("name", "index") for one in _STEP.finditer(found["path"] if found else "")]
    names = [name for name, _ in steps if name]
    if not names:
        return f"the file {_fault(what, '', '')}"
    table = names[0]
    at = int(steps[1][1]) if len(steps) > 1 and steps[1][1] else None
    line = {} if at is None else _line(content, table, at)
    key = names[1] if len(names) > 1 else ""
    name = table if at is None else f"{table}[{at + 1}]{_meaning(line)}"
    return f"{name} {_fault(what, table, key, _wrong_fee(line) if key == 'yen' else '')}"


def _fault(what: str, table: str, key: str, of: str = "") -> str:
    """Say it of one place."""
    if one := _UNKNOWN.match(what):
        return f"has an unknown field `{one['name']}`; {_fields(table)}"
    if one := _MISSING.match(what):
        way = "write it into the line" if table else f"add [[{one['name']}]]"
        return f"is missing the required field `{one['name']}`; {way}"
    if one := _VALUE.match(what):
        words = [word.value for word in _WORDS.get(key, Kind)]
        return f"says {one['value']} in `{key}`; there are {', '.join(words)}"
    one = _TYPE.match(what)
    if not key and not one:
        return f"has no line; add one of [[{table}]]"
    wanted = _wanted(table, key, one["wanted"] if one else "")
    if not key:
        return f"is {_TYPES.get(one['found'], one['found']) if one else ''}; write {wanted}"
    stands = _TYPES.get(one["found"], one["found"]) if one else "something that cannot be meant"
    return f"has {stands} in `{key}`{of}; write {wanted}"


def _wanted(table: str, key: str, reader_type: str) -> str:
    """Say what may stand in a place."""
    if not key:
        if table in _LINES:
            return f"each line under [[{table}]]"
        return _FORMS.get(reader_type, reader_type)
    if key in {"from", "until"}:
        return _MOMENT if table == "maintenance" else _DAY
    return _EXPECTED.get(key) or _FORMS.get(reader_type, reader_type)


def _wrong_fee(line: Mapping[str, Any]) -> str:
    """Name the kind whose fee is wrong, which the reader does not tell."""
    yen = line.get("yen")
    for kind, fee in yen.items() if isinstance(yen, dict) else ():
        if type(fee) is not int or not 0 <= fee <= f.YEN_MAX:
            return f" of {kind}"
    return ""


def _fields(table: str) -> str:
    names = msgspec.structs.fields(_LINES.get(table, f.TablesFile))
    known = ", ".join(one.encode_name for one in names)
    if not table:
        return f"what stands outside of all lines, or begins one, is {known}"
    return f"a line of [[{table}]] can have {known}"


def _meaning(line: Mapping[str, Any]) -> str:
    """Say what a line is about, as far as that can be read."""
    of = line.get("chain") or line.get("class") or line.get("channel")
    listed = line.get("kinds") or line.get("yen")
    kinds = ", ".join(map(str, listed)) if isinstance(listed, list | dict) else ""
    about = ": ".join(str(one) for one in (of, kinds) if one)
    since = line.get("from")
    days = f"from {since}" if isinstance(since, dt.date) else ""
    meant = ", ".join(one for one in (about, days) if one)
    return f" ({meant})" if meant else ""


def _line(content: bytes, table: str, at: int) -> dict[str, Any]:
    whole = msgspec.toml.decode(content)
    lines = whole.get(table, []) if isinstance(whole, dict) else []
    line = lines[at] if isinstance(lines, list) and at < len(lines) else {}
    return line if isinstance(line, dict) else {}
