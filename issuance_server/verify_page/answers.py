"""From what the reading processes found to what the page's script shows."""

import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from issuance_server.certificates.code.claim import Claim
from issuance_server.certificates.verify.verdict import (
    FoundSheet,
    NumberStatus,
    SheetVerdict,
    Verdict,
    judge,
)
from issuance_server.verify_page import worker_wire as wire
from issuance_server.verify_page.sentences import RECORDS_AWAY, WHY_NOT_VALID, Sentence, in_both
from protocol.errors import KofuError

StatusesOf: TypeAlias = Callable[[Sequence[str]], Awaitable[Sequence[NumberStatus]]]
"""Looks 発行番号 up in the city's records, in their order; raises KofuError if out of reach."""


async def told(sheets: Sequence[wire.Sheet], statuses_of: StatusesOf | None) -> dict[str, Any]:
    """Judge the sheets of an upload, and return the verdict with what it rests on.

    Args:
        sheets: at least one.
        statuses_of: the city's records; None where they are not at hand.
    """
    found = [sheet.found for sheet in sheets]
    statuses, notice = await _statuses(found, statuses_of)
    verified = judge(found, statuses.__getitem__ if statuses is not None else None)
    return {
        "verdict": verified.verdict.name,
        "notice": notice.told() if notice is not None else None,
        "sheets": [_sheet(one, two) for one, two in zip(verified.sheets, sheets, strict=True)],
        "missing": [{"number": number, "sheet": sheet} for number, sheet in verified.missing],
    }


async def _statuses(
    found: Sequence[FoundSheet], statuses_of: StatusesOf | None
) -> tuple[dict[str, NumberStatus] | None, Sentence | None]:
    """Look the numbers up; if the records are out of reach, say so and go on without."""
    numbers = sorted({sheet.claim.number for sheet in found if sheet.claim is not None})
    if statuses_of is None:
        return None, None
    try:
        return dict(zip(numbers, await statuses_of(numbers), strict=True)), None
    except KofuError:
        return None, RECORDS_AWAY


def _sheet(judged: SheetVerdict, read: wire.Sheet) -> dict[str, Any]:
    found = judged.found
    why = WHY_NOT_VALID.get(judged.status) if judged.status is not None else None
    return {
        "verdict": judged.verdict.name,
        "claim": _claim(found.claim) if found.claim is not None else None,
        "compared": found.compared,
        "altered": list(found.altered),
        "regions": [
            {
                "x": round(region.x_mm),
                "y": round(region.y_mm),
                "width": round(region.width_mm, 1),
                "height": round(region.height_mm, 1),
            }
            for region in found.regions
        ],
        "contradicts": found.altered_otherwise and not found.altered and not found.regions,
        "problem": in_both(found.problem).told() if found.problem else None,
        "why": why.told() if why is not None and judged.verdict is Verdict.NOT_VALID else None,
        "picture": base64.b64encode(read.picture).decode("ascii"),
        "pictureIsDifference": read.is_difference,
    }


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "number": claim.number,
        "sheet": claim.sheet,
        "sheets": claim.sheets,
        "kind": claim.kind.value,
        "issuedOn": claim.issued_on.isoformat(),
        "specimen": claim.specimen,
    }
