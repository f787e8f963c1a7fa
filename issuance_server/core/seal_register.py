"""The seal register (印鑑登録原票): one registered seal of one person, with its impression."""

from collections.abc import Iterator

import msgspec

from issuance_server.core.record_faults import Fault, date_faults, inconsistent, missing
from issuance_server.core.register import RegisterDate

IMPRESSION_DOTS_PER_INCH = 600
SEAL_SIDE_MM_MIN = 8.0
"""A seal of this side or smaller is not registered (印鑑登録証明事務処理要領) ..."""
SEAL_SIDE_MM_MAX = 25.0
"""... nor is one of a larger side."""
_MM_PER_INCH = 25.4
_BITS_PER_BYTE = 8


class SealImpression(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The impression (印影) as scanned: one bit for each dot at 600 dpi. Its ``repr`` hides it.

    Attributes:
        width_dots: dots in a row.
        height_dots: rows.
        rows: from the top; each padded to whole bytes, first dot in the highest bit, 1 is ink.
    """

    width_dots: int
    height_dots: int
    rows: bytes

    def __repr__(self) -> str:
        return f"SealImpression({self.width_dots}x{self.height_dots})"

    @property
    def width_mm(self) -> float:
        """Real width."""
        return self.width_dots * _MM_PER_INCH / IMPRESSION_DOTS_PER_INCH

    @property
    def height_mm(self) -> float:
        """Real height."""
        return self.height_dots * _MM_PER_INCH / IMPRESSION_DOTS_PER_INCH

    @property
    def is_whole(self) -> bool:
        """Whether there are as many bytes as the size asks for, and some ink among them."""
        row_bytes = -(-self.width_dots // _BITS_PER_BYTE)
        return len(self.rows) == row_bytes * self.height_dots and any(self.rows)


class SealRegistration(
    msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True
):
    """One person's registered seal. Its ``repr`` shows nothing personal.

    Attributes:
        resident_id: 宛名番号 of the owner.
        number: 印鑑登録番号; not printed.
        registered_on: 登録年月日; not printed.
        impression: 印影.
        katakana_name: 氏名のカタカナ表記, registered for foreign residents who asked for it.
        remarks: 備考.
        abolished: whether the registration has ended; nothing is certified then.
    """

    resident_id: str
    number: str
    registered_on: RegisterDate
    impression: SealImpression
    katakana_name: str | None = None
    remarks: str | None = None
    abolished: bool = False

    def __repr__(self) -> str:
        return "SealRegistration(...)"

    def faults(self) -> tuple[Fault, ...]:
        """Return every broken rule; none in a sound record."""
        return tuple(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from missing("印鑑登録番号", self.number)
        yield from date_faults("登録年月日", self.registered_on.text, self.registered_on.on)
        yield from missing("印影", self.impression.is_whole)
        sides = (self.impression.width_mm, self.impression.height_mm)
        fits = all(SEAL_SIDE_MM_MIN < side <= SEAL_SIDE_MM_MAX for side in sides)
        yield from inconsistent("印影の大きさ", unless=fits)
