"""Makes ``docs/log-events.md`` from the catalogue.

``python -m issuance_server.observe.event_page`` writes the page; with ``--check`` it only says
whether the page is up to date.
"""

import sys
from pathlib import Path

from issuance_server.observe.catalogue import EVENTS, GROUPS
from issuance_server.observe.event import Event
from issuance_server.observe.generated import write_or_check

PAGE = Path("docs/log-events.md")

_HEAD = """# Log events

Made from `issuance_server/observe/catalogue/` by `make docs`; do not edit by hand.

The log has one event per line, on standard error. `--log-format json` gives JSON lines for
programs, `--log-format console` readable ones; without it, whichever fits where the output goes.
Each line carries `ts` (UTC, ISO 8601, milliseconds), `level` and `event`, then the fields below.

The events are an interface: names and fields are kept, or their change is in the change log.
Fields hold ids, codes, counts and durations. There is never a name, a PIN, a key or a part of a
certificate in the log; a card appears as the reference that it got when it was registered.

Levels: `info` is the course of things, `warning` is worth a look today, `error` asks somebody to
act now. An event without advice is the normal course.
"""


def page() -> str:
    """Return the whole page."""
    index = ["| Event | Level |", "|---|---|"]
    index += [f"| [`{name}`](#{_anchor(name)}) | {EVENTS[name].level} |" for name in sorted(EVENTS)]
    parts = [_HEAD, "\n".join(index) + "\n"]
    for title, events in GROUPS.items():
        parts.append(f"## {title}\n")
        parts += [_section(event) for event in events]
    return "\n".join(parts)


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page; returns the exit status."""
    return write_or_check(
        PAGE,
        page,
        arguments,
        program="python -m issuance_server.observe.event_page",
        description="Make docs/log-events.md from the catalogue of log events.",
    )


def _section(event: Event) -> str:
    rows = [
        f"| `{name}` | {meaning}{' (not on every line)' if name in event.sometimes else ''} |"
        for name, meaning in event.fields.items()
    ]
    advice = f" *What to do:* {event.what_to_do}" if event.what_to_do else ""
    return "\n".join(
        [
            f"### {event.name}\n",
            f"Level {event.level}. {event.when}{advice}\n",
            "| Field | Meaning |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def _anchor(name: str) -> str:
    return name.replace(".", "")


if __name__ == "__main__":
    sys.exit(main())
