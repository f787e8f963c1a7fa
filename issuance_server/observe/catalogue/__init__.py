"""Every log event there is: an interface for the people and programs that read the log.

A name is dotted and in the past tense. Fields hold ids, codes, counts and durations, never a
name, a PIN, a key or a body; a card appears as the reference that it got when it was registered.
Removing or renaming an event or a field is a change of interface and belongs into the change log.
``docs/log-events.md`` is made from this table.
"""

from issuance_server.observe.catalogue import (
    cards,
    days,
    domiciles,
    issuances,
    issuing,
    lines,
    notices,
    operators,
    process,
    registers,
    suppressions,
    tables,
    visits,
)
from issuance_server.observe.event import Event

GROUPS: dict[str, tuple[Event, ...]] = {
    "The server and its surroundings": process.EVENTS,
    "Lines": lines.EVENTS,
    "Visits and cards": visits.EVENTS,
    "Cards at the counter": cards.EVENTS,
    "Issuances": issuances.EVENTS,
    "The close of days": days.EVENTS,
    "Issuing as a whole": issuing.EVENTS,
    "Operators": operators.EVENTS,
    "Suppressions": suppressions.EVENTS,
    "Notices to holders": notices.EVENTS,
    "Requests by 本籍": domiciles.EVENTS,
    "The register copy": registers.EVENTS,
    "Hours, fees and chains": tables.EVENTS,
}

EVENTS: dict[str, Event] = {event.name: event for group in GROUPS.values() for event in group}
