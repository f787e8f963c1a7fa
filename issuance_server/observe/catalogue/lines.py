"""Events: lines."""

from issuance_server.observe.catalogue.fields import (
    COUNT,
    LINE,
    REASON,
    TERMINAL,
)
from issuance_server.observe.event import Event, Level

EVENTS = (
    Event(
        name="line.handshake_refused",
        level=Level.WARNING,
        fields={"line": "line id that was asked for, 16 hex digits", **REASON, **COUNT},
        when="Somebody wanted to open a line and is not who it must be, or came too often.",
        what_to_do="If the terminal is yours, compare its key certificate with `terminal list`.",
    ),
    Event(
        name="line.opened",
        level=Level.INFO,
        fields={
            **TERMINAL,
            "software": "the terminal's software version",
            "unfinished": "issuances that the terminal still has open",
        },
        when="A terminal and the server know each other and have fresh keys.",
    ),
    Event(
        name="line.closed",
        level=Level.INFO,
        fields={**LINE, **REASON},
        when="A terminal ended business (`in-order`, `counters-differ`), or the list allows it no "
        "more (`terminal-revoked`, `certificate-over`).",
        sometimes=frozenset({"line"}),
    ),
    Event(
        name="line.replaced",
        level=Level.INFO,
        fields=LINE,
        when="The same terminal opened again; the keys of before are dropped.",
        what_to_do="Nothing, unless it repeats: then look at the terminal's network.",
    ),
    Event(
        name="envelope.dropped",
        level=Level.WARNING,
        fields={"line": "line id in the header, 16 hex digits, or empty", **REASON, **COUNT},
        when="Bytes came that are no envelope of a known line, or whose seal does not open.",
        what_to_do="A few happen after a restart. Many from one line mean damage or an attack.",
    ),
    Event(
        name="telegram.dropped",
        level=Level.WARNING,
        fields={**LINE, **REASON},
        when="A telegram with a good seal does not fit the table or the order.",
        what_to_do="Compare the versions of terminal and server.",
    ),
)
