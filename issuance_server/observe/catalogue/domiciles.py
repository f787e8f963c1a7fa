"""Events: requests by 本籍. Neither whose they are nor what was typed."""

from issuance_server.observe.event import Event, Level

_REQUEST = {"request": "request id, 32 hex digits"}
_ACT = {**_REQUEST, "operator": "operator id"}

EVENTS = (
    Event(
        name="domicile.requested",
        level=Level.INFO,
        fields={**_REQUEST, "terminal": "terminal id"},
        when="A card that this city does not know asks to be registered by 本籍.",
        what_to_do="Find the family register: domicile-request list, show, match.",
    ),
    Event(
        name="domicile.matched",
        level=Level.INFO,
        fields=_ACT,
        when="An operator found the person; another one is to approve.",
    ),
    Event(
        name="domicile.approved",
        level=Level.INFO,
        fields=_ACT,
        when="A second operator agreed; the card is registered.",
    ),
    Event(
        name="domicile.rejected",
        level=Level.INFO,
        fields=_ACT,
        when="The counter does not register the card.",
    ),
    Event(
        name="domicile.forgotten",
        level=Level.INFO,
        fields={"count": "of how many requests"},
        when="What applicants had typed was erased, as long after the decision as the rule says.",
    ),
)
