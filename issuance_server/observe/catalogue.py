"""Every log event there is: an interface for the people and programs that read the log.

A name is dotted and in the past tense. Fields hold ids, codes, counts and durations, never a
name, a PIN, a key or a body; a card appears as the reference that it got when it was registered.
Removing or renaming an event or a field is a change of interface and belongs into the change log.
``docs/log-events.md`` is made from this table.
"""

from issuance_server.observe.event import Event, Level

_TERMINAL = {"terminal": "terminal id"}
_LINE = {"terminal": "terminal id", "line": "line id, 16 hex digits"}
_FINGERPRINT = {"fingerprint": "SHA-256 of the key certificate, 64 hex digits"}
_BY = {"operator": "operator id", "reason": "why, in the operator's words"}
_VISIT = {**_TERMINAL, "visit": "visit id, 32 hex digits"}
_CARD = {**_VISIT, "card_ref": "the card's reference, given at registration"}
_ISSUANCE = {"issuance": "issuance id, 32 hex digits", **_TERMINAL}
_KIND = {"kind": "kind of certificate, as on the command line"}
_MONEY = {"fee_yen": "fee in yen, all copies together"}
_WHOLE_LIFE = {
    **_ISSUANCE,
    "card_ref": "the card's reference, given at registration",
    **_KIND,
    "sheets": "sheets of all copies",
    **_MONEY,
    "state": "the state in which it ended",
    "durations_ms": "milliseconds from the application to each state, by name of the state",
}
_REASON = {"reason": "why, as a code"}
_COUNT = {"count": "how many in the last half second"}
_BROKER = {"host": "the broker's host", "port": "the broker's TCP port"}
_CHILD = {"exit_status": "exit status of the process that died; negative: the signal"}
_ACT = {
    "act": "name of the act",
    "operator": "operator id",
    "subject": "what the act is about: an id",
}

_PROCESS_EVENTS = (
    Event(
        name="server.started",
        level=Level.INFO,
        fields={
            "version": "version of the program",
            "municipality": "municipality code, 6 digits",
            "process": "process number",
            "terminals": "number of terminals on the list",
        },
        when="The server is connected, its children answer, and it accepts lines.",
    ),
    Event(
        name="server.draining",
        level=Level.INFO,
        fields={"open_issuances": "issuances not yet at an end", **_REASON},
        when="The server takes no new visits and lets the open issuances come to an end.",
    ),
    Event(
        name="server.stopping",
        level=Level.INFO,
        fields={**_REASON, "open_issuances": "issuances not yet at an end"},
        when="The server was told to stop and closes its lines.",
    ),
    Event(
        name="server.stopped",
        level=Level.INFO,
        fields={"exit_status": "exit status of the server"},
        when="Everything is written and closed; the last line of a run.",
    ),
    Event(
        name="broker.connected",
        level=Level.INFO,
        fields=_BROKER,
        when="The connection to the MQTT broker stands and the topics are subscribed.",
    ),
    Event(
        name="broker.lost",
        level=Level.WARNING,
        fields={
            **_BROKER,
            "reason": "`connection_broken`, `unreachable`, `subscription_refused`, or `refused_` "
            "with MQTT's number",
        },
        when="The connection broke or could not be made; once per outage and reason.",
        what_to_do="Look after the broker and the network. The server connects again by itself.",
    ),
    Event(
        name="gateway.queue_full",
        level=Level.WARNING,
        fields={
            "queued": "messages waiting",
            "dropped_since_start": "messages dropped since the process started",
        },
        when="Messages come faster than they are handled and the first one was dropped.",
        what_to_do="Terminals repeat. If it lasts, the server is too slow or is being flooded.",
    ),
    Event(
        name="judge.restarted",
        level=Level.ERROR,
        fields=_CHILD,
        when="The PIN judge died and a new one answers.",
        what_to_do="Look for its last words on standard error. Tries under way count as failed.",
    ),
    Event(
        name="renderer.restarted",
        level=Level.WARNING,
        fields=_CHILD,
        when="A process that renders certificates died and a new one answers.",
        what_to_do="Look for its last words on standard error.",
    ),
    Event(
        name="key.destruction_blocked",
        level=Level.ERROR,
        fields={"waited_ms": "how long, milliseconds", "keys": "keys that wait to be destroyed"},
        when="A reader keeps deleted keys in the write-ahead log; deletions are not confirmed.",
        what_to_do="Find the program that reads the database for so long, and end it.",
    ),
    Event(
        name="journal.failed",
        level=Level.ERROR,
        fields=_REASON,
        when="The journal could not be written. The server sends nothing more and stops.",
        what_to_do="Make room on the disk or repair it, then start the server again.",
    ),
)

_LINE_EVENTS = (
    Event(
        name="line.handshake_refused",
        level=Level.WARNING,
        fields={"line": "line id that was asked for, 16 hex digits", **_REASON, **_COUNT},
        when="Somebody wanted to open a line and is not who it must be, or came too often.",
        what_to_do="If the terminal is yours, compare its key certificate with `terminal list`.",
    ),
    Event(
        name="line.opened",
        level=Level.INFO,
        fields={
            **_LINE,
            "fingerprint": "SHA-256 of the terminal's key certificate, hex",
            "software": "the terminal's software version",
            "unfinished": "issuances that the terminal still has open",
        },
        when="A terminal and the server know each other and have fresh keys.",
    ),
    Event(
        name="line.closed",
        level=Level.INFO,
        fields={**_LINE, **_REASON},
        when="A terminal ended business (`in-order`, `counters-differ`), or the list allows it no "
        "more (`terminal-revoked`, `certificate-over`).",
    ),
    Event(
        name="line.replaced",
        level=Level.INFO,
        fields=_LINE,
        when="The same terminal opened again; the keys of before are dropped.",
        what_to_do="Nothing, unless it repeats: then look at the terminal's network.",
    ),
    Event(
        name="envelope.dropped",
        level=Level.WARNING,
        fields={"line": "line id in the header, 16 hex digits, or empty", **_REASON, **_COUNT},
        when="Bytes came that are no envelope of a known line, or whose seal does not open.",
        what_to_do="A few happen after a restart. Many from one line mean damage or an attack.",
    ),
    Event(
        name="telegram.dropped",
        level=Level.WARNING,
        fields={**_LINE, **_REASON},
        when="A telegram with a good seal does not fit the table or the order.",
        what_to_do="Compare the versions of terminal and server.",
    ),
)

_VISIT_EVENTS = (
    Event(
        name="visit.begun",
        level=Level.INFO,
        fields=_VISIT,
        when="A card was presented and the terminal got a challenge.",
    ),
    Event(
        name="visit.refused",
        level=Level.INFO,
        fields={**_VISIT, **_REASON},
        when="The holder may have nothing here and now, and was told why.",
    ),
    Event(
        name="pin.right",
        level=Level.INFO,
        fields=_CARD,
        when="The PIN was right; the card's tries start afresh.",
    ),
    Event(
        name="pin.wrong",
        level=Level.INFO,
        fields={**_CARD, "tries_left": "tries left until the card locks, 0 to 2"},
        when="The PIN was wrong; the try is counted.",
    ),
    Event(
        name="card.locked",
        level=Level.WARNING,
        fields=_CARD,
        when="The third wrong PIN in a row locked the card.",
        what_to_do="The holder has to come to the counter with the card.",
    ),
    Event(
        name="card.unlocked",
        level=Level.INFO,
        fields={
            "card_ref": "the card's reference, given at registration",
            **_BY,
        },
        when="The counter reset the card's tries.",
    ),
    Event(
        name="card.try_burned",
        level=Level.WARNING,
        fields={
            "card_ref": "the card's reference, given at registration",
            "tries_left": "tries left until the card locks, 0 to 2",
        },
        when="A crash came between counting a try and comparing; it stays counted as failed.",
        what_to_do="If the holder complains, reset the card at the counter.",
    ),
    Event(
        name="terminal.frozen",
        level=Level.ERROR,
        fields={**_TERMINAL, **_REASON},
        when="Too many wrong PINs over all cards, or too many failed prints.",
        what_to_do="Have the store look who stands at the machine, then unfreeze it.",
    ),
    Event(
        name="terminal.registered",
        level=Level.INFO,
        fields={**_LINE, **_FINGERPRINT, **_BY},
        when="A new terminal came onto the list and may open its line.",
    ),
    Event(
        name="terminal.renewed",
        level=Level.INFO,
        fields={
            **_LINE,
            **_FINGERPRINT,
            **_BY,
            "overlap_ms": "how long the older ones are still accepted, milliseconds",
        },
        when="A terminal has a new key certificate.",
        what_to_do="Give the terminal its new key before the overlap ends.",
    ),
    Event(
        name="terminal.revoked",
        level=Level.WARNING,
        fields={
            **_TERMINAL,
            **_BY,
            "withdrawn": "issuances that were not released yet and are withdrawn",
            "owed": "issuances that were released and whose report or deletion cannot come now",
        },
        when="A terminal is off the list for ever, with all its key certificates.",
        what_to_do="If something is owed, `issuance.unconfirmed` or `issuance.deletion_overdue` "
        "will name it: have the machine looked at.",
    ),
    Event(
        name="terminal.unfrozen",
        level=Level.INFO,
        fields={**_TERMINAL, **_BY},
        when="An operator let the terminal work again.",
    ),
)

_ISSUANCE_EVENTS = (
    Event(
        name="issuance.applied",
        level=Level.INFO,
        fields={
            **_ISSUANCE,
            "visit": "visit id, 32 hex digits",
            "card_ref": "the card's reference, given at registration",
            **_KIND,
            "copies": "copies asked for",
        },
        when="A certificate was applied for.",
    ),
    Event(
        name="issuance.quoted",
        level=Level.INFO,
        fields={**_ISSUANCE, **_MONEY, "sheets": "sheets of all copies"},
        when="Numbers are reserved, the certificate is rendered, and the terminal knows the fee.",
    ),
    Event(
        name="issuance.refused",
        level=Level.INFO,
        fields={**_ISSUANCE, **_KIND, **_REASON},
        when="What was applied for cannot be had, and the holder was told why.",
    ),
    Event(
        name="certificate.refused",
        level=Level.WARNING,
        fields={**_ISSUANCE, **_KIND, **_REASON, "item": "entry and item, not its content"},
        when="What the registers hold cannot be certified by a terminal; the holder pays nothing.",
        what_to_do="If an item is named, have it corrected in the register of this kind; for a "
        "`missing-glyph` add a font. Otherwise the counter serves the holder.",
    ),
    Event(
        name="issuance.released",
        level=Level.INFO,
        fields={**_ISSUANCE, **_MONEY},
        when="The money is held, the last check passed, and the key was handed out.",
    ),
    Event(
        name="issuance.printed",
        level=Level.INFO,
        fields={**_ISSUANCE, "sheets": "sheets that came out"},
        when="The terminal reported that every sheet is out; the fee is earned.",
    ),
    Event(
        name="issuance.print_failed",
        level=Level.WARNING,
        fields={
            **_ISSUANCE,
            "sheets": "sheets that came out, at least",
            "cause": "what stopped the printer, as a code",
        },
        when="Printing failed; the numbers are void and the fee goes back.",
        what_to_do="If it repeats, have the printer inspected.",
    ),
    Event(
        name="issuance.withdrawn",
        level=Level.INFO,
        fields={**_ISSUANCE, **_REASON},
        when="It ended before any key left; there is nothing to confirm.",
    ),
    Event(
        name="issuance.unconfirmed",
        level=Level.ERROR,
        fields={**_ISSUANCE, "waited_ms": "time since the release, milliseconds"},
        when="The key is out and the terminal has not said what became of it. Repeats.",
        what_to_do="Have the store look at the machine; then two operators close the issuance.",
    ),
    Event(
        name="issuance.deletion_overdue",
        level=Level.ERROR,
        fields={**_ISSUANCE, "waited_ms": "time since the report, milliseconds"},
        when="The terminal has not confirmed that its copy is gone. Repeats.",
        what_to_do="See that the terminal comes back online; it confirms by itself.",
    ),
    Event(
        name="issuance.completed",
        level=Level.INFO,
        fields=_WHOLE_LIFE,
        when="Deletion is recorded on both sides: the one line that tells the whole issuance.",
    ),
    Event(
        name="issuance.reversed",
        level=Level.INFO,
        fields=_WHOLE_LIFE,
        when="After a failed print, deletion is recorded on both sides and the money is back.",
    ),
    Event(
        name="integrity.alarm",
        level=Level.ERROR,
        fields={
            "issuance": "issuance id, 32 hex digits, or empty",
            "terminal": "terminal id, or empty",
            **_REASON,
        },
        when="A page is not the page that was signed, or the audit record does not fit.",
        what_to_do="Issuing stops where the alarm says. Two operators reopen it after the inquiry.",
    ),
)

_CONTROL_EVENTS = (
    Event(
        name="control.act_done",
        level=Level.INFO,
        fields=_ACT,
        when="A signed command of an operator was carried out.",
    ),
    Event(
        name="control.act_refused",
        level=Level.WARNING,
        fields={**_ACT, **_REASON},
        when="A command was not signed, not allowed, or came twice.",
        what_to_do="Ask the operator; if it was nobody, look who has access to the socket.",
    ),
)

GROUPS: dict[str, tuple[Event, ...]] = {
    "The server and its surroundings": _PROCESS_EVENTS,
    "Lines": _LINE_EVENTS,
    "Visits and cards": _VISIT_EVENTS,
    "Issuances": _ISSUANCE_EVENTS,
    "Operators": _CONTROL_EVENTS,
}

EVENTS: dict[str, Event] = {event.name: event for group in GROUPS.values() for event in group}
