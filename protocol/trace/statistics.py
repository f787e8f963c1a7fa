"""What a trace amounts to: how many of each, how long answers took, how much was repeated."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from protocol.trace.conversation import Conversation
from protocol.trace.entries import Entry, Happened, LineWord, Missed, Said
from protocol.trace.wording import reply_code_name

MEDIAN, P99 = 0.5, 0.99


@dataclass(slots=True)
class Statistics:
    """Counts over the entries of a trace.

    Attributes:
        telegrams: how many of each kind, copies included.
        repeated: of requests, how many were copies of one before.
        waits_ms: of each kind of request, how long each answer took, milliseconds.
        refusals: how many of each reply code.
        words: how often each thing happened to a line.
        drops: of dropped envelopes, how many for each reason.
        bytes_up: of envelopes to the city.
        bytes_down: of envelopes to terminals.
        terminals: whose lines they were.
        issuances: how many were spoken of.
        missed: entries that the recorder left out.
        until_ms: the time of the last entry.
    """

    telegrams: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    waits_ms: dict[str, list[int]] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    drops: Counter[str] = field(default_factory=Counter)
    bytes_up: int = 0
    bytes_down: int = 0
    terminals: set[str] = field(default_factory=set)
    issuances: set[bytes] = field(default_factory=set)
    missed: int = 0
    until_ms: int = 0


def statistics(entries: Iterable[Entry]) -> Statistics:
    """Count a whole trace."""
    found, conversation = Statistics(), Conversation()
    for entry in entries:
        found.until_ms = max(found.until_ms, getattr(entry, "at_ms", 0))
        match entry:
            case Said():
                _count(found, conversation, entry)
            case Happened():
                found.words[entry.word.value] += 1
                if entry.word is LineWord.DROPPED:
                    found.drops[entry.reason] += 1
            case Missed():
                found.missed += entry.count
            case _:
                pass
    return found


def quantile(values: list[int], share: float) -> int:
    """Return the value below which a share of them lies (nearest rank); there is at least one."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _count(found: Statistics, conversation: Conversation, said: Said) -> None:
    told = conversation.follow(said)
    kind = str(said.telegram.get("telegram", "?"))
    found.telegrams[kind] += 1
    found.terminals.add(said.terminal)
    if said.way.value == "up":
        found.bytes_up += said.envelope_bytes
    else:
        found.bytes_down += said.envelope_bytes
    if told.issuance is not None:
        found.issuances.add(told.issuance)
    if told.repeats:
        found.repeated[kind] += 1
    if told.waited_ms is not None and told.answers is not None:
        asked = str(told.answers.telegram.get("telegram", "?"))
        found.waits_ms.setdefault(asked, []).append(told.waited_ms)
    if kind == "refused":
        found.refusals[reply_code_name(said.telegram.get("code"))] += 1
