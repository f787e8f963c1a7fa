"""Finds the signed codes in pictures of sheets: scans, photographs, pages drawn from a PDF."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import zxingcpp
from PIL import Image, ImageFilter, UnidentifiedImageError

from issuance_server.certificates.code.claim import CodeForged, CodeUnreadable, verified
from issuance_server.certificates.code.symbol import claim_bytes
from issuance_server.certificates.verify.verdict import FoundSheet
from protocol.errors import KofuError

PICTURE_BYTES_MAX = 64 * 1024 * 1024
PIXELS_MAX = 100_000_000
"""A4 at 600 dpi has 35 million."""
FRAMES_MAX = 40

_FORMATS = zxingcpp.barcode_formats_from_str("QRCode")
_BLUR_PX = 0.8
_ENLARGED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCode:
    """A QR code in a picture.

    Attributes:
        text: what it says.
        corners: in pixels, upper left, upper right, lower right and lower left of the code,
            however it is turned.
    """

    text: str
    corners: tuple[tuple[float, float], ...]


class PictureUnreadable(KofuError):
    """The file is no picture that can be read here; the text says why."""


def pictures(content: bytes) -> Iterator[Image.Image]:
    """Yield the pictures of a file in grey; a TIFF of a scanner may hold several.

    Raises:
        PictureUnreadable: it is damaged, of an unknown form, or too large.
    """
    if len(content) > PICTURE_BYTES_MAX:
        raise PictureUnreadable("the picture is larger than a scan can be")
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "TIFF")) as file:
            frames = getattr(file, "n_frames", 1)
            if file.width * file.height > PIXELS_MAX or frames > FRAMES_MAX:
                raise PictureUnreadable("the picture is larger than a scan can be")
            for frame in range(frames):
                file.seek(frame)
                yield file.convert("L")
    except Image.DecompressionBombError:
        raise PictureUnreadable("the picture is larger than a scan can be") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        raise PictureUnreadable(
            "the file is no PDF and no PNG, JPEG or TIFF picture, or it is damaged"
        ) from None


def seen_codes(picture: Image.Image) -> list[SeenCode]:
    """Return the QR codes in a grey picture.

    A second look at a blurred and enlarged picture finds codes whose modules are only a few pixels
    wide and full of a scanner's noise.
    """
    found = _read(picture, 1)
    if found:
        return found
    width, height = picture.size
    softened = picture.filter(ImageFilter.GaussianBlur(_BLUR_PX)).resize(
        (width * _ENLARGED, height * _ENLARGED), Image.Resampling.BICUBIC
    )
    return _read(softened, _ENLARGED)


def found_in(picture: Image.Image, public_keys: Mapping[bytes, bytes]) -> FoundSheet:
    """Return what the code of a face says; its text is not compared.

    Args:
        picture: one side of a sheet, in grey.
        public_keys: the city's keys by ``key_id``.
    """
    return found_among(seen_codes(picture), public_keys)


def found_among(codes: Sequence[SeenCode], public_keys: Mapping[bytes, bytes]) -> FoundSheet:
    """Return what the first code says that the city signed."""
    problem, forged = "there is no code on it that can be read", False
    for code in codes:
        try:
            return FoundSheet(claim=verified(claim_bytes(code.text), public_keys))
        except CodeForged as error:
            problem, forged = str(error), True
        except CodeUnreadable as error:
            problem = problem if forged else str(error)
    return FoundSheet(problem=problem, forged=forged)


def _read(picture: Image.Image, enlarged: int) -> list[SeenCode]:
    codes = zxingcpp.read_barcodes(picture, formats=_FORMATS)
    return [SeenCode(text=code.text, corners=_corners(code.position, enlarged)) for code in codes]


def _corners(position: zxingcpp.Position, enlarged: int) -> tuple[tuple[float, float], ...]:
    places = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    return tuple((place.x / enlarged, place.y / enlarged) for place in places)
