"""What remains of codes and backs after printer, paper and scanner, all simulated.

The short form tries a few of each; ``--full`` tries as many as the figures in the documents say.
"""

from dataclasses import dataclass

import pytest
from PIL import Image

from issuance_server.certificates.back.page import MARKER_TEXTS
from issuance_server.certificates.back.reading import BackUnreadable, read_back
from issuance_server.certificates.back.showing import BOX_COLOUR
from issuance_server.certificates.code.symbol import symbol
from issuance_server.certificates.layout.display import MM_PT, SHEET_HEIGHT_PT, Page
from issuance_server.certificates.layout.furniture import CODE_BOX
from issuance_server.certificates.verify.pictures import found_in, seen_codes
from issuance_server.certificates.verify.scans import (
    BACK_MISSING,
    FACE_MISSING,
    KEYLESS,
    ScannedSheet,
    found_in_scans,
)
from issuance_server.certificates.verify.verdict import Region, Verdict, judge
from protocol.secret import Secret
from tests.certificates.print_and_scan import (
    PRINTED_DPI,
    Conditions,
    copied,
    drawn_conditions,
    printed,
    scanned,
)
from tests.certificates.sample_faces import (
    KEYS,
    NUMBER,
    SECRET,
    Face,
    SampleFaces,
    Tampering,
)

CODE_TRIALS, CODE_TRIALS_SHORT = 500, 8
CODES_READ_SHARE_MIN = 0.99
PAIRS, PAIRS_SHORT = 50, 1
RESOLUTIONS = (300, 200)
ERROR_RATE_MAX = 0.001
COPY_ERROR_RATE_MAX = 0.1
WINDOW_LEFT_MM, WINDOW_TOP_MM = 13.55, 16.93
CLOSE_MM = 4.0
_CODE_ROOM_MM = 12.0

Trials = list[tuple[int, tuple[int, ...]]]


@pytest.fixture(scope="module")
def faces() -> SampleFaces:
    """Faces of all kinds."""
    return SampleFaces()


@dataclass(frozen=True)
class Papers:
    """A sheet on paper.

    Attributes:
        face: which one.
        front: its printed face.
        back: its printed back.
    """

    face: Face
    front: Image.Image
    back: Image.Image


@pytest.fixture(scope="module")
def sheet(faces: SampleFaces) -> Papers:
    """One printed sheet: the last of a 住民票, with its seal."""
    face = next(face for face in faces.faces if face.place.sheet == face.place.sheets)
    front = printed(faces.pdf(face.kind, face.page))
    return Papers(face=face, front=front, back=printed(faces.back_pdf(face)))


def both_sides(sheet: Papers, dpi: int, seed: int = 0) -> list[Image.Image]:
    """Scan face and back."""
    return [
        scanned(sheet.front, drawn_conditions(seed, dpi)),
        scanned(sheet.back, drawn_conditions(seed + 10_000, dpi)),
    ]


@pytest.fixture(scope="module")
def sides(sheet: Papers) -> list[Image.Image]:
    """Face and back of that sheet, scanned at 200 dpi."""
    return both_sides(sheet, 200)


def found(pictures: list[Image.Image]) -> ScannedSheet:
    """Verify the scans of one sheet."""
    (sheet,) = found_in_scans(pictures, KEYS, (Secret(bytes(32)), SECRET))
    return sheet


def around_code(front: Image.Image) -> Image.Image:
    """Return the corner of a printed face that holds the signed code."""
    dots = PRINTED_DPI / 72
    left = round((CODE_BOX.x - _CODE_ROOM_MM * MM_PT) * dots)
    top = SHEET_HEIGHT_PT - CODE_BOX.y - CODE_BOX.height - _CODE_ROOM_MM * MM_PT
    return front.crop((left, round(top * dots), front.width, front.height))


def test_the_code_is_read_after_print_and_scan(
    faces: SampleFaces, pytestconfig: pytest.Config
) -> None:
    """At 200 and 300 dpi, askew, noisy and compressed, ninety-nine of a hundred are read."""
    trials = CODE_TRIALS if pytestconfig.getoption("--full") else CODE_TRIALS_SHORT
    corners = [
        around_code(printed(faces.pdf(face.kind, face.page)))
        for face in faces.faces[: max(1, trials // 50)]
    ]
    read = 0
    for trial in range(trials):
        conditions = drawn_conditions(trial, RESOLUTIONS[trial % 2])
        picture = scanned(corners[trial % len(corners)], conditions)
        read += found_in(picture, KEYS).claim is not None
    print(f"codes read: {read} of {trials}")

    assert read >= CODES_READ_SHARE_MIN * trials


@pytest.fixture
def trials(pytestconfig: pytest.Config) -> Trials:
    """Seeds of pairs of scans, and the resolutions at which each is scanned."""
    if pytestconfig.getoption("--full"):
        return [(seed, RESOLUTIONS) for seed in range(PAIRS)]
    return [(seed, RESOLUTIONS[1:]) for seed in range(PAIRS_SHORT)]


def test_an_unaltered_sheet_shows_no_difference(
    faces: SampleFaces, trials: Trials, pytestconfig: pytest.Config
) -> None:
    """Whatever kind is scanned, at 300 and 200 dpi, nothing is called altered."""
    if not pytestconfig.getoption("--full"):
        pytest.skip("one sheet is tried below; with --full, fifty")
    for seed, resolutions in trials:
        face = faces.faces[seed * 7 % len(faces.faces)]
        papers = on_paper(faces, face, face.page)
        for dpi in resolutions:
            sheet = found(both_sides(papers, dpi, seed))

            assert sheet.found.compared, (seed, dpi, sheet.found.problem)
            assert () == sheet.found.regions, (seed, dpi, face.kind)
            assert Verdict.TEST is judge([sheet.found], None).verdict


def test_an_altered_glyph_is_found(faces: SampleFaces, trials: Trials) -> None:
    """A glyph replaced by one as black, erased or added is found where it is, and nowhere else."""
    for seed, resolutions in trials:
        face = faces.faces[(seed * 11 + 3) % len(faces.faces)]
        tampering = faces.tampered(face, seed)
        papers = on_paper(faces, face, tampering.page)
        for dpi in resolutions:
            sheet = found(both_sides(papers, dpi, seed))

            about = (seed, dpi, face.kind, tampering.how, sheet.found.problem)
            assert sheet.found.altered_otherwise, about
            assert all(is_near(region, tampering) for region in sheet.found.regions), about
            assert Verdict.ALTERED is judge([sheet.found], None).verdict
            assert sheet.shown is not None
            assert sheet.shown.difference is not None
            colours = sheet.shown.difference.getcolors(sheet.shown.difference.width**2) or ()
            assert BOX_COLOUR in {colour for _, colour in colours}


def on_paper(faces: SampleFaces, face: Face, page: Page) -> Papers:
    """Print a face, as it was issued or altered, and the back that was issued with it."""
    front = printed(faces.pdf(face.kind, page))
    return Papers(face=face, front=front, back=printed(faces.back_pdf(face)))


def is_near(region: Region, tampering: Tampering) -> bool:
    """Tell whether a region overlaps the altered glyph, or nearly so."""
    x, y = tampering.x + WINDOW_LEFT_MM, tampering.y + WINDOW_TOP_MM
    across = (
        region.x_mm - CLOSE_MM <= x + tampering.size / 2 <= region.x_mm + region.width_mm + CLOSE_MM
    )
    down = (
        region.y_mm - CLOSE_MM
        <= y + tampering.size / 2
        <= region.y_mm + region.height_mm + CLOSE_MM
    )
    return across and down


@pytest.mark.parametrize(
    "conditions",
    [Conditions(dpi=200, angle=-1.3), Conditions(dpi=300).upside_down(), Conditions(dpi=600)],
    ids=["200", "300 upside down", "600"],
)
def test_a_back_gives_the_face_however_it_is_scanned(
    faces: SampleFaces, sheet: Papers, conditions: Conditions, pytestconfig: pytest.Config
) -> None:
    """Nearly every module is read as it was printed, upside down as well."""
    if conditions.dpi == PRINTED_DPI and not pytestconfig.getoption("--full"):
        pytest.skip("so many pixels take long; with --full only")
    picture = scanned(sheet.back, conditions)
    place = sheet.face.place
    decoded = read_back(picture, seen_codes(picture), SECRET, place.number, place.sheet)

    wrong = float((decoded.bitmap != faces.bitmap(sheet.face)).mean())
    assert wrong <= ERROR_RATE_MAX
    assert decoded.error_rate <= ERROR_RATE_MAX


def test_a_copy_of_a_back_gives_the_face_too(faces: SampleFaces, sheet: Papers) -> None:
    """Backs show alterations, not copies: what a copier makes can be read, with more specks."""
    copy = copied(sheet.back, Conditions(dpi=400, noise=4))
    picture = scanned(copy, Conditions(dpi=200))
    place = sheet.face.place
    decoded = read_back(picture, seen_codes(picture), SECRET, place.number, place.sheet)

    assert float((decoded.bitmap != faces.bitmap(sheet.face)).mean()) <= COPY_ERROR_RATE_MAX


def test_an_unaltered_sheet_is_compared_and_shown(sides: list[Image.Image]) -> None:
    """Back first or face first: nothing differs, and pictures are there for people."""
    face, back = sides
    sheet = found([back, face])

    assert (sheet.found.compared, sheet.found.regions) == (True, ())
    assert Verdict.TEST is judge([sheet.found], None).verdict
    assert sheet.shown is not None
    assert sheet.shown.difference is not None
    assert "RGB" == sheet.shown.issued.mode == sheet.shown.difference.mode


def test_one_side_alone_is_not_compared(sides: list[Image.Image]) -> None:
    """A face alone is judged by its code, a back alone by nothing; both say so."""
    face, back = sides
    alone, without = found([face]).found, found([back]).found

    assert (alone.compared, alone.problem) == (False, BACK_MISSING)
    assert alone.claim is not None
    assert (without.claim, without.problem) == (None, FACE_MISSING)


def test_without_the_secret_only_the_code_is_judged(sides: list[Image.Image]) -> None:
    """Who has the public keys only is told that the text was not compared."""
    (result,) = found_in_scans(sides, KEYS, ())

    assert (result.found.compared, result.found.problem) == (False, KEYLESS)
    assert result.found.claim is not None


def test_the_back_of_another_sheet_says_nothing(sheet: Papers, sides: list[Image.Image]) -> None:
    """Its noise does not become a face, and the sheet is said not to be compared."""
    face, back = sides
    (result,) = found_in_scans([face, back], KEYS, [Secret(bytes(32))])

    assert not result.found.compared
    assert "another sheet" in result.found.problem
    with pytest.raises(BackUnreadable, match="another sheet"):
        read_back(back, seen_codes(back), SECRET, NUMBER, sheet.face.place.sheet + 1)
    with pytest.raises(BackUnreadable, match="markers"):
        read_back(face, seen_codes(face), SECRET, NUMBER, 1)


def test_a_face_that_was_made_anew_around_the_code_is_altered(
    sheet: Papers, sides: list[Image.Image]
) -> None:
    """A genuine code on an empty sheet contradicts the back."""
    front = Image.new("L", sheet.front.size, 255)
    code = around_code(sheet.front)
    front.paste(code, (front.width - code.width, front.height - code.height))
    result = found([scanned(front, Conditions(dpi=200)), sides[1]])

    assert result.found.altered_otherwise
    assert Verdict.ALTERED is judge([result.found], None).verdict


def test_a_picture_of_a_part_of_the_face_is_not_compared(sides: list[Image.Image]) -> None:
    """What is not in the picture is not called unaltered."""
    face, back = sides
    part = face.crop((0, face.height // 3, face.width, face.height))
    result = found([part, back])

    assert not result.found.compared
    assert "whole face" in result.found.problem


def test_markers_in_disorder_are_no_back() -> None:
    """Whatever a stranger draws markers on, it is refused in a sentence."""
    picture = Image.new("L", (1600, 1200), 255)
    for place, text in enumerate(MARKER_TEXTS):
        drawn = symbol(text)
        bits = Image.frombytes("1", (drawn.modules, drawn.modules), drawn.rows)
        marker = bits.convert("L").point(lambda level: 255 - level).resize((210, 210))
        picture.paste(marker, (100 + 350 * place, 100 + 40 * place))
    codes = seen_codes(picture)

    assert len(codes) >= 3
    with pytest.raises(BackUnreadable, match="whole back"):
        read_back(picture, codes, SECRET, NUMBER, 1)
