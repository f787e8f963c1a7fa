"""The renderer: an order in, a finished PDF and the digests of its sheets out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from issuance_server.certificates import pdf_writer
from issuance_server.certificates.back.making import BackMaker, BackMakers
from issuance_server.certificates.back.scramble import sheet_key
from issuance_server.certificates.content.common import number_line
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.kinds import MAKINGS, Making
from issuance_server.certificates.layout.display import Page
from issuance_server.certificates.layout.furniture import numbered
from issuance_server.certificates.order import (
    CertificateOrder,
    CertificateRefused,
    Issuer,
    Rendered,
)
from issuance_server.certificates.pdf_writer import StaticPart
from protocol import limits
from protocol.errors import Misuse
from protocol.kinds import Kind
from protocol.secret import Secret
from protocol.sheet_digest import digests_of_sheets

STATIC_PARTS_MAX = 32
"""Prepared forms kept in a process: for each kind, and some changes of the seal."""


class SheetPlace(NamedTuple):
    """Which sheet of which copy.

    Attributes:
        number: 発行番号 of the copy.
        sheet: from 1.
        sheets: of each copy.
    """

    number: str
    sheet: int
    sheets: int


Coding = Callable[[CertificateOrder, SheetPlace, Page], Page]
"""Puts the signed code on a finished sheet, within ``furniture.CODE_BOX``."""


def no_code(_order: CertificateOrder, _place: SheetPlace, page: Page) -> Page:
    """Leave the room for the code white."""
    return page


def no_secret() -> Secret:
    """Make no backs.

    Raises:
        Misuse: an order asked for some.
    """
    raise Misuse("there is no secret to scramble backs with")


class _Sheet(NamedTuple):
    """A finished sheet: its sides, and what its back was scrambled with."""

    sides: tuple[Page, ...]
    back_key: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """What is the same for every certificate of a kind."""

    static: StaticPart
    backs: BackMaker | None


class CertificateRenderer:
    """Renders certificates; the same order gives the same bytes.

    One renderer per process: fonts are opened and forms prepared once, on first use. It holds
    nothing of an order once ``render`` has returned.

    Args:
        font_paths: fonts in order of preference; by default those of the Python packages.
        makings: content and layout of each kind that the city offers.
        code: puts the signed code on each sheet, whose text is complete by then.
        back_secret: gives the secret that backs are scrambled with now, 32 bytes.

    Raises:
        SetUpError: a font file does not exist.
    """

    def __init__(
        self,
        font_paths: Sequence[Path] = (),
        *,
        makings: Mapping[Kind, Making[Any]] = MAKINGS,
        code: Coding = no_code,
        back_secret: Callable[[], Secret] = no_secret,
    ) -> None:
        self._fonts = FontList(font_paths)
        self._makings = makings
        self._code = code
        self._back_secret = back_secret
        self._backs = BackMakers(self._fonts)
        self._prepared: dict[tuple[Making[Any], Issuer], _Prepared] = {}

    def render(self, order: CertificateOrder) -> Rendered:
        """Render every copy of a certificate into one file, copy after copy.

        Raises:
            CertificateRefused: it cannot be made as it must be; see its ``reason``.
            SetUpError: a font file is not a font.
        """
        if not 1 <= len(order.numbers) <= limits.COPIES_MAX:
            raise Misuse("an order has a number for each of its copies")
        making = self._makings.get(order.kind)
        if making is None:
            raise CertificateRefused("kind-not-offered")
        copy = making.set(self._fonts, making.say(order))
        if len(copy) * len(order.numbers) > limits.SHEETS_MAX:
            raise CertificateRefused("too-many-sheets")
        prepared = self._prepared_for(making, order.issuer)
        sheets = tuple(self._sheets(order, copy, prepared.backs))
        pages = tuple(chain.from_iterable(sheet.sides for sheet in sheets))
        pdf, digests = pdf_writer.write_digested(
            self._fonts, prepared.static, pages, order.issuance_id
        )
        return Rendered(
            pdf=pdf,
            sheets=len(sheets),
            sheets_per_copy=len(copy),
            sheet_digests=digests_of_sheets(digests, len(sheets)),
            back_keys=tuple(sheet.back_key.reveal() for sheet in sheets if sheet.back_key),
        )

    def _sheets(
        self, order: CertificateOrder, copy: tuple[Page, ...], backs: BackMaker | None
    ) -> Iterator[_Sheet]:
        """Yield the sheets of all copies, with their numbers, codes and backs."""
        secret = self._back_secret() if backs else None
        for number in order.numbers:
            for sheet, page in enumerate(copy, start=1):
                place = SheetPlace(number, sheet, len(copy))
                line = number_line(*place)
                face = self._code(order, place, numbered(self._fonts, page, line))
                if backs is None or secret is None:
                    yield _Sheet(sides=(face,))
                    continue
                key = sheet_key(secret, number, sheet)
                yield _Sheet(sides=(face, backs.back(face, line, key)), back_key=key)

    def _prepared_for(self, making: Making[Any], issuer: Issuer) -> _Prepared:
        key = (making, issuer)
        if key not in self._prepared:
            if len(self._prepared) == STATIC_PARTS_MAX:
                self._prepared.clear()
            forms = making.forms(self._fonts, issuer)
            backs = self._backs.forms(issuer) if issuer.backs else {}
            self._prepared[key] = _Prepared(
                static=pdf_writer.prepare(self._fonts, {**forms, **backs}),
                backs=self._backs.maker(forms) if backs else None,
            )
        return self._prepared[key]
