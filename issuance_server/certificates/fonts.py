"""Fonts: text to glyphs by HarfBuzz, and the subset of a font that one document embeds.

A character or a variation sequence that no font of the list has refuses the certificate: nothing
is ever printed as a box or as another form of a person's name.
"""

import struct
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pylopdf_fonts_jp
import uharfbuzz as hb

from issuance_server.certificates.cff import CffFont, without_subroutines
from issuance_server.certificates.order import CertificateRefused
from protocol.errors import SetUpError

PDF_UNITS_PER_EM = 1000

_FEATURES = {"kern": False, "liga": False, "clig": False, "calt": False}
"""Off: fields are measured by advance widths alone. ``ccmp`` stays on, for か゚ and its like."""

_DROPPED_TABLES = tuple(
    int.from_bytes(tag.encode("ascii"), "big")
    for tag in (
        *("BASE", "DSIG", "GDEF", "GPOS", "GSUB", "OS/2", "STAT", "VORG", "cmap", "gasp", "kern"),
        *("meta", "name", "post", "vhea", "vmtx"),
    )
)
_SUBSET_FLAGS = (
    hb.SubsetFlags.NO_HINTING
    | hb.SubsetFlags.NO_LAYOUT_CLOSURE
    | hb.SubsetFlags.CFF_IDENTITY_CHARSET
)
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def default_font_paths() -> tuple[Path, ...]:
    """Return the fonts that come with the Python packages: Noto Serif JP, then Noto Sans JP."""
    return pylopdf_fonts_jp.serif_path(), pylopdf_fonts_jp.sans_path()


class Glyph(NamedTuple):
    """One glyph of a set text.

    Attributes:
        font: index into the font list.
        glyph_id: in the whole font.
        text: the characters it stands for; empty if an earlier glyph stands for them too.
        advance: width in thousandths of the type size.
    """

    font: int
    glyph_id: int
    text: str
    advance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """A font program with some glyphs only.

    Attributes:
        program: a bare CFF table, or a TrueType file.
        codes: for every glyph of the whole font its number in the subset.
    """

    program: bytes
    codes: dict[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """A glyph as dots: how much of each is inked.

    Attributes:
        left: column of the first dot; the glyph's origin lies in column 0.
        bottom: row of the lowest dots, upwards; the baseline is the lower edge of row 0.
        width: dots in a row.
        height: rows.
        rows: a byte a dot, from the bottom, 255 where all of it is inked.
    """

    left: int
    bottom: int
    width: int
    height: int
    rows: bytes


class FontFile:
    """One font file: opened when first used, prepared for many subsets when first embedded.

    Raises:
        SetUpError: there is no such file.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise SetUpError(f"font file {path} does not exist: correct the list of fonts")
        self._path = path
        self._advances: dict[int, int] = {}  # no more than the font has

    @cached_property
    def _face(self) -> hb.Face:
        face = hb.Face(hb.Blob.from_file_path(str(self._path)))
        if not face.glyph_count:
            raise SetUpError(f"{self._path} is not a font: correct the list of fonts")
        return face

    @cached_property
    def _font(self) -> hb.Font:
        return hb.Font(self._face)

    @cached_property
    def _cff(self) -> CffFont | None:
        """The font ready to be cut by us, if it is of the kind that Japanese fonts are."""
        table = without_subroutines(self._face) if self.is_cff else None
        return None if table is None else CffFont(table)

    @cached_property
    def _prepared_face(self) -> hb.Face:
        # Costs a quarter of a second once, and makes every subset many times faster.
        return hb.subset_preprocess(self._face)

    @cached_property
    def _raster(self) -> hb.RasterDraw:
        return hb.RasterDraw()

    @property
    def is_cff(self) -> bool:
        """Whether outlines are Compact Font Format rather than TrueType."""
        return "CFF " in self._face.table_tags

    @cached_property
    def postscript_name(self) -> str:
        """The font's name in PDF."""
        name = self._face.get_name(hb.OTNameIdPredefined.POSTSCRIPT_NAME) or self._path.stem
        return "".join(sign for sign in name if sign.isascii() and (sign.isalnum() or sign == "-"))

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """The smallest box around all glyphs, in PDF units."""
        corners: tuple[int, int, int, int] = struct.unpack_from(
            ">4h", self._face.reference_table("head").data, 36
        )
        left, bottom, right, top = (self._pdf_units(corner) for corner in corners)
        return left, bottom, right, top

    @cached_property
    def ascent_descent(self) -> tuple[int, int]:
        """Ascent and (negative) descent, in PDF units."""
        extents = self._font.get_font_extents("ltr")
        return self._pdf_units(extents.ascender), self._pdf_units(extents.descender)

    def covers(self, cluster: str) -> bool:
        """Tell whether there is a glyph for a character with its variation selector or marks."""
        base, *marks = (ord(sign) for sign in cluster)
        if not self._font.get_nominal_glyph(base):
            return False
        return all(
            self._font.get_variation_glyph(base, mark)
            if _is_variation_selector(mark)
            else self._font.get_nominal_glyph(mark)
            for mark in marks
        )

    def shape(self, text: str, index: int) -> Iterator[Glyph]:
        """Set a text that is covered; ``index`` is this font's place in the list."""
        buffer = hb.Buffer()
        buffer.add_str(text)
        buffer.direction, buffer.script, buffer.language = "ltr", "Hani", "ja"
        buffer.cluster_level = hb.BufferClusterLevel.MONOTONE_CHARACTERS
        hb.shape(self._font, buffer, _FEATURES)
        infos, positions = buffer.glyph_infos, buffer.glyph_positions
        starts = [info.cluster for info in infos]
        for place, (info, position) in enumerate(zip(infos, positions, strict=True)):
            if not info.codepoint or position.x_offset or position.y_offset:
                raise CertificateRefused("missing-glyph")
            following = starts[place + 1] if place + 1 < len(starts) else len(text)
            characters = text[info.cluster : following]
            yield Glyph(index, info.codepoint, characters, self._pdf_units(position.x_advance))

    def advance(self, glyph_id: int) -> int:
        """Return a glyph's width in PDF units."""
        known = self._advances.get(glyph_id)
        if known is None:
            known = self._pdf_units(self._font.get_glyph_h_advance(glyph_id))
            self._advances[glyph_id] = known
        return known

    def subset(self, glyph_ids: Iterable[int]) -> Subset:
        """Return the font program that holds these glyphs and ``.notdef``."""
        if self._cff is not None:
            ordered = sorted({0, *glyph_ids})
            codes = {glyph_id: code for code, glyph_id in enumerate(ordered)}
            return Subset(program=self._cff.cut(ordered), codes=codes)
        wanted = hb.SubsetInput()
        wanted.glyph_set.update(glyph_ids)
        wanted.flags = _SUBSET_FLAGS
        wanted.drop_table_tag_set.update(_DROPPED_TABLES)
        plan = hb.SubsetPlan(self._prepared_face, wanted)
        face = plan.execute()
        program = face.reference_table("CFF ").data if self.is_cff else face.blob.data
        return Subset(program=bytes(program), codes=dict(plan.old_to_new_glyph_mapping.items()))

    def draw(self, glyph_id: int, pen: object) -> None:
        """Draw a glyph's outline in font units with a pen in the manner of fontTools."""
        self._font.draw_glyph_with_pen(glyph_id, pen)

    def coverage(self, glyph_id: int, size: float, x: float, y: float) -> Coverage:
        """Return a glyph as dots.

        Args:
            glyph_id: in the whole font.
            size: type size, in dots.
            x: how far right of the left edge of column 0 its origin lies, in dots.
            y: how far above the lower edge of row 0.
        """
        scale = size / self._face.upem
        self._raster.transform = (scale, 0.0, 0.0, scale, x, y)
        self._raster.draw_glyph(self._font, glyph_id)
        image = self._raster.render()
        extents = image.extents
        lines = image.buffer
        return Coverage(
            left=extents.x_origin,
            bottom=extents.y_origin,
            width=extents.width,
            height=extents.height,
            rows=b"".join(
                lines[row * extents.stride : row * extents.stride + extents.width]
                for row in range(extents.height)
            ),
        )

    def _pdf_units(self, font_units: int) -> int:
        units_per_em: int = self._face.upem
        return round(font_units * PDF_UNITS_PER_EM / units_per_em)


class FontList:
    """Fonts in order of preference; each character is set in the first font that has it.

    Raises:
        SetUpError: a file does not exist.
    """

    def __init__(self, paths: Sequence[Path] = ()) -> None:
        self.files = tuple(FontFile(path) for path in paths or default_font_paths())
        # Single characters that were set before: no more than the fonts have, and nobody's name.
        self._known: dict[str, Glyph] = {}

    def glyphs(self, text: str) -> tuple[Glyph, ...]:
        """Set a text in one line.

        Raises:
            CertificateRefused: no font has a character or variation sequence of it.
        """
        try:
            return tuple(map(self._known.__getitem__, text))
        except KeyError:
            return tuple(glyph for part in clusters(text) for glyph in self._set(part))

    def _set(self, cluster: str) -> Iterable[Glyph]:
        for index, file in enumerate(self.files):
            if file.covers(cluster):
                glyphs = tuple(file.shape(cluster, index))
                if len(cluster) == len(glyphs) == 1 and not _joins(cluster):
                    self._known[cluster] = glyphs[0]
                return glyphs
        raise CertificateRefused("missing-glyph")


def clusters(text: str) -> Iterator[str]:
    """Split a text so that variation selectors and combining marks stay with their character."""
    cluster = ""
    for sign in text:
        if cluster and _joins(sign):
            cluster += sign
            continue
        if cluster:
            yield cluster
        cluster = sign
    if cluster:
        yield cluster


def _joins(sign: str) -> bool:
    """Tell whether a character belongs to the one before it."""
    return bool(unicodedata.combining(sign)) or _is_variation_selector(ord(sign))


def _is_variation_selector(code_point: int) -> bool:
    return any(code_point in selectors for selectors in _VARIATION_SELECTORS)
