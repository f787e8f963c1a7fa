"""Events: the server and its surroundings."""

from issuance_server.observe.catalogue.fields import (
    BROKER,
    CHILD,
    REASON,
    TRACE,
)
from issuance_server.observe.event import Event, Level

EVENTS = (
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
        fields={"open_issuances": "issuances not yet at an end", **REASON},
        when="The server takes no new visits and lets the open issuances come to an end.",
    ),
    Event(
        name="server.stopping",
        level=Level.INFO,
        fields={**REASON, "open_issuances": "issuances not yet at an end"},
        when="The server was told to stop and closes its lines.",
    ),
    Event(
        name="server.stopped",
        level=Level.INFO,
        fields={"exit_status": "exit status of the server"},
        when="Everything is written and closed; the last line of a run.",
    ),
    Event(
        name="backup.made",
        level=Level.INFO,
        fields={
            "records": "records of the journal in it",
            "length_bytes": "bytes of all its files",
            "snapshot_ms": "for how long the emptying of the write-ahead log had to wait",
            "cards_apart": "cards that are taken by the judge or by the city alone",
        },
        when="`issuance-server backup` has written a backup; by that command, not the server.",
        what_to_do="Where cards stand apart, finish or cancel their registrations.",
    ),
    Event(
        name="city.restored",
        level=Level.WARNING,
        fields={
            "records": "records of the journal that are kept",
            "replayed": "those of them that came after the backup",
            "withdrawn": "issuances that were withdrawn",
            "first_serial": "where the numbers of certificates begin from now on",
            "cards": "cards with one try until the counter clears them",
        },
        when="`issuance-server restore` has put the city back; by that command, not the server.",
        what_to_do="Follow docs/operating/backup.md: announce it, feed the registers, and compare"
        " the lists of terminals and cards with what was decided since.",
    ),
    Event(
        name="broker.connected",
        level=Level.INFO,
        fields=BROKER,
        when="The connection to the MQTT broker stands and the topics are subscribed.",
    ),
    Event(
        name="broker.lost",
        level=Level.WARNING,
        fields={
            **BROKER,
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
        name="trace.missed",
        level=Level.WARNING,
        fields={**TRACE, "count": "entries left out since this was last told"},
        when="A recording could not keep up; at most one line in five seconds for each file.",
        what_to_do="The trace says where it has a gap. Use a faster disk, or give it more memory "
        "with `trace.waiting_megabytes_max`.",
    ),
    Event(
        name="trace.failed",
        level=Level.WARNING,
        fields={**TRACE, **REASON},
        when="The disk refused a recording; it has ended, and everything else goes on.",
        what_to_do="Make room on the disk. The next start of the server begins another recording.",
    ),
    Event(
        name="judge.restarted",
        level=Level.ERROR,
        fields=CHILD,
        when="The PIN judge died and a new one answers.",
        what_to_do="Look for its last words on standard error. Tries under way count as failed.",
    ),
    Event(
        name="renderer.restarted",
        level=Level.WARNING,
        fields=CHILD,
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
        fields=REASON,
        when="The journal could not be written. The server sends nothing more and stops.",
        what_to_do="Make room on the disk or repair it, then start the server again.",
    ),
)
