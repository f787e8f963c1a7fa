"""Events: the city's tables."""

from issuance_server.observe.catalogue.fields import BY
from issuance_server.observe.event import Event, Level

EVENTS = (
    Event(
        name="tables.loaded",
        level=Level.WARNING,
        fields={"digest": "SHA-256 of the file, 64 hex digits", **BY},
        when="An operator put other tables of hours, fees and chains into force.",
        what_to_do="See that what is open now is what the city wants: tables open.",
    ),
)
