"""Events: the copy of the registers. Nobody is named, nor is anybody's number."""

from issuance_server.observe.event import Event, Level

_OPERATOR = {"operator": "operator id"}
_SUBJECT = {"subject_kind": "person or household"}

EVENTS = (
    Event(
        name="register.imported",
        level=Level.WARNING,
        fields={
            "digest": "SHA-256 of the extract, hex",
            "households": "how many are in it",
            "residents": "their members",
            "records": "records of other registers",
            "sequence": "number of the last change that is in it",
            **_OPERATOR,
        },
        when="A full extract took the place of the register copy.",
        what_to_do="See that the change feed goes on behind it: `register status`.",
    ),
    Event(
        name="register.fed",
        level=Level.INFO,
        fields={
            "taken": "changes that were taken",
            "skipped": "changes that the copy had already",
            "sequence": "number of the last one that was taken, or 0",
            **_OPERATOR,
        },
        when="A batch of changes came into the register copy.",
    ),
    Event(
        name="register.feed_gap",
        level=Level.ERROR,
        fields={
            "expected": "number of the first change that is missing",
            "found": "number that came instead",
            **_OPERATOR,
        },
        when="Changes are missing; nothing is taken until they come.",
        what_to_do="Send them from the expected number on, or import a full extract.",
    ),
    Event(
        name="register.stale",
        level=Level.ERROR,
        fields={"age_ms": "how old the copy is, milliseconds"},
        when="The register copy became older than the city allows; nothing is issued any more.",
        what_to_do="Look why the change feed stands still. If the register system is out of "
        "order, two operators can declare stand-in operation: `register stand-in begin`.",
    ),
    Event(
        name="register.fresh",
        level=Level.INFO,
        fields={"age_ms": "how old the copy is, milliseconds"},
        when="The register copy is young enough again.",
    ),
    Event(
        name="register.stand_in_begun",
        level=Level.WARNING,
        fields={"left_ms": "until it ends by itself, milliseconds", **_OPERATOR},
        when="Two operators declared stand-in operation: an old copy is used until its end.",
        what_to_do="End it as soon as the change feed goes on: `register stand-in end`.",
    ),
    Event(
        name="register.stand_in_ended",
        level=Level.WARNING,
        fields={"reason": "`operator`, or `time-over`", "operator": "operator id, or empty"},
        when="Stand-in operation is over; an old copy refuses again.",
        what_to_do="Look through what was issued meanwhile: its releases bear the mark `stand_in`.",
    ),
    Event(
        name="register.edit_begun",
        level=Level.INFO,
        fields=_SUBJECT,
        when="Staff opened a resident or household for editing; nothing is issued meanwhile.",
    ),
    Event(
        name="register.edit_ended",
        level=Level.INFO,
        fields=_SUBJECT,
        when="Staff closed it. An edit that a change ends is told by `register.fed` alone.",
    ),
)
