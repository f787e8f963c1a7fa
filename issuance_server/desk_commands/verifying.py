"""``issuance-server verify``: is this certificate genuine?"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from issuance_server.certificates.code.claim import key_id
from issuance_server.certificates.verify.files import FILE_BYTES_MAX, found_in_files
from issuance_server.certificates.verify.scans import ScannedSheet
from issuance_server.certificates.verify.verdict import (
    NumberStatus,
    Region,
    SheetVerdict,
    StatusOf,
    Verdict,
    judge,
)
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.desk_commands.parsing import Commands, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import print_json, print_table
from keys.city_keys import load_back_secrets
from keys.key_record import Purpose
from keys.trust import CityTrust
from protocol.errors import SetUpError
from protocol.secret import Secret

EXIT_GOOD = 0
EXIT_WRONG = 1

_GOOD = frozenset({Verdict.GENUINE, Verdict.UNCONFIRMED, Verdict.TEST, Verdict.SIGNATURE_GOOD})
_FACE = "face.png"
_BACK = "back.png"
_DIFFERENCE = "difference.png"


async def verify_with_records(city: City, arguments: argparse.Namespace) -> int:
    """Verify files against the city's keys and its records.

    Raises:
        KofuError: a file cannot be read, or the records are out of reach.
    """
    sheets = _found(arguments.files, city.keys.trust, _back_secrets(city))
    claims = [sheet.found.claim for sheet in sheets if sheet.found.claim is not None]
    numbers = sorted({claim.number for claim in claims})
    answer = await ask(city, wire.ReadNumbers(numbers=tuple(numbers)))
    if not isinstance(answer, wire.Numbers):
        raise SetUpError("the server gave another answer than was asked")
    statuses = dict(zip(numbers, answer.statuses, strict=True))
    return _told(sheets, statuses.__getitem__, arguments)


def verify_offline(arguments: argparse.Namespace) -> int:
    """Verify files against a city's public keys alone.

    Raises:
        KofuError: a file or the keys cannot be read.
    """
    return _told(_found(arguments.files, CityTrust.load(arguments.trust), ()), None, arguments)


def add_commands(commands: Commands) -> None:
    """Add ``verify``."""
    verified = commands.add_parser(
        "verify",
        help="tell whether a certificate is genuine",
        description="Tell whether a certificate is genuine: by the signed code on each sheet, for a"
        " PDF by its text line by line, for scans of both sides by the backs, and by the city's"
        " records.",
        epilog="exit status: 0 genuine, issued, a test, or (with --trust) a good signature;"
        " 1 altered, not valid, or no code of this city; 2 usage",
    )
    verified.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="a certificate's PDF, or scans as PNG, JPEG, TIFF or PDF: each face, then its back",
    )
    verified.add_argument(
        "--show",
        type=Path,
        metavar="FOLDER",
        help="write what the backs hold, and how the faces differ from it, as pictures into here",
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


def _back_secrets(city: City) -> tuple[Secret, ...]:
    """Return the secrets of backs; none where the renderer's keys are kept elsewhere."""
    folder = city.paths.key_folder
    if not folder.records(Purpose.BACK):
        return ()
    return load_back_secrets(folder.root, storage=folder.storage).accepted()


def _found(
    files: Sequence[Path], trust: CityTrust, secrets: Sequence[Secret]
) -> tuple[ScannedSheet, ...]:
    public_keys = {key_id(key): key for key in trust.code_keys()}
    return found_in_files([_content(file) for file in files], public_keys, secrets)


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise SetUpError(f"{file} cannot be read: {error.strerror}") from None


def _told(
    sheets: Sequence[ScannedSheet], status_of: StatusOf | None, arguments: argparse.Namespace
) -> int:
    verified = judge([sheet.found for sheet in sheets], status_of)
    if arguments.show is not None:
        _show(sheets, arguments.show)
    if arguments.json:
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


def _show(sheets: Sequence[ScannedSheet], folder: Path) -> None:
    """Write the pictures of every sheet whose back was read."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place, sheet in enumerate(sheets, start=1):
            if sheet.shown is None:
                continue
            shown = (sheet.shown.issued, sheet.shown.scanned, sheet.shown.difference)
            for name, picture in zip((_BACK, _FACE, _DIFFERENCE), shown, strict=True):
                if picture is not None:
                    picture.save(folder / f"sheet-{place}-{name}")
    except OSError as error:
        raise SetUpError(f"{folder} cannot be written: {error.strerror}") from None


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
    for region in found.regions:
        sys.stderr.write(f"{name}: altered {_where(region)}\n")
    if found.altered_otherwise and not (found.altered or found.regions or found.problem):
        sys.stderr.write(f"{name}: it contradicts its signed code\n")
    if sheet.verdict is Verdict.NOT_VALID and sheet.status is not None:
        sys.stderr.write(f"{name}: {_WHY_NOT[sheet.status]}\n")


def _where(region: Region) -> str:
    """Say where a part of a sheet lies."""
    return (
        f"{region.x_mm:.0f} mm from the left edge and {region.y_mm:.0f} mm from the upper one, "
        f"{region.width_mm:.0f} mm wide and {region.height_mm:.0f} mm high"
    )


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
        "altered_regions": [
            {name: round(value, 1) for name, value in asdict(region).items()}
            for region in found.regions
        ],
        "problem": found.problem or None,
    }


_WHY_NOT = {
    NumberStatus.NEVER_RELEASED: "its number was reserved, but it was never released for printing",
    NumberStatus.VOID: "its number is void: the printing failed, or it was withdrawn",
    NumberStatus.UNKNOWN: "the city has no such number on record",
}
