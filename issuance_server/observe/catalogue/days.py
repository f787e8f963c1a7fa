"""Events: the close of days, and ends by two operators."""

from issuance_server.observe.catalogue.fields import ISSUANCE, MONEY, REASON, TERMINAL
from issuance_server.observe.event import Event, Level

_DAY = {"day": "business day, `YYYY-MM-DD`", "operator": "operator id"}
_BY_TWO = {"operator": "operator id", "second": "id of the second operator"}

EVENTS = (
    Event(
        name="day.closed",
        level=Level.INFO,
        fields={
            **_DAY,
            "issuances": "issuances that count in the day",
            "copies": "certificates that were issued",
            "earned_yen": "fees that the city keeps, in yen",
            "commission_yen": "what it owes to the chains for them, in yen",
            "carried_over": "terminals that two operators carried over",
        },
        when="A day was closed for good; what ends from now on counts in a later one.",
    ),
    Event(
        name="day.blocked",
        level=Level.WARNING,
        fields={**_DAY, "count": "how many things keep it open", **REASON},
        when="A day was to be closed and cannot be; the reasons are those of `day status`.",
        what_to_do="`day status` names the terminals and the issuances. A day that stays open "
        "keeps the days after it open.",
    ),
    Event(
        name="day.line_carried_over",
        level=Level.WARNING,
        fields={
            "day": "business day, `YYYY-MM-DD`",
            **TERMINAL,
            **_BY_TWO,
            "unfinished": "issuances that are not at an end",
        },
        when="A terminal cannot be reached: two operators let the day close without it.",
        what_to_do="Have it looked after; it keeps the next day open.",
    ),
    Event(
        name="day.difference_settled",
        level=Level.INFO,
        fields={"day": "business day, `YYYY-MM-DD`", **TERMINAL, **_BY_TWO},
        when="Two operators found out why the counters of terminal and city differed.",
    ),
    Event(
        name="issuance.closed",
        level=Level.INFO,
        fields={
            **ISSUANCE,
            **MONEY,
            "fee": "`earned` or `returned`",
            **_BY_TWO,
        },
        when="Two operators closed an issuance of which no word came; its key is destroyed.",
    ),
    Event(
        name="issuance.reported_late",
        level=Level.WARNING,
        fields={
            **ISSUANCE,
            "outcome": "`printed` or `failed`, in the terminal's signed word",
            "sheets": "sheets that came out",
        },
        when="A terminal spoke about an issuance that two operators had closed; nothing changes.",
        what_to_do="Compare it with the fee that the operators decided; `day status` lists it, and "
        "a correction belongs into the accounts of that day.",
    ),
    Event(
        name="line.reopened",
        level=Level.INFO,
        fields={**TERMINAL, **_BY_TWO},
        when="Two operators let a terminal that was stopped go on.",
    ),
    Event(
        name="terminal.stopped_for_inspection",
        level=Level.ERROR,
        fields={
            **ISSUANCE,
            "failed": "prints that failed by a fault of the machine, since the last inspection",
            "reported": "all its prints since then",
        },
        when="Prints of a terminal failed too often: more than 3 in 24 hours, or more than 2 % of "
        "at least 50.",
        what_to_do="Have the printer looked after; then two operators reopen it with "
        "`terminal reopen`.",
    ),
)
