"""Reads ``tables.toml`` strictly: what it does not say clearly is refused, with the way out.

A fault names the line by its place in the file and what it means, such as ``fees[2] (juminhyo at
store, from 2027-04-01)``; places count from 1 within their table.
"""

import datetime as dt
from itertools import pairwise

import msgspec

from issuance_server.core.calendar import JST
from issuance_server.core.tables import lines as f
from issuance_server.core.tables.calendar import ServiceCalendar
from issuance_server.core.tables.city_tables import CityTables
from issuance_server.core.tables.consistency import check_consistency, meaning
from issuance_server.core.tables.fees import (
    Campaign,
    ChainLine,
    CommissionLine,
    FeeLine,
)
from issuance_server.core.tables.hours import (
    HoursLine,
    InspectionDay,
    Maintenance,
    Span,
    YearlyClosure,
)
from issuance_server.core.tables.misfits import misfit
from protocol.errors import SetUpError
from protocol.kinds import Kind

TABLES_BYTES_MAX = 64 * 1_024
"""The journal keeps every version whole."""

YEAR_MIN = 1990
YEAR_MAX = 2999
"""The first machines of Japan's cities came in the nineties; nobody plans beyond the other."""


def read_tables(content: bytes) -> CityTables:
    """Read the city's tables.

    Raises:
        SetUpError: they are too long, no TOML, or say something unknown, impossible or unclear; the
            text names the line and the way out.
    """
    if len(content) > TABLES_BYTES_MAX:
        raise SetUpError(
            f"they are longer than {TABLES_BYTES_MAX} bytes; take out lines that ended long ago"
        )
    try:
        file = msgspec.toml.decode(content, type=f.TablesFile)
    except msgspec.ValidationError as error:
        raise SetUpError(misfit(error, content)) from None
    except msgspec.DecodeError as error:
        raise SetUpError(f"they are no TOML: {error}; put that place right") from None
    except UnicodeDecodeError:
        raise SetUpError("save them as UTF-8") from None
    except RecursionError:
        raise SetUpError("they are nested too deeply; write one thing a line") from None
    _check_each(file)
    check_consistency(file)
    return CityTables(
        calendar=_calendar(file),
        fees=tuple(
            FeeLine(channel=line.channel, period=line.period, yen=line.yen) for line in file.fees
        ),
        campaigns=tuple(
            Campaign(
                channel=line.channel,
                period=line.period,
                yen=line.yen,
                chains=frozenset(line.chains),
            )
            for line in file.campaigns
        ),
        chains=tuple(
            ChainLine(
                chain=line.chain,
                terminal_class=line.class_,
                kinds=frozenset(line.kinds),
                period=line.period,
                in_city_only=line.in_city_only,
            )
            for line in file.chains
        ),
        commissions=tuple(
            CommissionLine(
                chain=line.chain, kinds=frozenset(line.kinds), period=line.period, yen=line.yen
            )
            for line in file.commissions
        ),
    )


def _calendar(file: f.TablesFile) -> ServiceCalendar:
    return ServiceCalendar(
        hours=tuple(_hours(line) for line in file.hours),
        yearly_closures=tuple(
            YearlyClosure(
                period=line.period,
                first=f.month_day(line.first),
                last=f.month_day(line.last),
                terminal_class=line.class_,
            )
            for line in file.yearly_closures
        ),
        inspection_days=tuple(
            InspectionDay(day=line.day, terminal_class=line.class_) for line in file.inspection_days
        ),
        maintenance=tuple(
            Maintenance(
                span=Span(from_ms=_ms(line.from_), until_ms=_ms(line.until)),
                kinds=frozenset(line.kinds or Kind),
                terminal_class=line.class_,
            )
            for line in file.maintenance
        ),
        holidays=frozenset(file.holidays),
    )


def _hours(line: f.Hours) -> HoursLine:
    return HoursLine(
        terminal_class=line.class_,
        kinds=frozenset(line.kinds),
        period=line.period,
        week=tuple(f.day_hours(text or f.CLOSED) for text in line.texts()),
        on_holidays=f.day_hours(line.holidays or f.CLOSED),
        holidays_differ=line.holidays is not None,
    )


def _check_days(file: f.TablesFile) -> None:
    """Check that every line's days can be meant, and stand in order."""
    dated: dict[str, tuple[f.Dated | f.CampaignOfFees, ...]] = {
        "hours": file.hours,
        "yearly_closures": file.yearly_closures,
        "fees": file.fees,
        "campaigns": file.campaigns,
        "chains": file.chains,
        "commissions": file.commissions,
    }
    for table, lines in dated.items():
        for at, line in enumerate(lines, start=1):
            name, until = meaning(table, at, line), line.until or line.from_
            _meant(name, line.from_, until)
            if until < line.from_:
                raise SetUpError(f"{name} ends before it begins; exchange from and until")


def _meant(name: str, *days: dt.date) -> None:
    if not all(YEAR_MIN <= day.year <= YEAR_MAX for day in days):
        raise SetUpError(
            f"{name}: days go from {YEAR_MIN} to {YEAR_MAX}; until further notice is said by"
            " leaving `until` out"
        )


def _check_each(file: f.TablesFile) -> None:
    """Check what every line says for itself."""
    _check_days(file)
    for at, hours in enumerate(file.hours, start=1):
        name = meaning("hours", at, hours)
        _readable(name, [*hours.texts(), hours.holidays])
        if not any(hours.texts()):
            raise SetUpError(
                f'{name} says no hours; write them, such as daily = "06:30-23:00", or daily ='
                ' "closed"'
            )
        if hours.holidays is not None and not file.holidays:
            raise SetUpError(
                f"{name} has hours for holidays, but none are listed; list them at the top:"
                " holidays = [2027-01-01]"
            )
    for at, closure in enumerate(file.yearly_closures, start=1):
        try:
            f.month_day(closure.first), f.month_day(closure.last)
        except ValueError as error:
            raise SetUpError(f"{meaning('yearly_closures', at, closure)}: {error}") from None
    _meant("holidays", *file.holidays)
    _meant("inspection_days", *(one.day for one in file.inspection_days))
    for at, window in enumerate(file.maintenance, start=1):
        _meant(f"maintenance[{at}]", window.from_, window.until)
        if window.from_ >= window.until:
            raise SetUpError(
                f"maintenance[{at}] ends at {window.until}, before it begins at {window.from_};"
                " exchange the two"
            )
    for earlier, later in pairwise(file.holidays):
        if earlier >= later:
            raise SetUpError(f"holidays: {later} stands after {earlier}; put them in order, once")


def _readable(name: str, texts: list[f.HoursText | None]) -> None:
    for text in texts:
        try:
            f.day_hours(text or f.CLOSED)
        except ValueError as error:
            raise SetUpError(f"{name}: {error}") from None


def _ms(moment: dt.datetime) -> int:
    """Return a moment as written, in Japan, as business time."""
    return int(moment.replace(tzinfo=JST).timestamp()) * 1_000
