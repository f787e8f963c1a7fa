"""What a trace holds, as typed entries (SPEC.md §18).

A trace is a header and then entries in the order in which things happened. One kind of trace holds
what was said on lines, the other what a core was given and what it decided. Neither holds a PIN, a
key, a name or a body.

Fields that a reader does not know are ignored, and so are kinds of entry: a later minor version may
add some. A reader refuses another major version (TP-131).
"""

from enum import Enum
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from protocol.fields import Count, Name, ShortText, TimeMs
from protocol.limits import LINE_ID_BYTES

MAJOR = 1
MINOR = 1
FORMAT = "konbini-kofu-trace"

LineId: TypeAlias = Annotated[bytes, Meta(min_length=LINE_ID_BYTES, max_length=LINE_ID_BYTES)]
Generation: TypeAlias = Annotated[int, Meta(ge=0, lt=1 << 32)]


class TraceKind(Enum):
    """What a trace is about."""

    TELEGRAMS = "telegrams"  # what was said, both directions
    CORE = "core"  # what a core was given, and what it decided: exact


class Recorder(Enum):
    """Who wrote a trace."""

    SERVER = "server"
    TERMINAL = "terminal"
    SCENARIO = "scenario"  # nobody: it was written by hand


class Way(Enum):
    """Which way a telegram went."""

    UP = "up"  # to the city
    DOWN = "down"  # to the terminal


class LineWord(Enum):
    """What can happen to a line beside telegrams."""

    READY = "ready"  # new keys are in force
    DROPPED = "dropped"  # an envelope was dropped
    MALFORMED = "malformed"  # a telegram came through the seal and fits no table
    CLOSED = "closed"  # its keys were thrown away
    CONNECTED = "connected"  # to the carrier
    DISCONNECTED = "disconnected"


class Header(msgspec.Struct, frozen=True, kw_only=True, tag_field="entry", tag="header"):
    """The first entry of every trace.

    Attributes:
        format: always ``FORMAT``.
        major: a reader that knows another one refuses.
        minor: of the same major version; later ones add fields and kinds of entry.
        kind: what the trace is about.
        recorder: who wrote it.
        city: municipality code, 6 digits.
        software: name and version of the recorder's program.
        tables_version: version of its telegram and state tables.
        started_at_ms: when it began, milliseconds since 1970 UTC; 0 where it was written by hand.
        part: 0 and up; a recorder begins a new file when one is full.
        note: what somebody wants to say about it.
        settings: of a core trace, what the core was made with (``repr`` of plain values by name).
    """

    format: str
    major: Count
    minor: Count
    kind: TraceKind
    recorder: Recorder
    city: Name
    software: ShortText
    tables_version: Count
    started_at_ms: TimeMs
    part: Count = 0
    note: ShortText = ""
    settings: dict[str, Any] = {}


class Said(msgspec.Struct, frozen=True, kw_only=True, tag_field="entry", tag="said"):
    """A telegram that was sent, or came through the seal.

    Attributes:
        at_ms: since the trace began.
        line: which.
        terminal: whose line that is.
        way: up to the city or down to the terminal.
        generation: of the keys.
        counter: of the envelope: with ``generation`` the name of this copy.
        digest: SHA-256 of the plaintext; a reply names it.
        envelope_bytes: length of the envelope.
        telegram: name (``telegram``) and fields, without what may not be shown.
    """

    at_ms: TimeMs
    line: LineId
    terminal: Name
    way: Way
    generation: Generation
    counter: Count
    digest: bytes
    envelope_bytes: Count
    telegram: dict[str, Any]


class Happened(msgspec.Struct, frozen=True, kw_only=True, tag_field="entry", tag="line"):
    """Something else that happened to a line.

    Attributes:
        at_ms: since the trace began.
        line: which; None: no line that is known.
        terminal: whose line that is; empty where that is not known.
        word: what happened.
        generation: of the keys, where they are new.
        reason: a word that says why; empty where there is nothing to say.
    """

    at_ms: TimeMs
    word: LineWord
    line: LineId | None = None
    terminal: str = ""
    generation: Generation | None = None
    reason: ShortText = ""


class Stepped(msgspec.Struct, frozen=True, kw_only=True, tag_field="entry", tag="step"):
    """One step of a core.

    Attributes:
        at_ms: since the trace began.
        now: the time that the core was given, by the names of its clocks, milliseconds.
        given: the input, ``[name, fields]``.
        facts: what was read for it, by name; None where nothing was.
        effects: what it decided, each ``[name, fields]``, in order.
    """

    at_ms: TimeMs
    now: dict[str, int]
    given: tuple[str, Any]
    facts: dict[str, Any] | None = None
    effects: tuple[tuple[str, Any], ...] = ()


class Missed(msgspec.Struct, frozen=True, kw_only=True, tag_field="entry", tag="missed"):
    """The recorder could not keep up, and left something out; a replay ends here."""

    at_ms: TimeMs
    count: Count


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag_field="entry", tag="end"):
    """The recorder stopped in order, or went on in the next part.

    Attributes:
        at_ms: since the trace began.
        entries: how many came before in this part, the header included.
        continued: whether another part follows.
    """

    at_ms: TimeMs
    entries: Count
    continued: bool = False


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a later minor version."""

    entry: str


Known: TypeAlias = Header | Said | Happened | Stepped | Missed | Ended
Entry: TypeAlias = Known | Unknown
