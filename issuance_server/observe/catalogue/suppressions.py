"""Events: suppressions. Neither whom they are about nor why: the log is read by many."""

from issuance_server.observe.event import Event, Level

_SUPPRESSION = {"suppression": "the suppression's id", "operator": "operator id"}

EVENTS = (
    Event(
        name="suppression.set",
        level=Level.INFO,
        fields={**_SUPPRESSION, "subject_kind": "person or household"},
        when="From this moment on nothing is issued for a person or a household.",
    ),
    Event(
        name="suppression.lifted",
        level=Level.INFO,
        fields=_SUPPRESSION,
        when="A suppression was lifted for good.",
    ),
)
