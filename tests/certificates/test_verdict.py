"""What is said of a sheet, from what was found on it and what the city has on record."""

from datetime import date

import pytest

from issuance_server.certificates.code.claim import Claim
from issuance_server.certificates.verify.verdict import (
    FoundSheet,
    NumberStatus,
    Verdict,
    judge,
)
from protocol.kinds import Kind


def claim(*, sheet: int = 1, sheets: int = 1, specimen: bool = False) -> Claim:
    """Return a claim of one sheet."""
    return Claim(
        city="272035",
        number="20261130 豊中市 7E-0001 001 000001",
        sheet=sheet,
        sheets=sheets,
        kind=Kind.JUMINHYO,
        issued_on=date(2026, 11, 30),
        specimen=specimen,
        salt=bytes(16),
        text_digest=bytes(32),
    )


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (NumberStatus.PRINTED, "genuine"),
        (NumberStatus.RELEASED, "issued, print not yet confirmed"),
        (NumberStatus.NEVER_RELEASED, "not valid"),
        (NumberStatus.VOID, "not valid"),
        (NumberStatus.UNKNOWN, "not valid"),
    ],
)
def test_the_record_decides_over_an_unaltered_sheet(status: NumberStatus, verdict: str) -> None:
    """A good signature is worth what the city's record says of the number."""
    found = FoundSheet(claim=claim(), compared=True)

    assert verdict == judge([found], lambda _number: status).verdict.value


def test_without_records_only_the_signature_is_vouched_for() -> None:
    """Offline, nobody is told that a certificate is genuine."""
    verified = judge([FoundSheet(claim=claim(), compared=True)], None)

    assert Verdict.SIGNATURE_GOOD is verified.verdict
    assert verified.sheets[0].status is None


@pytest.mark.parametrize("status", [NumberStatus.PRINTED, NumberStatus.RELEASED])
def test_a_specimen_is_a_test_whatever_the_record_says(status: NumberStatus) -> None:
    """Sheets that are marked 見本 are never called genuine."""
    found = FoundSheet(claim=claim(specimen=True), compared=True)

    assert Verdict.TEST is judge([found], lambda _number: status).verdict
    assert Verdict.TEST is not judge([found], lambda _number: NumberStatus.VOID).verdict


@pytest.mark.parametrize(
    "found",
    [
        FoundSheet(claim=claim(), compared=True, altered=("昭和59年6月20日",)),
        FoundSheet(claim=claim(), compared=True, altered_otherwise=True),
        FoundSheet(problem="the signature in the code does not hold", forged=True),
    ],
    ids=["line", "otherwise", "forged"],
)
def test_an_altered_sheet_is_altered_whatever_the_record_says(found: FoundSheet) -> None:
    """The number of a genuine certificate does not save a sheet that was tampered with."""
    assert Verdict.ALTERED is judge([found], lambda _number: NumberStatus.PRINTED).verdict


def test_the_gravest_sheet_speaks_for_the_whole() -> None:
    """One good sheet does not make a set good; what is missing is named."""
    good = FoundSheet(claim=claim(sheet=1, sheets=3), compared=True)
    blank = FoundSheet(problem="there is no code on it that can be read")
    verified = judge([good, blank], lambda _number: NumberStatus.PRINTED)

    assert Verdict.NO_CODE is verified.verdict
    assert [Verdict.GENUINE, Verdict.NO_CODE] == [sheet.verdict for sheet in verified.sheets]
    assert [2, 3] == [sheet for _number, sheet in verified.missing]
