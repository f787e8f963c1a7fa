"""What came of a replay: in words for people, as plain values, and as a trace to be kept."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from protocol.trace import plain
from protocol.trace.comparing import ABSENT
from protocol.trace.entries import MINOR, Ended, Header, Known, Recorder, Said, Unknown
from protocol.trace.patterns import is_pattern, name_of, patterns_kept
from protocol.trace.wording import reply_code_name, value_wording
from terminal_sim.replay.playing import Mismatch, Played
from terminal_sim.replay.script import Script, kind_of

MISMATCHES_SHOWN_MAX = 20
_NO_FIELD = frozenset({"telegram", "in_reply_to"})


def words_of(name: str, played: Played) -> Iterator[str]:
    """Give lines that say what came of a replay.

    Args:
        name: of the trace.
        played: what came of it.
    """
    count = len(played.mismatches)
    differ = "1 answer differs" if count == 1 else f"{count} answers differ"
    verdict = "as recorded" if played.as_recorded else differ
    yield f"{name}: {played.done} of {played.telegrams} telegrams, {verdict} ({played.took_ms} ms)"
    for mismatch in played.mismatches[:MISMATCHES_SHOWN_MAX]:
        yield from mismatch_words(mismatch)
    if count > MISMATCHES_SHOWN_MAX:
        yield f"and {count - MISMATCHES_SHOWN_MAX} more"
    for note in played.notes:
        yield f"  note: {note}"


def mismatch_words(mismatch: Mismatch) -> Iterator[str]:
    """Give the expected telegram, the actual one, and what differs, field by field."""
    yield f"  telegram {mismatch.place}, to {mismatch.terminal}:"
    yield f"    expected  {telegram_words(mismatch.expected)}"
    yield f"    actual    {telegram_words(mismatch.actual)}"
    for difference in mismatch.differences:
        path = difference.path or "the whole"
        left, right = (_value_words(path, side) for side in (difference.left, difference.right))
        yield f"      {path}: expected {left}, was {right}"


def telegram_words(telegram: Mapping[str, Any] | None) -> str:
    """Return a telegram as one line."""
    if telegram is None:
        return "nothing"
    fields = (
        f"{name}={_value_words(name, value)}"
        for name, value in telegram.items()
        if name not in _NO_FIELD
    )
    return " ".join([kind_of(dict(telegram)), *fields])


def plain_report(name: str, played: Played) -> dict[str, Any]:
    """Return what came of a replay as plain values for JSON; bytes are hexadecimal digits."""
    report = {
        "trace": name,
        "as_recorded": played.as_recorded,
        "telegrams": played.telegrams,
        "done": played.done,
        "took_ms": played.took_ms,
        "notes": played.notes,
        "mismatches": [
            {
                "place": one.place,
                "terminal": one.terminal,
                "expected": one.expected,
                "actual": one.actual,
                "differences": [
                    {"path": d.path, "expected": d.left, "actual": d.right} for d in one.differences
                ],
            }
            for one in played.mismatches
        ],
    }
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(_hexed(report)))
    return made


def as_it_was(script: Script, played: Played, *, keep_patterns: bool) -> list[Known]:
    """Return the entries of a trace that holds what was really said, in the words of the trace.

    Telegrams to which nothing came, or that were not sent, are left out.

    Args:
        script: what was played.
        played: what came of it.
        keep_patterns: whether what stands for other values in the trace stays there.
    """
    made: list[Known] = []
    place = 0
    first_said: dict[bytes, dict[str, Any]] = {}
    for entry in script.entries:
        match entry:
            case Header():
                made.append(msgspec.structs.replace(entry, minor=MINOR, recorder=Recorder.TERMINAL))
            case Said():
                place += 1
                telegram = played.said.get(place) or first_said.get(entry.digest)
                if telegram is not None:
                    first_said[entry.digest] = telegram
                    if keep_patterns:
                        telegram = patterns_kept(entry.telegram, telegram)
                    made.append(msgspec.structs.replace(entry, telegram=telegram))
            case Unknown():
                pass
            case Ended():
                made.append(msgspec.structs.replace(entry, entries=len(made)))
            case _:
                made.append(entry)
    return made


def lines_of(entries: list[Known]) -> str:
    """Return a trace as lines of JSON."""
    return "".join(f"{plain.to_line(entry)}\n" for entry in entries)


def _value_words(name: str, value: Any) -> str:
    if value == ABSENT:
        return ABSENT
    if is_pattern(value):
        named = name_of(value)
        return "anything" if named is None else f"<{named}>"
    if name == "code" or name.endswith(".code"):
        return reply_code_name(value)
    return str(value_wording(value))


def _hexed(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {str(name): _hexed(one) for name, one in value.items()}
        case list() | tuple():
            return [_hexed(one) for one in value]
        case _:
            return value
