"""Events: operators."""

from issuance_server.observe.catalogue.fields import ACT
from issuance_server.observe.event import Event, Level

EVENTS = (
    Event(
        name="control.act_done",
        level=Level.INFO,
        fields=ACT,
        when="A signed command of an operator was carried out.",
    ),
    Event(
        name="control.act_refused",
        level=Level.WARNING,
        fields={
            **ACT,
            "reason": "how far it came: signature, check, record, decision or carrying-out",
        },
        when="A command was not signed, not allowed, or came twice. The sentence that says why"
        " goes to the operator alone, for it may name a resident.",
        what_to_do="Ask the operator; if it was nobody, look who has access to the socket.",
    ),
)
