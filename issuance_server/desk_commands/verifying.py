"""``issuance-server verify``: is this certificate genuine?"""

import argparse
import sys
from pathlib import Path
from typing import Any

from issuance_server.app import City
from issuance_server.certificates.code.claim import key_id
from issuance_server.certificates.reading.sheets import PDF_BYTES_MAX
from issuance_server.certificates.verify.documents import found_in_pdf
from issuance_server.certificates.verify.pictures import PICTURE_BYTES_MAX, found_in, pictures
from issuance_server.certificates.verify.verdict import (
    FoundSheet,
    NumberStatus,
    SheetVerdict,
    Verdict,
    Verified,
    judge,
)
from issuance_server.control import wire
from issuance_server.desk_commands.parsing import Commands, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import print_json, print_table
from keys.trust import CityTrust
from protocol.errors import SetUpError

EXIT_GOOD = 0
EXIT_WRONG = 1

_GOOD = frozenset({Verdict.GENUINE, Verdict.UNCONFIRMED, Verdict.TEST, Verdict.SIGNATURE_GOOD})
_PDF_BEGINNING = b"%PDF-"


async def verify_with_records(city: City, arguments: argparse.Namespace) -> int:
    """Verify a file against the city's keys and its records.

    Raises:
        KofuError: the file cannot be read, or the records are out of reach.
    """
    found = _found(arguments.file, city.keys.trust)
    numbers = sorted({sheet.claim.number for sheet in found if sheet.claim is not None})
    answer = await ask(city, wire.ReadNumbers(numbers=tuple(numbers)))
    if not isinstance(answer, wire.Numbers):
        raise SetUpError("the server gave another answer than was asked")
    statuses = dict(zip(numbers, answer.statuses, strict=True))
    return _told(judge(found, statuses.__getitem__), as_json=arguments.json)


def verify_offline(arguments: argparse.Namespace) -> int:
    """Verify a file against a city's public keys alone.

    Raises:
        KofuError: the file or the keys cannot be read.
    """
    found = _found(arguments.file, CityTrust.load(arguments.trust))
    return _told(judge(found, None), as_json=arguments.json)


def add_commands(commands: Commands) -> None:
    """Add ``verify``."""
    verified = commands.add_parser(
        "verify",
        help="tell whether a certificate is genuine",
        description="Tell whether a certificate is genuine: by the signed code on each sheet, for a"
        " PDF by its text line by line, and by the city's records.",
        epilog="exit status: 0 genuine, issued, a test, or (with --trust) a good signature;"
        " 1 altered, not valid, or no code of this city; 2 usage",
    )
    verified.add_argument(
        "file", type=Path, metavar="FILE", help="a PDF, or a PNG, JPEG or TIFF scan of faces"
    )
    add_config(verified, json=True)
    verified.add_argument(
        "--trust",
        type=Path,
        metavar="FOLDER",
        help="check against the public keys in this folder (issuance-keys export --out) alone,"
        " without the city's records",
    )
    verified.set_defaults(run=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    if arguments.trust is not None:
        return verify_offline(arguments)
    return of_city(verify_with_records)(arguments)


def _found(file: Path, trust: CityTrust) -> tuple[FoundSheet, ...]:
    public_keys = {key_id(key): key for key in trust.code_keys()}
    try:
        with file.open("rb") as opened:
            content = opened.read(max(PDF_BYTES_MAX, PICTURE_BYTES_MAX) + 1)
    except OSError as error:
        raise SetUpError(f"{file} cannot be read: {error.strerror}") from None
    if content.startswith(_PDF_BEGINNING):
        return found_in_pdf(content, public_keys)
    return tuple(found_in(picture, public_keys) for picture in pictures(content))


def _told(verified: Verified, *, as_json: bool) -> int:
    if as_json:
        print_json(
            {
                "verdict": verified.verdict.value,
                "sheets": [_for_programs(sheet) for sheet in verified.sheets],
                "missing": [
                    {"number": number, "sheet": sheet} for number, sheet in verified.missing
                ],
            }
        )
    else:
        columns = ("sheet", "verdict", "発行番号", "kind", "issued on", "text")
        print_table(columns, [_for_people(sheet) for sheet in verified.sheets])
        for sheet in verified.sheets:
            _explain(sheet)
        for number, place in verified.missing:
            sys.stderr.write(f"sheet {place} of {number} is missing\n")
        sys.stdout.write(f"{verified.verdict.value}\n")
    return EXIT_GOOD if verified.verdict in _GOOD else EXIT_WRONG


def _for_people(sheet: SheetVerdict) -> tuple[str, ...]:
    claim = sheet.found.claim
    if claim is None:
        return ("-", sheet.verdict.value, "-", "-", "-", "-")
    return (
        f"{claim.sheet}/{claim.sheets}",
        sheet.verdict.value,
        claim.number,
        claim.kind.title,
        claim.issued_on.isoformat(),
        "compared" if sheet.found.compared else "not compared",
    )


def _explain(sheet: SheetVerdict) -> None:
    """Say on standard error what is wrong with a sheet, and where."""
    found = sheet.found
    name = "a sheet" if found.claim is None else f"sheet {found.claim.sheet}"
    if found.problem:
        sys.stderr.write(f"{name}: {found.problem}\n")
    for line in found.altered:
        sys.stderr.write(f"{name}: this line was not issued so: {line or '(a line is missing)'}\n")
    if found.altered_otherwise and not found.altered:
        sys.stderr.write(f"{name}: it contradicts its signed code\n")
    if sheet.verdict is Verdict.NOT_VALID and sheet.status is not None:
        sys.stderr.write(f"{name}: {_WHY_NOT[sheet.status]}\n")


def _for_programs(sheet: SheetVerdict) -> dict[str, Any]:
    found, claim = sheet.found, sheet.found.claim
    return {
        "verdict": sheet.verdict.value,
        "status": sheet.status.value if sheet.status is not None else None,
        "number": claim.number if claim else None,
        "sheet": claim.sheet if claim else None,
        "sheets": claim.sheets if claim else None,
        "kind": claim.kind.value if claim else None,
        "issued_on": claim.issued_on.isoformat() if claim else None,
        "specimen": claim.specimen if claim else None,
        "text_compared": found.compared,
        "altered_lines": list(found.altered),
        "problem": found.problem or None,
    }


_WHY_NOT = {
    NumberStatus.NEVER_RELEASED: "its number was reserved, but it was never released for printing",
    NumberStatus.VOID: "its number is void: the printing failed, or it was withdrawn",
    NumberStatus.UNKNOWN: "the city has no such number on record",
}
