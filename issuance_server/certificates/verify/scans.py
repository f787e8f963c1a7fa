"""Verifies scans: the code of each face, and the face itself against what its back holds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

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
from issuance_server.certificates.code.claim import Claim
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
class Side:
    """One side of a sheet as a picture.

    Attributes:
        picture: in grey.
        codes: seen in it.
    """

    picture: Image.Image
    codes: Sequence[SeenCode]

    @classmethod
    def of(cls, picture: Image.Image) -> Self:
        """Look for the codes in a picture."""
        return cls(picture, seen_codes(picture))

    @property
    def is_back(self) -> bool:
        """Whether it bears the markers of backs."""
        return any(code.text in MARKER_TEXTS for code in self.codes)

    def signed(self, public_keys: Mapping[bytes, bytes]) -> tuple[FoundSheet, SeenCode | None]:
        """Return what the first code says that the city signed, and that code."""
        for code in self.codes:
            found = found_among([code], public_keys)
            if found.claim is not None:
                return found, code
        return found_among(self.codes, public_keys), None


def found_in_scans(
    pictures: Iterable[Image.Image], public_keys: Mapping[bytes, bytes], secrets: Sequence[Secret]
) -> Iterator[ScannedSheet]:
    """Yield what is found on scanned sheets.

    A face and a back that follow each other, in either order, are one sheet, as a scanner of both
    sides gives them. A face alone is judged by its code.

    Args:
        pictures: sides in grey, 200 dpi or more, in the order in which they were scanned.
        public_keys: the city's keys by ``key_id``.
        secrets: the city's secrets of backs, the newest first; without any no text is compared.
    """
    waiting: Side | None = None
    for picture in pictures:
        side = Side.of(picture)
        if waiting is not None and waiting.is_back != side.is_back:
            face, back = (side, waiting) if waiting.is_back else (waiting, side)
            yield _sheet(face, back, public_keys, secrets)
            waiting = None
            continue
        if waiting is not None:
            yield _alone(waiting, public_keys)
        waiting = side
    if waiting is not None:
        yield _alone(waiting, public_keys)


def _alone(side: Side, public_keys: Mapping[bytes, bytes]) -> ScannedSheet:
    """Judge a side whose other side was not scanned."""
    if side.is_back:
        return ScannedSheet(found=FoundSheet(problem=FACE_MISSING))
    found = found_among(side.codes, public_keys)
    return ScannedSheet(found=replace(found, problem=found.problem or BACK_MISSING))


def _sheet(
    face: Side, back: Side, public_keys: Mapping[bytes, bytes], secrets: Sequence[Secret]
) -> ScannedSheet:
    """Compare the two sides of a sheet."""
    found, code = face.signed(public_keys)
    if found.claim is None or code is None:
        return ScannedSheet(found=found)
    if not secrets:
        return ScannedSheet(found=replace(found, problem=KEYLESS))
    try:
        decoded = _decoded(back, secrets, found.claim)
        return _compared(found, face.picture, code, decoded)
    except (BackUnreadable, FaceUnreadable) as error:
        return ScannedSheet(found=replace(found, problem=str(error)))


def _decoded(back: Side, secrets: Sequence[Secret], claim: Claim) -> DecodedFace:
    """Decrypt a back with the secret that it was made under."""
    unreadable: BackUnreadable | None = None
    for secret in secrets:
        try:
            return read_back(back.picture, back.codes, secret, claim.number, claim.sheet)
        except BackUnreadable as error:
            unreadable = error
    raise unreadable or BackUnreadable(KEYLESS)


def _compared(
    found: FoundSheet, face: Image.Image, code: SeenCode, decoded: DecodedFace
) -> ScannedSheet:
    """Compare the picture of a face with what its back holds.

    Args:
        found: what the face's code says.
        face: in grey, 200 dpi or more.
        code: that code in the picture.
        decoded: what the back holds.

    Raises:
        FaceUnreadable: the picture does not show the whole sheet.
    """
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
        altered_otherwise=found.altered_otherwise or bool(patches),
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
