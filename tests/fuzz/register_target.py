"""What comes from the systems of the registers: lines of an extract and of the change feed."""

import functools
from typing import Any

import msgspec

from issuance_server.adapters.register_file import decoded
from issuance_server.adapters.sqlite.register_writing import put_household, put_record
from issuance_server.core import register_feed as f
from issuance_server.core.register_extract import (
    AnyLine,
    HouseholdLine,
    RecordLine,
    SuppressionLine,
    content_faults,
)
from issuance_server.core.register_extract import Header as ExtractHeader
from issuance_server.core.register_extract import Trailer as ExtractTrailer
from issuance_server.core.register_index import Index, touched
from issuance_server.sample.records import sample_records
from issuance_server.sample.residents import sample_households
from tests.core.changes import beats, change, suppression
from tests.fuzz.target import Target, demand

LINE_BYTES_MAX = 16_384
SMALL_BYTES_MAX = 6_000
SQLITE_INTEGERS = range(-(1 << 63), 1 << 63)

_line: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
_change: msgspec.json.Decoder[f.AnyChange] = msgspec.json.Decoder(f.AnyChange)


def line(data: bytes) -> str:
    """Take a line of an extract: what is sound can be written."""
    try:
        read = decoded(_line.decode, data)
    except ValueError as error:
        demand("\n" not in str(error), "a refusal is one line")
        return "unreadable"
    if isinstance(read, ExtractHeader | ExtractTrailer):
        return "frame"
    if any(content_faults(read)):
        return "broken"
    if isinstance(read, HouseholdLine):
        _writable(put_household(read.household, 1))
    elif isinstance(read, RecordLine):
        _writable(put_record(read.record, 1))
    return "sound"


def feed_change(data: bytes) -> str:
    """Take a change: what is sound is placed, indexed and signed."""
    try:
        read = decoded(_change.decode, data)
    except ValueError:
        return "unreadable"
    if f.change_faults(read):
        return "broken"
    f.is_from_the_future(read, 0)
    demand(len(f.batch_subject((read,))) <= 200, "an act's subject has 200 characters at most")
    touched((read,))
    placed = f.placed((read,), read.sequence - 1)
    demand(isinstance(placed, f.Placed), "it follows the one before")
    return "in conflict" if Index().conflict(read) else "sound"


def _writable(statements: Any) -> None:
    for _, values in statements:
        for value in values:
            fits = not isinstance(value, int) or value in SQLITE_INTEGERS
            demand(fits, "whole numbers fit into the database")


@functools.cache
def line_seeds() -> tuple[bytes, ...]:
    """Return short lines of every sort."""
    households = sample_households()
    counts = {"households": 1, "residents": 5, "records": 0}
    lines: list[Any] = [
        {
            "line": "header",
            "format": "kofu-register-extract/1",
            "city": "272035",
            "as_of": "2026-11-24T21:39:16+09:00",
            "sequence": 0,
            "counts": counts,
        },
        {"line": "trailer", "counts": counts, "sha256": "0" * 64},
        HouseholdLine(household=households[1]),
        SuppressionLine(suppression=suppression("1", households[0].head_id)),
        *(RecordLine(record=record) for record in sample_records().values()),
    ]
    return _short(lines)


@functools.cache
def change_seeds() -> tuple[bytes, ...]:
    """Return short changes of every kind."""
    household = sample_households()[1]
    changes: list[Any] = [
        *beats(1),
        change(f.HouseholdsChanged, 2, put=(household,)),
        change(f.HouseholdsChanged, 3, removed=(household.household_id,)),
        change(f.SuppressionNoted, 4, suppression=suppression("1", household.head_id)),
        change(f.SuppressionEnded, 5, suppression_id="1"),
        *(change(f.RecordPut, 6, record=record) for record in sample_records().values()),
    ]
    return _short(changes)


def _short(lines: list[Any]) -> tuple[bytes, ...]:
    """Return those of the lines that are short, one of each beginning."""
    packed = [msgspec.json.encode(one) for one in lines]
    short = {one[:90]: one for one in packed if len(one) <= SMALL_BYTES_MAX}
    return tuple(list(short.values())[:24])


TARGETS = (
    Target(
        name="extract-line",
        run=line,
        seeds=line_seeds,
        verdicts=frozenset({"unreadable", "frame", "broken", "sound"}),
        input_bytes_max=LINE_BYTES_MAX,
        short_runs=1_500,
    ),
    Target(
        name="feed-change",
        run=feed_change,
        seeds=change_seeds,
        verdicts=frozenset({"unreadable", "broken", "in conflict", "sound"}),
        input_bytes_max=LINE_BYTES_MAX,
        short_runs=1_500,
    ),
)
