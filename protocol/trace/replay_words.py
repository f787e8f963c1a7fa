"""What came of a replay, in words; for the programs of both sides."""

from collections.abc import Iterator

from protocol.trace.comparing import ABSENT
from protocol.trace.replaying import Deviation, Played
from protocol.trace.wording import value_wording, wording

FIELDS_SHOWN_MAX = 40


def outcome_lines(played: Played) -> Iterator[str]:
    """Give the lines that tell how a replay ended."""
    if played.deviation is not None:
        yield from _deviation_lines(played.deviation)
    if played.missed_at is not None:
        yield (
            f"entry {played.missed_at}: the recorder left something out here; nothing after it can"
            " be played"
        )
    yield f"{played.steps} steps decided the same"


def _deviation_lines(deviation: Deviation) -> Iterator[str]:
    for number, step in deviation.before:
        yield f"{number:>7}  {wording(step)}"
    step = deviation.step
    yield f"entry {deviation.entry} is decided otherwise:"
    yield f"{deviation.entry:>7}  {wording(step)}"
    if deviation.failure:
        yield f"  recorded: {', '.join(name for name, _ in step.effects) or 'nothing'}"
        yield f"  now:      {deviation.failure}"
    for one in deviation.found[:FIELDS_SHOWN_MAX]:
        yield f"  {one.path}"
        yield f"    recorded: {_shown(one.left)}"
        yield f"    now:      {_shown(one.right)}"
    if len(deviation.found) > FIELDS_SHOWN_MAX:
        yield f"  and {len(deviation.found) - FIELDS_SHOWN_MAX} more fields"


def _shown(value: object) -> str:
    """Return a value as it is told; bytes in full, for their beginning may be the same."""
    if value == ABSENT:
        return "nothing"
    return value.hex() if isinstance(value, bytes) else value_wording(value)
