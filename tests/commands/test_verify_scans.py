"""``issuance-server verify`` on paper: both sides of a printed certificate, scanned."""

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from issuance_server.certificates.code.placing import SheetCodes
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.certificates.verify.scans import BACK_MISSING, KEYLESS
from issuance_server.sample.city import ISSUER_WITH_BACKS
from keys.__main__ import main as issuance_keys
from keys.city_folder import CityFolder
from keys.city_keys import load_back_secrets, load_code_key
from keys.key_record import Purpose
from keys.life_cycle import rotate
from tests.certificates.one_sheet import order_of_one_sheet
from tests.certificates.print_and_scan import PRINTED_DPI, drawn_conditions, printed, scanned
from tests.commands.desk import Commands

NUMBER = "20261130 豊中市 7E-0001 001 000001"
NAME_BOX = (1220, 1070, 1460, 1230)
"""Some characters of a name on the printed face, in dots."""
CLOSE_MM = 5
_PLACE = re.compile(r"altered (\d+) mm from the left edge and (\d+) mm from the upper one")


@pytest.fixture
def pdf(commands: Commands) -> bytes:
    """A specimen of one sheet, made with the city's own keys."""
    order = order_of_one_sheet(NUMBER, ISSUER_WITH_BACKS)
    keys = commands.folder / "keys"
    return (
        CertificateRenderer(
            code=SheetCodes("272035", load_code_key(keys).signer),
            back_secret=load_back_secrets(keys).newest,
        )
        .render(order)
        .pdf
    )


@pytest.fixture
def papers(pdf: bytes) -> tuple[Image.Image, Image.Image]:
    """Its two sides on paper."""
    return printed(pdf, 0), printed(pdf, 1)


@pytest.fixture
def public(commands: Commands, tmp_path: Path) -> str:
    """What the city exports."""
    out = tmp_path / "public"
    assert 0 == issuance_keys(["export", str(commands.folder / "keys"), "--out", str(out)])
    return str(out)


def scan(paper: Image.Image, path: Path, *, seed: int) -> str:
    """Scan one side at 200 dpi into a file and return its path."""
    scanned(paper, drawn_conditions(seed, 200)).save(path)
    return str(path)


def unaltered(told: str) -> bool:
    """Tell whether one sheet was found, compared, and as it was issued."""
    (sheet,) = json.loads(told)["sheets"]
    asked = ("number", "text_compared", "altered_lines", "altered_regions", "problem")
    return [NUMBER, True, [], [], None] == [sheet[key] for key in asked]


def altered(front: Image.Image) -> Image.Image:
    """Return the face with two characters of a name turned over."""
    changed = front.copy()
    changed.paste(front.crop(NAME_BOX).transpose(Image.Transpose.FLIP_LEFT_RIGHT), NAME_BOX[:2])
    return changed


def test_scans_of_both_sides_are_what_was_issued(
    commands: Commands, papers: tuple[Image.Image, Image.Image], public: str, tmp_path: Path
) -> None:
    """At 200 dpi, in two pictures, with an older secret; offline it is said what is lacking."""
    files = [scan(paper, tmp_path / f"{at}.png", seed=at) for at, paper in enumerate(papers)]
    rotate(CityFolder.at(commands.folder / "keys"), Purpose.BACK, now=datetime.now(UTC))
    assert unaltered(commands.run("verify", *files, "--json").out)

    offline = commands.plain("verify", *files, "--trust", public)
    assert (0, "test") == (offline.status, offline.out.splitlines()[-1])
    assert KEYLESS in offline.err


def test_a_scanner_may_write_one_pdf(
    commands: Commands, papers: tuple[Image.Image, Image.Image], tmp_path: Path
) -> None:
    """At 300 dpi, a picture on each page, the back first."""
    face, back = (scanned(paper, drawn_conditions(at, 300)) for at, paper in enumerate(papers))
    path = tmp_path / "scan.pdf"
    back.save(path, "PDF", save_all=True, append_images=[face], resolution=300)

    assert unaltered(commands.run("verify", str(path), "--json").out)


def test_an_altered_face_is_shown_where_it_is_altered(
    commands: Commands, papers: tuple[Image.Image, Image.Image], tmp_path: Path
) -> None:
    """The place in mm, and pictures in the folder that was asked for; from one TIFF of two."""
    sides = [
        scanned(paper, drawn_conditions(at, 200))
        for at, paper in enumerate((altered(papers[0]), papers[1]))
    ]
    path, shown = tmp_path / "scan.tiff", tmp_path / "shown"
    sides[0].save(path, "TIFF", save_all=True, append_images=sides[1:])
    ran = commands.run("verify", str(path), "--show", str(shown))

    assert (1, "altered") == (ran.status, ran.out.splitlines()[-1])
    names = {path.name for path in shown.iterdir()}
    assert {f"sheet-1-{name}.png" for name in ("back", "face", "difference")} == names
    left, top, right, bottom = (dots * 25.4 / PRINTED_DPI for dots in NAME_BOX)
    places = _PLACE.findall(ran.err)
    assert places
    for x, y in places:
        assert left - CLOSE_MM <= int(x) <= right + CLOSE_MM
        assert top - CLOSE_MM <= int(y) <= bottom + CLOSE_MM


def test_a_pdf_and_a_scan_are_verified_together(
    commands: Commands, pdf: bytes, papers: tuple[Image.Image, Image.Image], tmp_path: Path
) -> None:
    """Each in its own way; a face without its back says so."""
    document = tmp_path / "certificate.pdf"
    document.write_bytes(pdf)
    face = scan(papers[0], tmp_path / "face.png", seed=3)
    ran = commands.run("verify", str(document), face, "--json")

    sheets = json.loads(ran.out)["sheets"]
    assert [(True, None), (False, BACK_MISSING)] == [
        (sheet["text_compared"], sheet["problem"]) for sheet in sheets
    ]


def test_a_pdf_whose_pages_are_too_large_is_refused(commands: Commands, tmp_path: Path) -> None:
    """A page as large as a room is not drawn."""
    document = pypdfium2.PdfDocument.new()
    document.new_page(14_000, 14_000)
    written = io.BytesIO()
    document.save(written)
    path = tmp_path / "large.pdf"
    path.write_bytes(written.getvalue())
    ran = commands.run("verify", str(path))

    assert (1, "") == (ran.status, ran.out)
    assert "larger than a sheet can be" in ran.err
