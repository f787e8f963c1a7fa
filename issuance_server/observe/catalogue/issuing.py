"""Events: what stops issuing in the whole city, evidence, and what a node has to be."""

from issuance_server.observe.event import Event, Level

_BY_TWO = {"operator": "operator id", "second": "id of the second operator"}
_EVIDENCE = {
    "reason": "what cannot be kept: `log`, `checkpoints` or `judge-events`",
    "lost_ms": "for how long, milliseconds",
}
_CHILD = {
    "child": "`pin-judge` or `renderer`",
    "build": "digest of the program that the child runs, 64 hex digits",
}

EVENTS = (
    Event(
        name="issuing.stopped",
        level=Level.ERROR,
        fields={
            "reason": "`server-gate`, `mismatch-reports` or `operator`",
            "fault": "what was found, as a word; or the operator's words",
            "terminals": "ids of the terminals that reported a mismatch, or empty",
            "issuance": "issuance id, 32 hex digits, or empty",
        },
        when="Nothing is issued in the whole city: the city's own gate failed, two terminals "
        "reported a mismatch within ten minutes, or an operator stopped it.",
        what_to_do="Find out how a wrong paper could come so near. Then two operators: "
        "`issuance reopen`.",
    ),
    Event(
        name="issuing.reopened",
        level=Level.WARNING,
        fields=_BY_TWO,
        when="Two operators let issuing go on after a stop of the whole city.",
        what_to_do="Nothing, if you know what was found.",
    ),
    Event(
        name="evidence.lost",
        level=Level.ERROR,
        fields={**_EVIDENCE, "open_issuances": "issuances not yet at an end"},
        when="Evidence could not be kept for longer than its bound. Nothing new is accepted; what "
        "is under way finishes.",
        what_to_do="`log`: make room, or repair what reads the log. `judge-events`: look after the "
        "PIN judge. `checkpoints`: look after the key and the disk. It goes on by itself then.",
    ),
    Event(
        name="evidence.kept",
        level=Level.WARNING,
        fields=_EVIDENCE,
        when="It can be kept again, and issuing goes on.",
        what_to_do="Find out why it could not.",
    ),
    Event(
        name="log.written_again",
        level=Level.ERROR,
        fields={"lines": "lines that were lost or came late since the process started"},
        when="The log can be written after lines were lost; the journal has everything.",
        what_to_do="Find out what filled the disk or stopped reading.",
    ),
    Event(
        name="manifest.declared",
        level=Level.WARNING,
        fields=_BY_TWO,
        when="Two operators declared what the city's node has to be from now on.",
        what_to_do="Compare it with the release that was approved.",
    ),
    Event(
        name="manifest.differs",
        level=Level.WARNING,
        fields={
            "item": "what differs, such as `build` or `config`",
            "declared": "what is declared, or empty",
            "found": "what this node is",
        },
        when="The node is not as declared and starts all the same: `node.manifest` is `follow`.",
        what_to_do="Never let a city that issues run so. See docs/operating/fail-closed.md.",
    ),
    Event(
        name="child.differs",
        level=Level.WARNING,
        fields=_CHILD,
        when="A child was started from other files than the server, and is used all the same: "
        "`node.manifest` is `follow`.",
        what_to_do="Start the server again when you have finished changing the program.",
    ),
    Event(
        name="child.refused",
        level=Level.ERROR,
        fields=_CHILD,
        when="A child was started from other files than the server: somebody replaced the program "
        "while it runs. The child is not used; without it nothing is issued.",
        what_to_do="Stop the server, compare `manifest show` with what was approved, start again.",
    ),
)
