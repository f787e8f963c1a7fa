"""Events: cards at the counter."""

from issuance_server.observe.catalogue.fields import BY
from issuance_server.observe.event import Event, Level

_CARD = {"card_ref": "the card's reference, given at registration"}
_BY = {"operator": "operator id"}
_BY_TWO = {**_BY, "second": "id of the second operator"}

EVENTS = (
    Event(
        name="card.registration_begun",
        level=Level.INFO,
        fields={**_CARD, **_BY},
        when="An operator began to register a card; a second one has to approve it.",
    ),
    Event(
        name="card.registration_approved",
        level=Level.INFO,
        fields={**_CARD, **_BY},
        when="A second operator approved the registration of a card; its trial is next.",
    ),
    Event(
        name="card.registered",
        level=Level.INFO,
        fields={**_CARD, **_BY},
        when="A trial at the counter showed that the card works; from now on it is registered.",
    ),
    Event(
        name="card.registration_cancelled",
        level=Level.INFO,
        fields={**_CARD, **_BY},
        when="Nothing came of the registration of a card.",
    ),
    Event(
        name="card.withdrawn",
        level=Level.INFO,
        fields={**_CARD, **_BY},
        when="A card is taken no more: it was lost, or its holder died.",
    ),
    Event(
        name="card.unlocked",
        level=Level.INFO,
        fields={**_CARD, **BY, **_BY_TWO},
        when="Two operators gave a card its tries back at the counter.",
    ),
    Event(
        name="card.pin_reset",
        level=Level.INFO,
        fields={**_CARD, **_BY_TWO},
        when="The holder typed a new PIN at the counter, before two operators; it is taken from "
        "the next day on.",
    ),
)
