"""The city's rules that do not change while it runs: who it is, and how much it takes at once."""

from dataclasses import dataclass
from datetime import date

from issuance_server.core.standing import MoveOutPolicy
from protocol.kinds import Item

VISITS_UNDER_WAY_MAX = 5_000
ISSUANCES_UNDER_WAY_MAX = 1_000
VISITS_PER_TERMINAL_MAX = 64
ISSUANCES_PER_TERMINAL_MAX = 20
"""What is over these is told *busy*, so that memory stays bounded whatever comes, and one terminal
cannot take the places of the others. Issuances count until their release; what is owed afterwards
keeps nobody else out.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CityRules:
    """What the core needs to know of the city.

    Attributes:
        city: municipality code, 6 digits.
        city_name: as in the certificate numbers.
        software: name and version, told at the opening.
        call_centre: telephone number and hours, shown with a refusal.
        items: what may be asked for beside what is always printed.
        age_min_years: who is younger is refused.
        register_age_ms_max: an older register copy refuses.
        move_out: what a filed move-out stops.
        tax_year_days: the days from which the tax records of their year are the latest, where that
            is not 1 June.
    """

    city: str
    city_name: str
    software: str
    call_centre: str
    items: tuple[Item, ...] = (Item.RELATIONSHIP, Item.DOMICILE)
    age_min_years: int = 15
    register_age_ms_max: int = 10 * 60 * 1_000
    move_out: MoveOutPolicy = MoveOutPolicy.HOUSEHOLD
    tax_year_days: tuple[date, ...] = ()


def certificate_number(*, day: str, city_name: str, terminal: str, serial: int) -> str:
    """Return a 発行番号 without page numbers (住民記録システム標準仕様書 §5.5).

    Date, municipality, terminal, printer and serial; the serial runs through the city's day, so
    that the number is unique for ever.
    """
    return f"{day.replace('-', '')} {city_name} {terminal} 001 {serial:06d}"
