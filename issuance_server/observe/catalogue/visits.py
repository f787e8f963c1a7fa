"""Events: visits and cards."""

from issuance_server.observe.catalogue.fields import (
    BY,
    CARD,
    FINGERPRINT,
    LINE,
    REASON,
    TERMINAL,
    VISIT,
)
from issuance_server.observe.event import Event, Level

EVENTS = (
    Event(
        name="visit.begun",
        level=Level.INFO,
        fields=VISIT,
        when="A card was presented and the terminal got a challenge.",
    ),
    Event(
        name="visit.refused",
        level=Level.INFO,
        fields={**VISIT, **REASON},
        when="The holder may have nothing here and now, and was told why.",
    ),
    Event(
        name="pin.right",
        level=Level.INFO,
        fields=CARD,
        when="The PIN was right; the card's tries start afresh.",
    ),
    Event(
        name="pin.wrong",
        level=Level.INFO,
        fields={**CARD, "tries_left": "tries left until the card locks, 0 to 2"},
        when="The PIN was wrong; the try is counted.",
    ),
    Event(
        name="card.locked",
        level=Level.WARNING,
        fields={**TERMINAL, "card_ref": CARD["card_ref"]},
        when="The third wrong PIN in a row locked the card.",
        what_to_do="The holder has to come to the counter with the card.",
    ),
    Event(
        name="card.certificate_not_checkable",
        level=Level.ERROR,
        fields=VISIT,
        when="A card's certificate was refused, because there is no list of revoked certificates "
        "whose time is not over.",
        what_to_do="Fetch the new list into `keys/trust/jpki/`; with the simulated authority: "
        "`issuance-keys jpki crl`. Until then nobody with a 個人番号カード gets anything.",
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
        fields={**TERMINAL, **REASON},
        when="Too many wrong PINs over all cards, or too many failed prints.",
        what_to_do="Have the store look who stands at the machine, then unfreeze it.",
    ),
    Event(
        name="terminal.registered",
        level=Level.INFO,
        fields={**LINE, **FINGERPRINT, **BY},
        when="A new terminal came onto the list and may open its line.",
    ),
    Event(
        name="terminal.renewed",
        level=Level.INFO,
        fields={
            **LINE,
            **FINGERPRINT,
            **BY,
            "overlap_ms": "how long the older ones are still accepted, milliseconds",
        },
        when="A terminal has a new key certificate.",
        what_to_do="Give the terminal its new key before the overlap ends.",
    ),
    Event(
        name="terminal.revoked",
        level=Level.WARNING,
        fields={
            **TERMINAL,
            **BY,
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
        fields={**TERMINAL, **BY},
        when="An operator let the terminal work again.",
    ),
)
