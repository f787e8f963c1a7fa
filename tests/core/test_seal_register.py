"""The seal register: sizes within the rule, whole pictures, nothing shown by accident."""

from datetime import date
from typing import Any

import pytest

from issuance_server.core.register import RegisterDate
from issuance_server.core.seal_register import SealImpression, SealRegistration

DOTS_PER_MM = 600 / 25.4


def impression(width: int, height: int, rows: bytes | None = None) -> SealImpression:
    """Return an impression that is all ink, unless its rows are given."""
    row_bytes = (width + 7) // 8
    ink = b"\xff" * (row_bytes * height)
    return SealImpression(width_dots=width, height_dots=height, rows=ink if rows is None else rows)


def registration(**changes: Any) -> SealRegistration:
    """Return a registration without a fault, or with changes."""
    usual = {
        "resident_id": "10000017",
        "number": "00000001",
        "registered_on": RegisterDate(text="平成27年10月12日", on=date(2015, 10, 12)),
        "impression": impression(300, 300),
    }
    return SealRegistration(**(usual | changes))


def test_a_sound_registration() -> None:
    """Its size is known in mm: 300 dots at 600 dpi are half an inch."""
    assert () == registration().faults()
    assert 12.7 == registration().impression.width_mm


@pytest.mark.parametrize(
    ("side_mm", "fits"), [(7.9, False), (8.0, False), (8.1, True), (24.9, True), (25.1, False)]
)
def test_sides_are_over_8_and_up_to_25_mm(side_mm: float, fits: bool) -> None:
    """A side within 8 mm is refused, as is one beyond 25 mm; each side counts."""
    side = int(side_mm * DOTS_PER_MM)
    for width, height in ((side, 300), (300, side)):
        found = registration(impression=impression(width, height)).faults()
        assert fits == (found == ())
        assert {"印影の大きさ"} >= {fault.item for fault in found}


@pytest.mark.parametrize(
    ("changes", "reason", "item"),
    [
        ({"number": ""}, "record-incomplete", "印鑑登録番号"),
        ({"registered_on": RegisterDate(text="")}, "record-incomplete", "登録年月日"),
        ({"impression": impression(300, 300, b"\xff")}, "record-incomplete", "印影"),
        ({"impression": impression(300, 300, bytes(38 * 300))}, "record-incomplete", "印影"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], reason: str, item: str) -> None:
    """A number, a day, a picture with all its rows, and some ink in it."""
    assert [(reason, item)] == [
        (fault.reason, fault.item) for fault in registration(**changes).faults()
    ]


def test_nothing_personal_is_shown_by_accident() -> None:
    """The repr of a registration shows no number and no dots."""
    assert "00000001" not in repr(registration())
    assert "SealImpression(300x300)" == repr(registration().impression)
