"""Makes the backs of finished faces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from issuance_server.certificates.back.glyphs import GlyphModules
from issuance_server.certificates.back.page import back_forms, back_page
from issuance_server.certificates.back.raster import FaceRaster
from issuance_server.certificates.back.scramble import scrambled
from issuance_server.certificates.back.window import packed
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout.display import Mark, Page
from issuance_server.certificates.order import Issuer
from protocol.secret import Secret


@dataclass(frozen=True, slots=True)
class BackMaker:
    """Makes the backs of one kind's faces.

    Attributes:
        fonts: for the number.
        raster: draws the faces.
    """

    fonts: FontList
    raster: FaceRaster

    def back(self, face: Page, number: str, key: Secret) -> Page:
        """Return the back of a face.

        Args:
            face: as it is written to the file.
            number: 発行番号 with page and pages, as on the face.
            key: the sheet's.
        """
        rows = scrambled(packed(self.raster.bitmap(face)), key)
        return back_page(self.fonts, number, rows)


@final
class BackMakers:
    """What the backs of all kinds share; one per process.

    Args:
        fonts: those of the faces.
    """

    def __init__(self, fonts: FontList) -> None:
        self._fonts = fonts
        self._glyphs = GlyphModules(fonts)
        self._forms: dict[Issuer, dict[str, list[Mark]]] = {}

    def forms(self, issuer: Issuer) -> Mapping[str, Sequence[Mark]]:
        """Return what is the same on every back, made once."""
        if issuer not in self._forms:
            self._forms = {issuer: back_forms(self._fonts, issuer, issuer.verify_page)}
        return self._forms[issuer]

    def maker(self, forms: Mapping[str, Sequence[Mark]]) -> BackMaker:
        """Return what makes the backs of faces that use these forms."""
        return BackMaker(self._fonts, FaceRaster(self._glyphs, forms))
