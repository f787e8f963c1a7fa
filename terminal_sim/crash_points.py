"""Places where a test lets the whole process die: right after a record is durable.

Reached only through the hidden option ``--die-at``; nothing is cleaned up, as in a power cut.
"""

import os
from collections.abc import Callable

from terminal_sim.core import records as r
from terminal_sim.core.records import AnyRecord

DIED = 137

_POINTS: dict[type[object], str] = {
    r.VisitOpened: "visit",
    r.Applied: "applied",
    r.Quoted: "quoted",
    r.CiphertextHeld: "held",
    r.ReleaseAsked: "release-sent",
    r.ReleaseGranted: "released",
    r.SheetStarted: "sheet-{}-before",
    r.SheetLaid: "sheet-{}-after",
    r.Printed: "printed",
    r.PrintFailed: "failed",
    r.Withdrawn: "withdrawn",
    r.ReportTaken: "reported",
    r.SpoolErased: "erased",
    r.DeletionTaken: "settled",
}
POINTS = sorted(point.format("N") for point in _POINTS.values())


def point_of(record: AnyRecord) -> str:
    """Return the name of the place after this record; empty if it has none."""
    return _POINTS.get(type(record), "").format(getattr(record, "sheet", ""))


def dying_at(point: str | None) -> Callable[[AnyRecord], None]:
    """Return what to call after each durable record."""

    def die(record: AnyRecord) -> None:
        if point is not None and point_of(record) == point:
            os._exit(DIED)

    return die
