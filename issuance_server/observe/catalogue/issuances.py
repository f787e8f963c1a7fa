"""Events: issuances."""

from issuance_server.observe.catalogue.fields import (
    ISSUANCE,
    KIND,
    MONEY,
    REASON,
    WHOLE_LIFE,
)
from issuance_server.observe.event import Event, Level

EVENTS = (
    Event(
        name="issuance.applied",
        level=Level.INFO,
        fields={
            **ISSUANCE,
            "visit": "visit id, 32 hex digits",
            "card_ref": "the card's reference, given at registration",
            **KIND,
            "copies": "copies asked for",
        },
        when="A certificate was applied for.",
    ),
    Event(
        name="issuance.quoted",
        level=Level.INFO,
        fields={**ISSUANCE, **MONEY, "sheets": "sheets of all copies"},
        when="Numbers are reserved, the certificate is rendered, and the terminal knows the fee.",
    ),
    Event(
        name="issuance.refused",
        level=Level.INFO,
        fields={**ISSUANCE, **KIND, **REASON},
        when="What was applied for cannot be had, and the holder was told why.",
    ),
    Event(
        name="certificate.refused",
        level=Level.WARNING,
        fields={**ISSUANCE, **KIND, **REASON, "item": "entry and item, not its content"},
        when="What the registers hold cannot be certified by a terminal; the holder pays nothing.",
        what_to_do="If an item is named, have it corrected in the register of this kind; for a "
        "`missing-glyph` add a font. Otherwise the counter serves the holder.",
    ),
    Event(
        name="issuance.released",
        level=Level.INFO,
        fields={**ISSUANCE, **MONEY},
        when="The money is held, the last check passed, and the key was handed out.",
    ),
    Event(
        name="issuance.printed",
        level=Level.INFO,
        fields={**ISSUANCE, "sheets": "sheets that came out"},
        when="The terminal reported that every sheet is out; the fee is earned.",
    ),
    Event(
        name="issuance.print_failed",
        level=Level.WARNING,
        fields={
            **ISSUANCE,
            "sheets": "sheets that came out, at least",
            "cause": "what stopped the printer, as a code",
        },
        when="Printing failed; the numbers are void and the fee goes back.",
        what_to_do="If it repeats, have the printer inspected.",
    ),
    Event(
        name="issuance.withdrawn",
        level=Level.INFO,
        fields={**ISSUANCE, **REASON},
        when="It ended before any key left; there is nothing to confirm.",
    ),
    Event(
        name="issuance.unconfirmed",
        level=Level.ERROR,
        fields={**ISSUANCE, "waited_ms": "time since the release, milliseconds"},
        when="The key is out and the terminal has not said what became of it. Repeats.",
        what_to_do="Have the store look at the machine; then two operators close the issuance.",
    ),
    Event(
        name="issuance.deletion_overdue",
        level=Level.ERROR,
        fields={**ISSUANCE, "waited_ms": "time since the report, milliseconds"},
        when="The terminal has not confirmed that its copy is gone. Repeats.",
        what_to_do="See that the terminal comes back online; it confirms by itself. If it never"
        " does, two operators close the issuance.",
    ),
    Event(
        name="issuance.completed",
        level=Level.INFO,
        fields=WHOLE_LIFE,
        when="Deletion is recorded on both sides: the one line that tells the whole issuance.",
    ),
    Event(
        name="issuance.reversed",
        level=Level.INFO,
        fields=WHOLE_LIFE,
        when="After a failed print, deletion is recorded on both sides and the money is back.",
    ),
    Event(
        name="integrity.alarm",
        level=Level.ERROR,
        fields={
            "issuance": "issuance id, 32 hex digits, or empty",
            "terminal": "terminal id, or empty",
            **REASON,
        },
        when="A page is not the page that was signed, or the audit record does not fit.",
        what_to_do="Issuing stops where the alarm says. Two operators reopen it after the inquiry.",
    ),
)
