"""What PDF/A-2u asks of a file, as far as it can be seen here; docs/certificates.md says more."""

import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image, ImageCms

from issuance_server.certificates.order import CertificateOrder
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.certificates.srgb_profile import srgb_profile

OrderMaker = Callable[..., CertificateOrder]


@pytest.fixture
def written(renderer: CertificateRenderer, make_order: OrderMaker) -> bytes:
    """A certificate of two sheets."""
    return renderer.render(make_order()).pdf


@pytest.fixture
def opened(written: bytes) -> Iterator[pikepdf.Pdf]:
    """The same, opened."""
    with pikepdf.open(io.BytesIO(written)) as document:
        yield document


def _streams(document: pikepdf.Pdf) -> list[Any]:
    return [found for found in document.objects if isinstance(found, pikepdf.Stream)]


def _dictionaries(document: pikepdf.Pdf) -> list[Any]:
    kinds = (pikepdf.Stream, pikepdf.Dictionary)
    return [found for found in document.objects if isinstance(found, kinds)]


def test_the_metadata_name_the_standard_and_nobody(
    opened: pikepdf.Pdf, renderer: CertificateRenderer, make_order: OrderMaker
) -> None:
    """PDF/A-2u in plain XMP, the same for every order: no title, no author, no day."""
    assert "/Info" not in opened.trailer
    plain = opened.Root.Metadata.read_raw_bytes()
    with opened.open_metadata() as metadata:
        assert "2U" == metadata.pdfa_status
        assert {"{http://purl.org/dc/elements/1.1/}format"} == {
            key for key in metadata if "pdfa" not in key
        }
    assert plain.startswith(b'<?xpacket begin="\xef\xbb\xbf"')
    other = renderer.render(make_order(issued_on=date(2027, 1, 4))).pdf
    assert plain == pikepdf.open(io.BytesIO(other)).Root.Metadata.read_raw_bytes()


def test_the_output_intent_is_srgb(opened: pikepdf.Pdf) -> None:
    """One intent, with a profile that turns colours as another sRGB profile does."""
    (intent,) = opened.Root.OutputIntents
    assert "/GTS_PDFA1" == intent.S
    assert 3 == intent.DestOutputProfile.N
    content = intent.DestOutputProfile.read_bytes()
    assert srgb_profile() == content
    assert len(content) == int.from_bytes(content[:4], "big")
    own = ImageCms.ImageCmsProfile(io.BytesIO(content))
    other = ImageCms.createProfile("sRGB")
    colours = [(0, 0, 0), (255, 255, 255), (200, 30, 90), (10, 255, 128), (25, 143, 128)]
    strip = Image.new("RGB", (len(colours), 1))
    strip.putdata(colours)
    turned = ImageCms.profileToProfile(strip, own, other)
    assert turned is not None
    for place, colour in enumerate(colours):
        for expected, actual in zip(colour, turned.getpixel((place, 0)), strict=True):  # type: ignore[arg-type]
            assert abs(expected - actual) <= 1


def test_nothing_that_the_standard_forbids(opened: pikepdf.Pdf, written: bytes) -> None:
    """No transparency, script, file, annotation, encryption, other filter or device colour."""
    for found in _dictionaries(opened):
        for key in ("/SMask", "/Group", "/ExtGState", "/CA", "/ca", "/BM", "/AA", "/EF", "/TR"):
            assert key not in found
    for key in ("/OpenAction", "/AcroForm", "/Names", "/AA", "/OCProperties", "/Requirements"):
        assert key not in opened.Root
    for page in opened.pages:
        assert "/Annots" not in page
    for found in _streams(opened):
        assert found.get("/Filter", "/FlateDecode") == "/FlateDecode"
        for key in ("/F", "/FFilter", "/FDecodeParms"):
            assert key not in found
        assert not found.get("/Interpolate", False)
    assert not opened.is_encrypted
    header, comment = written.split(b"\n", 2)[:2]
    assert b"%PDF-1.7" == header
    assert b"%" == comment[:1]
    assert min(comment[1:5]) > 127
    assert written.endswith(b"%%EOF\n")


def test_colours_are_grey_or_those_of_the_intent(opened: pikepdf.Pdf) -> None:
    """Content streams use g, G, rg and RG alone."""
    forms = [f for f in _streams(opened) if f.get("/Subtype") == "/Form"]
    used = set()
    for content in (*opened.pages, *forms):
        used |= {str(operator) for _, operator in pikepdf.parse_content_stream(content)}
    assert not used & {"cs", "CS", "sc", "SC", "scn", "SCN", "k", "K", "gs", "sh", "ri", "i"}
    assert used & {"g", "rg"}


def test_every_code_has_its_character(opened: pikepdf.Pdf) -> None:
    """Each glyph that is shown is in the font's ToUnicode map, and none is .notdef."""
    forms = [f for f in _streams(opened) if f.get("/Subtype") == "/Form"]
    for content in (*opened.pages, *forms):
        fonts = content.Resources.Font
        maps = {str(name): _mapped(font.ToUnicode.read_bytes()) for name, font in fonts.items()}
        current = ""
        for operands, operator in pikepdf.parse_content_stream(content):
            if str(operator) == "Tf":
                current = str(operands[0])
            elif str(operator) == "Tj":
                codes = bytes(operands[0])
                for at in range(0, len(codes), 2):
                    assert 0 != int.from_bytes(codes[at : at + 2], "big")
                    assert codes[at : at + 2] in maps[current]


def _mapped(cmap: bytes) -> set[bytes]:
    """Return the codes that a map gives characters to, none of which is 0, FEFF or FFFE."""
    pairs = re.findall(
        rb"^<([0-9A-F]{4})> <([0-9A-F]+)>$", cmap.partition(b"endcodespacerange")[2], re.MULTILINE
    )
    assert not {text for _, text in pairs} & {b"0000", b"FEFF", b"FFFE"}
    return {bytes.fromhex(code.decode()) for code, _ in pairs}


def test_fonts_are_described_as_asked(opened: pikepdf.Pdf) -> None:
    """Embedded, Identity-H, no incomplete CIDSet, and codes that are the glyphs' own numbers."""
    composite = [found for found in _dictionaries(opened) if found.get("/Subtype") == "/Type0"]
    assert composite
    for font in composite:
        (descendant,) = font.DescendantFonts
        descriptor = descendant.FontDescriptor
        assert "/Identity-H" == font.Encoding
        assert ("Adobe", "Identity", 0) == (
            str(descendant.CIDSystemInfo.Registry),
            str(descendant.CIDSystemInfo.Ordering),
            descendant.CIDSystemInfo.Supplement,
        )
        assert "/CIDSet" not in descriptor
        assert font.BaseFont == descendant.BaseFont == descriptor.FontName
        if descendant.Subtype == "/CIDFontType2":
            assert "/Identity" == descendant.CIDToGIDMap
            assert "/FontFile2" in descriptor
        else:
            assert "/CIDFontType0C" == descriptor.FontFile3.Subtype


def test_the_profile_is_the_same_in_another_process() -> None:
    """No clock plays a part."""
    program = (
        "import sys\n"
        "from issuance_server.certificates.srgb_profile import srgb_profile\n"
        "sys.stdout.buffer.write(srgb_profile())"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {"PYTHONPATH": str(root), "PYTHONHASHSEED": "3"}
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, env=environment
    )
    assert srgb_profile() == ran.stdout


def test_two_fonts_and_two_readings_keep_to_it(
    renderer: CertificateRenderer, make_single: OrderMaker
) -> None:
    """A name whose glyphs stand for two texts is mapped in both."""
    order = make_single(name="葛見　葛\U000e0101か\u309a葛")
    with pikepdf.open(io.BytesIO(renderer.render(order).pdf)) as document:
        test_every_code_has_its_character(document)
        test_fonts_are_described_as_asked(document)
