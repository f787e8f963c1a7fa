"""A simulated printer, copier and scanner: what becomes of a page between two devices.

The printer draws 600 dots to the inch and its toner spreads; paper and optics blur. A scanner
looks askew, with uneven light, stretches the paper a little, adds noise and compresses as JPEG. A
copier is a scanner whose picture is printed again in black and white.
"""

import io
import math
from dataclasses import dataclass, replace

import numpy as np
import pypdfium2
from PIL import Image, ImageFilter

PRINTED_DPI = 600
_POINTS_PER_INCH = 72
_COPY_THRESHOLD = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How a sheet is scanned.

    Attributes:
        dpi: dots to the inch.
        angle: degrees, against the clock.
        blur_dots: of paper and optics, in dots of the printer.
        noise: standard deviation of a pixel's level, of 255.
        jpeg_quality: of Pillow's scale.
        black: level of ink.
        white: level of paper.
        shade: how much darker one edge is, from 0 to 1.
        stretch: of the height against the width.
        offset_mm: of the sheet on the glass, to the right and down.
        seed: of the noise.
    """

    dpi: int
    angle: float = 0.4
    blur_dots: float = 2.2
    noise: float = 6.0
    jpeg_quality: int = 80
    black: float = 50.0
    white: float = 238.0
    shade: float = 0.1
    stretch: float = 1.002
    offset_mm: tuple[float, float] = (0.5, -0.7)
    seed: int = 0

    def upside_down(self) -> "Conditions":
        """Return the same with the sheet laid the other way round."""
        return replace(self, angle=self.angle + 180)


def drawn_conditions(seed: int, dpi: int) -> Conditions:
    """Draw conditions as they come about in an office."""
    draw = np.random.default_rng((seed, dpi))
    return Conditions(
        dpi=dpi,
        angle=float(draw.uniform(-2.0, 2.0)),
        blur_dots=float(draw.uniform(1.8, 2.8)),
        noise=float(draw.uniform(3, 9)),
        jpeg_quality=int(draw.integers(65, 92)),
        black=float(draw.uniform(30, 70)),
        white=float(draw.uniform(225, 250)),
        shade=float(draw.uniform(0, 0.15)),
        stretch=float(draw.uniform(0.997, 1.003)),
        offset_mm=(float(draw.uniform(-2, 2)), float(draw.uniform(-2, 2))),
        seed=seed,
    )


def printed(pdf: bytes, page: int = 0) -> Image.Image:
    """Print a page: 600 dots to the inch in grey, dark ink spread by a dot."""
    with pypdfium2.PdfDocument(pdf) as document:
        bitmap = document[page].render(scale=PRINTED_DPI / _POINTS_PER_INCH, grayscale=True)
        picture = bitmap.to_pil().convert("L")
    return inked(picture)


def inked(picture: Image.Image) -> Image.Image:
    """Return a page of 600 dpi as its toner lies on the paper, spread by half a dot around."""
    spread = picture.filter(ImageFilter.MinFilter(3))
    return Image.blend(picture, spread, 0.5)


def scanned(paper: Image.Image, conditions: Conditions) -> Image.Image:
    """Scan a printed sheet, or a part of one, on a bed as large; return a picture in grey."""
    drawn = np.random.default_rng(conditions.seed)
    seen = paper.filter(ImageFilter.GaussianBlur(conditions.blur_dots))
    width, height = (round(dots * conditions.dpi / PRINTED_DPI) for dots in paper.size)
    picture = seen.transform(
        (width, height),
        Image.Transform.AFFINE,
        _mapping(conditions, (width, height), paper.size),
        resample=Image.Resampling.BICUBIC,
        fillcolor=255,
    )
    levels = np.asarray(picture, np.float32)
    levels = conditions.black + levels * ((conditions.white - conditions.black) / 255)
    levels *= 1 - conditions.shade * np.linspace(0, 1, width, dtype=np.float32)
    levels += drawn.standard_normal(levels.shape, np.float32) * conditions.noise
    return compressed(Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)), conditions)


def copied(paper: Image.Image, conditions: Conditions) -> Image.Image:
    """Copy a printed sheet: scan it, and print black where the scan is dark."""
    seen = scanned(paper, conditions)
    black = seen.resize(paper.size, Image.Resampling.BICUBIC).point(
        lambda level: 255 if level >= _COPY_THRESHOLD else 0
    )
    return inked(black)


def compressed(picture: Image.Image, conditions: Conditions) -> Image.Image:
    """Compress and open again."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=conditions.jpeg_quality)
    return Image.open(file).convert("L")


def _mapping(
    conditions: Conditions, scan: tuple[int, int], paper: tuple[int, int]
) -> tuple[float, float, float, float, float, float]:
    """Return where on the paper, in dots, a pixel of the scan looks."""
    scale = PRINTED_DPI / conditions.dpi
    angle = math.radians(conditions.angle)
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    dots_per_mm = PRINTED_DPI / 25.4
    left = scan[0] / 2, scan[1] / 2
    right, down = (mm * dots_per_mm for mm in conditions.offset_mm)
    across = (cos, -sin, paper[0] / 2 - right - cos * left[0] + sin * left[1])
    stretch = conditions.stretch
    along = (
        sin * stretch,
        cos * stretch,
        paper[1] / 2 - down - (sin * left[0] + cos * left[1]) * stretch,
    )
    return (*across, *along)
