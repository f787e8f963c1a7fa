"""The city's tables: hours, fees and chains, effective-dated, as pure values with questions."""

from issuance_server.core.tables.calendar import Closed, ClosedCause, Open, ServiceCalendar
from issuance_server.core.tables.city_tables import NO_TABLES, CityTables
from issuance_server.core.tables.fees import (
    Campaign,
    ChainLine,
    Channel,
    CommissionLine,
    FeeLine,
)
from issuance_server.core.tables.hours import (
    DayHours,
    HoursLine,
    InspectionDay,
    Maintenance,
    Span,
    YearlyClosure,
)
from issuance_server.core.tables.periods import Period

__all__ = [
    "NO_TABLES",
    "Campaign",
    "ChainLine",
    "Channel",
    "CityTables",
    "Closed",
    "ClosedCause",
    "CommissionLine",
    "DayHours",
    "FeeLine",
    "HoursLine",
    "InspectionDay",
    "Maintenance",
    "Open",
    "Period",
    "ServiceCalendar",
    "Span",
    "YearlyClosure",
]
