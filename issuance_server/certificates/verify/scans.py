"""Verifies scans: the code of each face, and the face itself against what its back holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from issuance_server.certificates.back.difference import (
    Patch,
    different_patches,
    without_specks,
)
from issuance_server.certificates.back.face_scan import FaceForeign, FaceUnreadable, inked_face
from issuance_server.certificates.back.page import MARKER_TEXTS
from issuance_server.certificates.back.reading import BackUnreadable, DecodedFace, read_back
from issuance_server.certificates.back.showing import (
    difference_picture,
    issued_picture,
    scanned_picture,
)
from issuance_server.certificates.back.window import COLUMNS, LEFT_PT, MODULE_MM, ROWS, TOP_PT
from issuance_server.certificates.code.symbol import symbol
from issuance_server.certificates.layout.display import MM_PT, SHEET_HEIGHT_PT
from issuance_server.certificates.verify.pictures import SeenCode, found_among, seen_codes
from issuance_server.certificates.verify.verdict import FoundSheet, Region
from protocol.secret import Secret

BACK_MISSING = "the back was not scanned; the text was not compared"
FACE_MISSING = "this is a back; the face that belongs to it was not scanned"
KEYLESS = "the secret of the backs is not at hand; the text was not compared"

_WHOLE = Patch(0, 0, COLUMNS, ROWS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Pictures of a face, in colour, 200 dots to the inch.

    Attributes:
        issued: what its back holds.
        scanned: the scan, laid over it; none if it has nothing in common with it.
        difference: both in one; what was added is red, what is gone blue.
    """

    issued: Image.Image
    scanned: Image.Image | None = None
    difference: Image.Image | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedSheet:
    """What is found on a sheet, of which one or both sides were scanned.

    Attributes:
        found: for the verdict.
        shown: for people, if the back could be read.
    """

    found: FoundSheet
    shown: Shown | None = None


@dataclass(frozen=True, slots=True)
class _Side:
    """A scanned side.

    Attributes:
        picture: in grey.
        codes: seen in it.
    """

    picture: Image.Image
    codes: Sequence[SeenCode]

    @property
    def is_back(self) -> bool:
        return any(code.text in MARKER_TEXTS for code in self.codes)


def found_in_scans(
    pictures: Sequence[Image.Image], public_keys: Mapping[bytes, bytes], secret: Secret | None
) -> tuple[ScannedSheet, ...]:
    """Return what is found on scanned sheets.

    A face and a back that follow each other, in either order, are one sheet, as a scanner of both
    sides gives them. A face alone is judged by its code.

    Args:
        pictures: sides in grey, 200 dpi or more, in the order in which they were scanned.
        public_keys: the city's keys by ``key_id``.
        secret: the city's secret of backs; without it no text is compared.
    """
    sides = [_Side(picture, seen_codes(picture)) for picture in pictures]
    sheets = []
    while sides:
        first = sides.pop(0)
        if sides and first.is_back != sides[0].is_back:
            second = sides.pop(0)
            face, back = (second, first) if first.is_back else (first, second)
            sheets.append(_sheet(face, back, public_keys, secret))
        elif first.is_back:
            sheets.append(ScannedSheet(found=FoundSheet(problem=FACE_MISSING)))
        else:
            sheets.append(_without_back(first, public_keys))
    return tuple(sheets)


def _without_back(face: _Side, public_keys: Mapping[bytes, bytes]) -> ScannedSheet:
    found = found_among(face.codes, public_keys)
    return ScannedSheet(found=replace(found, problem=found.problem or BACK_MISSING))


def _sheet(
    face: _Side, back: _Side, public_keys: Mapping[bytes, bytes], secret: Secret | None
) -> ScannedSheet:
    """Compare the two sides of a sheet."""
    found = found_among(face.codes, public_keys)
    if found.claim is None:
        return ScannedSheet(found=found)
    if secret is None:
        return ScannedSheet(found=replace(found, problem=KEYLESS))
    try:
        code = next(code for code in face.codes if found_among([code], public_keys).claim)
        decoded = read_back(back.picture, back.codes, secret, found.claim.number, found.claim.sheet)
        return _compared(found, face.picture, code, decoded)
    except (BackUnreadable, FaceUnreadable) as error:
        return ScannedSheet(found=replace(found, problem=str(error)))


def _compared(
    found: FoundSheet, face: Image.Image, code: SeenCode, decoded: DecodedFace
) -> ScannedSheet:
    """Compare the scan of a face with what its back holds."""
    issued = without_specks(decoded.bitmap, decoded.certainty)
    try:
        inked = inked_face(face, code.corners, symbol(code.text).modules, issued)
    except FaceForeign:
        return ScannedSheet(
            found=_altered(found, [_WHOLE]), shown=Shown(issued=issued_picture(issued, []))
        )
    patches = different_patches(inked, issued, decoded.certainty)
    shown = Shown(
        issued=issued_picture(issued, patches),
        scanned=scanned_picture(inked, patches),
        difference=difference_picture(inked, issued, patches),
    )
    return ScannedSheet(found=_altered(found, patches), shown=shown)


def _altered(found: FoundSheet, patches: Sequence[Patch]) -> FoundSheet:
    return replace(
        found,
        compared=True,
        altered_otherwise=bool(patches),
        regions=tuple(_region(patch) for patch in patches),
    )


def _region(patch: Patch) -> Region:
    """Return where a part of the window lies on the sheet."""
    return Region(
        x_mm=LEFT_PT / MM_PT + patch.column * MODULE_MM,
        y_mm=(SHEET_HEIGHT_PT - TOP_PT) / MM_PT + patch.row * MODULE_MM,
        width_mm=patch.columns * MODULE_MM,
        height_mm=patch.rows * MODULE_MM,
    )
