"""Entries of a trace as lines for people."""

from collections.abc import Mapping
from typing import Any

from protocol.codes import ReplyCode
from protocol.trace.conversation import Told
from protocol.trace.entries import (
    Ended,
    Entry,
    Happened,
    Header,
    Missed,
    Said,
    Stepped,
    TraceKind,
    Unknown,
    Way,
)
from protocol.trace.redaction import MARK

SHORT_HEX = 8
TEXT_CHARACTERS_MAX = 60

_ARROWS = {Way.UP: "──▶", Way.DOWN: "◀──"}
_LEFT_OUT = {"telegram", "in_reply_to", "issuance_id"}


def wording(entry: Entry, told: Told | None = None) -> str:
    """Return one line about an entry.

    Args:
        entry: what happened.
        told: of a telegram, what is known about it from those before.
    """
    match entry:
        case Header():
            return _header(entry)
        case Said():
            return _said(entry, told)
        case Happened():
            whose = entry.terminal or "-"
            keys = "" if entry.generation is None else f" keys {entry.generation:08x}"
            reason = f" ({entry.reason})" if entry.reason else ""
            return f"{clock(entry.at_ms)}  {whose:<12} ···  line {entry.word.value}{keys}{reason}"
        case Stepped():
            given, fields = entry.given
            asked = fields.get("telegram") if isinstance(fields, Mapping) else None
            if isinstance(asked, Mapping):
                given = f"{given} {asked.get('telegram', '?')}"
            made = ", ".join(name for name, _ in entry.effects) or "nothing"
            return f"{clock(entry.at_ms)}  {given} {_fields(fields)} → {made}"
        case Missed():
            return f"{clock(entry.at_ms)}  the recorder left out {entry.count} entries here"
        case Ended():
            follows = "; another part follows" if entry.continued else ""
            return f"{clock(entry.at_ms)}  end after {entry.entries} entries{follows}"
        case Unknown():
            return f"              an entry of a later version: {entry.entry}"


def clock(at_ms: int) -> str:
    """Return a time since the beginning as hours, minutes, seconds and milliseconds."""
    seconds, ms = divmod(at_ms, 1_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}:{minute:02}:{second:02}.{ms:03}"


def value_wording(value: Any) -> str:
    """Return a value of a telegram, short enough for a line."""
    match value:
        case {"~": hidden, **rest}:
            detail = rest.get("is") or (f"{rest['bytes']} bytes" if "bytes" in rest else "")
            return f"<{hidden}{' ' if detail else ''}{detail}>"
        case bytes():
            digits = value.hex()
            return digits if len(digits) <= SHORT_HEX else f"{digits[:SHORT_HEX]}…"
        case Mapping():
            return "{" + _fields(value) + "}"
        case list() | tuple():
            shown = ", ".join(map(value_wording, value))
            return f"[{shown}]" if len(shown) <= TEXT_CHARACTERS_MAX else f"[{len(value)} of them]"
        case str():
            return value if len(value) <= TEXT_CHARACTERS_MAX else value[:TEXT_CHARACTERS_MAX] + "…"
        case _:
            return str(value)


def _header(header: Header) -> str:
    about = "telegrams" if header.kind is TraceKind.TELEGRAMS else "a core"
    note = f": {header.note}" if header.note else ""
    return (
        f"a trace of {about} by the {header.recorder.value} of city {header.city}"
        f" ({header.software}), part {header.part}{note}"
    )


def _said(said: Said, told: Told | None) -> str:
    issuance = told.issuance if told is not None else None
    words = [
        clock(said.at_ms),
        f" {said.terminal:<12}",
        _ARROWS[said.way],
        str(said.telegram.get("telegram", "?")),
    ]
    if issuance is not None:
        words.append(f"#{issuance.hex()[:SHORT_HEX]}")
    if shown := _fields(said.telegram):
        words.append(shown)
    if told is not None and told.repeats:
        words.append(f"(copy {told.repeats + 1})")
    if told is not None and told.waited_ms is not None:
        words.append(f"[{told.waited_ms} ms]")
    return " ".join(words)


def _fields(fields: Any) -> str:
    if not isinstance(fields, Mapping):
        return value_wording(fields)
    if MARK in fields:
        return value_wording(fields)
    return " ".join(
        f"{name}={reply_code_name(value) if name == 'code' else value_wording(value)}"
        for name, value in fields.items()
        if name not in _LEFT_OUT
    )


def reply_code_name(value: Any) -> str:
    """Return the name of a reply code, or the number that has none."""
    try:
        return ReplyCode(value).name
    except ValueError:
        return str(value)
