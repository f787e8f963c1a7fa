"""From what was found on each sheet, and what the city has on record, to one word."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from issuance_server.certificates.code.claim import Claim


class Verdict(Enum):
    """What is said of a sheet and of the whole; the value is the word for programs."""

    GENUINE = "genuine"
    UNCONFIRMED = "issued, print not yet confirmed"
    TEST = "test"
    SIGNATURE_GOOD = "signature good, status not checked"
    NOT_VALID = "not valid"
    ALTERED = "altered"
    NO_CODE = "no code of this city"


_GRAVEST_FIRST = (
    Verdict.ALTERED,
    Verdict.NOT_VALID,
    Verdict.NO_CODE,
    Verdict.UNCONFIRMED,
    Verdict.SIGNATURE_GOOD,
    Verdict.TEST,
    Verdict.GENUINE,
)


class NumberStatus(Enum):
    """What the city has on record for a 発行番号."""

    PRINTED = "printed"
    RELEASED = "released, print not yet confirmed"
    NEVER_RELEASED = "never released"
    VOID = "void"
    UNKNOWN = "unknown"


_OF_STATUS = {
    NumberStatus.PRINTED: Verdict.GENUINE,
    NumberStatus.RELEASED: Verdict.UNCONFIRMED,
    NumberStatus.NEVER_RELEASED: Verdict.NOT_VALID,
    NumberStatus.VOID: Verdict.NOT_VALID,
    NumberStatus.UNKNOWN: Verdict.NOT_VALID,
}

StatusOf = Callable[[str], NumberStatus]
"""Looks a 発行番号 up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of a face, in millimetres from the sheet's upper left corner.

    Attributes:
        x_mm: left edge.
        y_mm: upper edge.
        width_mm: to the right.
        height_mm: downwards.
    """

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSheet:
    """One side of a sheet, as a reader found it.

    Attributes:
        claim: what its code says, if it has one that the city signed.
        problem: for people: why there is no claim, or why a scan was not compared with its back.
        forged: whether there is a code, but not one that the city signed.
        compared: whether the text was compared with the claim.
        altered: the lines that are not as they were signed, as they stand now; a line that is
            missing stands as an empty text.
        altered_otherwise: whether something else contradicts the claim.
        regions: where a scanned face is not as its back has it.
    """

    claim: Claim | None = None
    problem: str = ""
    forged: bool = False
    compared: bool = False
    altered: tuple[str, ...] = ()
    altered_otherwise: bool = False
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetVerdict:
    """What is said of one sheet.

    Attributes:
        verdict: the word.
        found: what it rests on.
        status: the city's record, if it was asked.
    """

    verdict: Verdict
    found: FoundSheet
    status: NumberStatus | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What is said of a file.

    Attributes:
        verdict: the gravest of its sheets'.
        sheets: of each sheet, in the file's order.
        missing: sheets that belong to a copy and are not in the file, as number and sheet.
    """

    verdict: Verdict
    sheets: tuple[SheetVerdict, ...]
    missing: tuple[tuple[str, int], ...]


def judge(found: Sequence[FoundSheet], status_of: StatusOf | None) -> Verified:
    """Say what a file's sheets are worth.

    Args:
        found: its sheets, at least one.
        status_of: the city's records; None where they are not at hand.
    """
    sheets = tuple(_judged(sheet, status_of) for sheet in found)
    verdicts = {sheet.verdict for sheet in sheets}
    return Verified(
        verdict=next(verdict for verdict in _GRAVEST_FIRST if verdict in verdicts),
        sheets=sheets,
        missing=_missing(found),
    )


def _judged(found: FoundSheet, status_of: StatusOf | None) -> SheetVerdict:
    claim = found.claim
    status = status_of(claim.number) if claim is not None and status_of is not None else None
    return SheetVerdict(verdict=_verdict(found, status), found=found, status=status)


def _verdict(found: FoundSheet, status: NumberStatus | None) -> Verdict:
    if found.forged or found.altered or found.altered_otherwise:
        return Verdict.ALTERED
    if found.claim is None:
        return Verdict.NO_CODE
    recorded = Verdict.SIGNATURE_GOOD if status is None else _OF_STATUS[status]
    return Verdict.TEST if found.claim.specimen and recorded is not Verdict.NOT_VALID else recorded


def _missing(found: Sequence[FoundSheet]) -> tuple[tuple[str, int], ...]:
    claims = [sheet.claim for sheet in found if sheet.claim is not None]
    there = {(claim.number, claim.sheet) for claim in claims}
    wanted = {(claim.number, sheet) for claim in claims for sheet in range(1, claim.sheets + 1)}
    return tuple(sorted(wanted - there))
