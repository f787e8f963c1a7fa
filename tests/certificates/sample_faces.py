"""Faces of all kinds from the sample city as they are printed, and faces tampered with."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import msgspec

from issuance_server.certificates import pdf_writer
from issuance_server.certificates.back.glyphs import GlyphModules
from issuance_server.certificates.back.page import back_forms, back_page
from issuance_server.certificates.back.raster import FaceRaster
from issuance_server.certificates.back.scramble import scrambled, sheet_key
from issuance_server.certificates.back.window import (
    COLUMNS,
    LEFT_PT,
    MODULE_MM,
    ROWS,
    TOP_PT,
    Bitmap,
    packed,
)
from issuance_server.certificates.code.claim import key_id
from issuance_server.certificates.code.placing import SheetCodes
from issuance_server.certificates.content.common import number_line
from issuance_server.certificates.fonts import PDF_UNITS_PER_EM, FontList, Glyph
from issuance_server.certificates.kinds import MAKINGS
from issuance_server.certificates.layout.display import MM_PT, Line, Mark, Page
from issuance_server.certificates.layout.furniture import numbered
from issuance_server.certificates.order import CertificateOrder
from issuance_server.certificates.pdf_writer import StaticPart
from issuance_server.certificates.render import SheetPlace
from issuance_server.sample.city import ISSUER
from issuance_server.sample.records import sample_record
from issuance_server.sample.residents import sample_households
from keys.signing import SigningKey
from protocol.kinds import Item, Kind, Options, Scope
from protocol.secret import Secret

KEY = SigningKey.from_seed(Secret(b"a seed for tests of the backs 32"))
KEYS = {key_id(KEY.public_key): KEY.public_key}
SECRET = Secret(bytes(range(100, 132)))
NUMBER = "20261130 豊中市 7E001 001 000012"
VERIFY_PAGE = ISSUER.verify_page or "https://verify.toyonaka.example/"

_SHEETS_OF_A_KIND = 3
_BLACKNESS_OFF = 0.15
_INKED_MIN = 0.02
_MEASURED_SIZE = 40.0
_HOUSEHOLD_KINDS = frozenset({Kind.JUMINHYO, Kind.KISAIJIKO, Kind.FUHYO})


@dataclass(frozen=True, kw_only=True)
class Face:
    """One finished face.

    Attributes:
        kind: of certificate.
        place: its number, sheet and sheets.
        page: with number and code.
    """

    kind: Kind
    place: SheetPlace
    page: Page


@dataclass(frozen=True, kw_only=True)
class Tampering:
    """One glyph of a face that is not as it was.

    Attributes:
        page: the altered face.
        how: for people.
        x: left edge of the glyph in the window, in mm.
        y: upper edge.
        size: of its type, in mm.
    """

    page: Page
    how: str
    x: float
    y: float
    size: float


class SampleFaces:
    """The sample city's faces, and what prints them."""

    def __init__(self) -> None:
        self.fonts = FontList()
        self._forms: dict[Kind, Mapping[str, Sequence[Mark]]] = {
            kind: making.forms(self.fonts, ISSUER) for kind, making in MAKINGS.items()
        }
        self._statics: dict[Kind, StaticPart] = {}
        modules = GlyphModules(self.fonts)
        self._rasters = {kind: FaceRaster(modules, forms) for kind, forms in self._forms.items()}
        self._back_static = pdf_writer.prepare(
            self.fonts, back_forms(self.fonts, ISSUER, VERIFY_PAGE)
        )
        self.faces = tuple(self._all())
        glyphs = {glyph for face in self.faces for line in face.page.lines for glyph in line.glyphs}
        self._blackness = {
            glyph: black for glyph in sorted(glyphs) if (black := self._black(glyph)) > _INKED_MIN
        }

    def bitmap(self, face: Face) -> Bitmap:
        """Return what the back of a face holds."""
        return self._rasters[face.kind].bitmap(face.page)

    def pdf(self, kind: Kind, page: Page) -> bytes:
        """Write a face alone."""
        if kind not in self._statics:
            self._statics[kind] = pdf_writer.prepare(self.fonts, self._forms[kind])
        return pdf_writer.write(self.fonts, self._statics[kind], [page], bytes(16))

    def back(self, face: Face) -> Page:
        """Return the back of a face."""
        place = face.place
        rows = scrambled(packed(self.bitmap(face)), sheet_key(SECRET, place.number, place.sheet))
        return back_page(self.fonts, number_line(*place), rows)

    def back_pdf(self, face: Face) -> bytes:
        """Write a back alone."""
        return pdf_writer.write(self.fonts, self._back_static, [self.back(face)], bytes(16))

    def tampered(self, face: Face, seed: int) -> Tampering:
        """Replace a glyph by one as black, erase one, or add one at the end of a line."""
        draw = random.Random(seed)
        while True:
            place = draw.randrange(len(face.page.lines))
            line = face.page.lines[place]
            altered = self._altered(line, draw) if line.glyphs else None
            if altered is None:
                continue
            glyphs, at, how = altered
            lines = list(face.page.lines)
            lines[place] = msgspec.structs.replace(line, glyphs=glyphs)
            x = line.x + sum(_advance(line, glyph) for glyph in line.glyphs[:at])
            tampering = Tampering(
                page=replace(face.page, lines=tuple(lines)),
                how=how,
                x=(x - LEFT_PT) / MM_PT,
                y=(TOP_PT - line.y - line.size_pt) / MM_PT,
                size=line.size_pt / MM_PT,
            )
            if _within(tampering):
                return tampering

    def _altered(
        self, line: Line, draw: random.Random
    ) -> tuple[tuple[Glyph, ...], int, str] | None:
        at = draw.randrange(len(line.glyphs))
        old = line.glyphs[at]
        how = draw.choice(("replaced", "replaced", "erased", "added"))
        if how == "added":
            new = draw.choice([new for new in self._blackness if new.advance == PDF_UNITS_PER_EM])
            return (*line.glyphs, new), len(line.glyphs), f"added {new.text}"
        if old not in self._blackness:
            return None
        if how == "erased":
            (space,) = self.fonts.glyphs("　")
            new = space._replace(advance=old.advance)
            if new.advance != PDF_UNITS_PER_EM:
                return None
            return (*line.glyphs[:at], new, *line.glyphs[at + 1 :]), at, f"erased {old.text}"
        others = [
            new
            for new, black in self._blackness.items()
            if new.text != old.text
            and new.advance == old.advance
            and abs(black / self._blackness[old] - 1) < _BLACKNESS_OFF
        ]
        if not others:
            return None
        new = draw.choice(others)
        how = f"replaced {old.text} by {new.text}"
        return (*line.glyphs[:at], new, *line.glyphs[at + 1 :]), at, how

    def _all(self) -> Iterator[Face]:
        """Yield faces of every kind; of certificates with many sheets the first ones only."""
        codes = SheetCodes("272035", lambda: KEY)
        for order in _orders():
            making = MAKINGS[order.kind]
            copy = making.set(self.fonts, making.say(order))
            for sheet, page in enumerate(copy[:_SHEETS_OF_A_KIND], start=1):
                place = SheetPlace(NUMBER, sheet, len(copy))
                complete = numbered(self.fonts, page, number_line(*place))
                coded = codes(order, place, complete)
                yield Face(kind=order.kind, place=place, page=coded)

    def _black(self, glyph: Glyph) -> float:
        """Return the share of its square that a glyph inks."""
        rows = self.fonts.files[glyph.font].coverage(glyph.glyph_id, _MEASURED_SIZE, 0, 0).rows
        return sum(rows) / 255 / _MEASURED_SIZE**2


def _orders() -> Iterator[CertificateOrder]:
    households = sample_households()
    for kind in Kind:
        for household, holder in ((households[0], 0), (households[2], 2), (households[2], 6)):
            if kind is Kind.KAZEI and holder == 6:  # the oldest pays no tax
                continue
            holder_id = household.members[holder].resident_id
            scope = Scope.HOUSEHOLD if kind in _HOUSEHOLD_KINDS else Scope.SELF
            items = (Item.RELATIONSHIP, Item.DOMICILE) if kind is Kind.JUMINHYO else ()
            wanted: dict[str, Any] = {"record": sample_record(holder_id, kind)}
            yield CertificateOrder(
                issuance_id=bytes(16),
                kind=kind,
                options=Options(scope=scope, items=items),
                holder_id=holder_id,
                household=household,
                numbers=(NUMBER,),
                issued_on=date(2026, 11, 30),
                issuer=ISSUER,
                **wanted,
            )


def _advance(line: Line, glyph: Glyph) -> float:
    return glyph.advance * line.size_pt / PDF_UNITS_PER_EM + line.spacing_pt


def _within(tampering: Tampering) -> bool:
    """Tell whether a glyph lies within the window, which is what backs speak for."""
    right, below = tampering.x + tampering.size, tampering.y + tampering.size
    return tampering.x >= 0 and right < COLUMNS * MODULE_MM and below < ROWS * MODULE_MM
