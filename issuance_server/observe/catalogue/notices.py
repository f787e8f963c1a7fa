"""Events: notices to holders (本人通知). Neither whose they are nor where they go."""

from issuance_server.observe.event import Event, Level

EVENTS = (
    Event(
        name="notice.subscribed",
        level=Level.INFO,
        fields={"operator": "operator id"},
        when="A holder wants to be told of certificates, or has another address.",
    ),
    Event(
        name="notice.unsubscribed",
        level=Level.INFO,
        fields={"operator": "operator id"},
        when="A holder wants no more notices; the address was erased.",
    ),
    Event(
        name="notice.sent",
        level=Level.INFO,
        fields={"count": "how many"},
        when="Notices were taken by the mail server, or lie in the folder.",
    ),
    Event(
        name="notice.failed",
        level=Level.WARNING,
        fields={
            "count": "how many are given up",
            "again": "how many are tried again later",
            "reason": "what happened most, as a word",
        },
        when="Notices could not be handed over.",
        what_to_do="See `notice list`; check [notice] and the mail server. Those given up are not"
        " tried any more.",
    ),
)
