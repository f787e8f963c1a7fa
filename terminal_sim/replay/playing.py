"""Plays a script against a live city and holds what comes back against the trace."""

import asyncio
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from protocol.secret import Secret
from protocol.telegrams import AnyTelegram, Apply, Begin, Cancel, EndVisit
from protocol.terminal_statements import FailureCause
from protocol.trace.comparing import ABSENT, Difference
from protocol.trace.entries import Said, Way
from protocol.trace.redaction import PSEUDONYM_KEY_BYTES, Redactor
from terminal_sim.replay.hand import Hand
from terminal_sim.replay.live_line import LiveLine
from terminal_sim.replay.matching import Matching
from terminal_sim.replay.script import Cannot, Hear, NewKeys, Say, Script, Spoil, kind_of
from terminal_sim.replay.speaking import CannotSay, Speaker, no_telegram, plaintext_of

ANSWER_MS_MAX = 30_000
SECOND_ANSWER_MS_MAX = 1_000
"""How long an answer is waited for that may be one with another to the same request."""
_MS_PER_S = 1_000
_KIND = "telegram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a trace is played.

    Attributes:
        factor: times of the trace are divided by this; None: nothing is waited for.
        answer_ms: how long an answer may take.
        to_the_end: go on after an answer of another kind, to see what else comes.
    """

    factor: float | None = None
    answer_ms: int = ANSWER_MS_MAX
    to_the_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """An answer that is not as recorded.

    Attributes:
        place: which telegram of the trace, from 1; 0: it is not in the trace.
        terminal: whose line it is, as the trace names it.
        expected: as recorded; None: nothing was.
        actual: as it came, without what may not be shown; None: nothing came.
        differences: field by field.
    """

    place: int
    terminal: str
    expected: dict[str, Any] | None
    actual: dict[str, Any] | None
    differences: tuple[Difference, ...]


@dataclass(slots=True, kw_only=True)
class Played:
    """What came of it.

    Attributes:
        telegrams: how many the trace has.
        done: how many of them were sent or waited for.
        mismatches: answers that are not as recorded.
        notes: what could not be done, or was seen beside, in words.
        said: what was really said, in the words of the trace, by place.
        took_ms: how long it took.
    """

    telegrams: int
    done: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    said: dict[int, dict[str, Any]] = field(default_factory=dict)
    took_ms: int = 0

    @property
    def as_recorded(self) -> bool:
        """Whether everything came as it is in the trace."""
        return not self.mismatches


class _Stopped(Exception):
    """The conversation went another way; what follows in the trace would say nothing."""


class Player:
    """Plays one copy of a script."""

    def __init__(
        self,
        script: Script,
        hands: Mapping[str, Hand],
        pace: Pace,
        *,
        clock: Callable[[], int],
        ignore: frozenset[str] = frozenset(),
    ) -> None:
        """Prepare.

        Args:
            script: what is played.
            hands: for each terminal of the script.
            pace: how fast.
            clock: milliseconds since 1970, never going back.
            ignore: names of fields that are not compared.
        """
        self._script = script
        self._hands = hands
        self._pace = pace
        self._clock = clock
        self._matching = Matching(ignore=ignore, lenient=script.of_an_earlier_version)
        self._speaker = Speaker(matching=self._matching, clock=clock, draw=secrets.token_bytes)
        self._redactor = Redactor(Secret(os.urandom(PSEUDONYM_KEY_BYTES)))
        self._lines: dict[str, LiveLine] = {}
        self._sent: dict[tuple[str, bytes], bytes] = {}
        self._skipped: set[tuple[str, bytes]] = set()
        self._heard: set[tuple[str, bytes]] = set()
        self._spoilt: dict[str, bytes] = {}
        self._open: list[tuple[str, AnyTelegram]] = []  # what would end what was begun
        self._played = Played(telegrams=script.telegrams)

    async def play(self) -> Played:
        """Play, and return what came of it.

        Raises:
            SetUpError: broker or city do not answer, or a card is missing.
        """
        played, began_ms = self._played, self._clock()
        async with AsyncExitStack() as stack:
            for terminal in self._script.terminals:
                line = LiveLine(self._hands[terminal], self._clock)
                self._lines[terminal] = await stack.enter_async_context(line.connected())
            try:
                for step in self._script.steps:
                    await self._step(step, began_ms)
                self._look_for_more()
            except _Stopped:
                await self._leave_in_order()
            except CannotSay as error:
                played.notes.append(f"stopped: {error}")
                await self._leave_in_order()
        played.took_ms = self._clock() - began_ms
        for terminal, line in self._lines.items():
            if line.counts:
                counts = ", ".join(f"{name} {count}" for name, count in line.counts.items())
                played.notes.append(f"line of {terminal}: {counts}")
        return played

    async def _step(self, step: Say | Hear | NewKeys | Spoil | Cannot, began_ms: int) -> None:
        match step:
            case Say():
                await self._wait_for(step.said.at_ms, began_ms)
                self._say(step)
            case Hear():
                await self._hear(step)
            case NewKeys():
                await self._wait_for(step.at_ms, began_ms)
                await self._lines[step.terminal].new_keys()
            case Spoil():
                plaintext = no_telegram()
                self._spoilt[step.terminal] = plaintext
                self._lines[step.terminal].say(plaintext)
            case Cannot():
                where = f"after telegram {step.place}: " if step.place else ""
                self._played.notes.append(f"{where}not replayed: {step.what}")

    async def _wait_for(self, at_ms: int, began_ms: int) -> None:
        factor = self._pace.factor
        if factor is not None:
            due_ms = began_ms + at_ms / factor
            await asyncio.sleep(max(0.0, due_ms - self._clock()) / _MS_PER_S)

    def _say(self, step: Say) -> None:
        said = step.said
        named = (said.terminal, said.digest)
        if self._speaker.is_beyond(said.telegram):
            self._skipped.add(named)
            return
        plaintext = self._sent.get(named)
        if plaintext is None:
            telegram = self._speaker.complete(step, self._hands[said.terminal])
            plaintext = self._sent[named] = plaintext_of(telegram)
            self._remember(said.terminal, telegram)
            shown = self._redactor.redact(telegram)
            self._played.said[step.place] = self._in_words(said, shown)
        digest = self._lines[said.terminal].say(plaintext)
        self._matching.bind(said.digest, digest)
        self._played.done += 1

    async def _hear(self, step: Hear) -> None:
        said = step.said
        named = (said.terminal, step.answers or b"")
        plaintext = self._sent.get(named) if step.answers else self._spoilt.get(said.terminal)
        if named in self._skipped:
            return
        if plaintext is None:
            self._played.notes.append(
                f"telegram {step.place} answers something from before the trace; not waited for"
            )
            return
        again = named in self._heard
        wait_ms = SECOND_ANSWER_MS_MAX if again else self._pace.answer_ms
        live = await self._lines[said.terminal].hear(plaintext, wait_ms)
        self._heard.add(named)
        if live is not None:
            self._compare(step, live)
        elif again:
            self._played.notes.append(f"telegram {step.place}: one answer came for both copies")
        else:
            whole = Difference(step.place, "", kind_of(said.telegram), ABSENT)
            self._add(step, None, [whole])
            raise _Stopped

    def _compare(self, step: Hear, live: AnyTelegram) -> None:
        recorded, shown = step.said.telegram, self._redactor.redact(live)
        self._played.done += 1
        kinds = (kind_of(recorded), kind_of(shown))
        if kinds[0] != kinds[1]:
            self._add(step, shown, [Difference(step.place, _KIND, *kinds)])
            self._played.said[step.place] = self._in_words(step.said, shown)
            if self._pace.to_the_end:
                return
            raise _Stopped
        found = self._matching.compare(step.place, recorded, shown)
        self._speaker.learn(recorded, live)
        self._played.said[step.place] = self._in_words(step.said, shown)
        if found:
            self._add(step, shown, found)

    def _in_words(self, said: Said, shown: dict[str, Any]) -> dict[str, Any]:
        """Return what was really said as the trace would have it."""
        made: dict[str, Any] = self._matching.in_words_of_the_trace(shown)
        ref = said.telegram.get("in_reply_to")
        rest = {name: value for name, value in made.items() if name not in {_KIND, "in_reply_to"}}
        if said.way is Way.UP:  # cards and terminals have the names that the trace gives them
            kept = ("card", "certificate", "terminal")
            rest |= {name: said.telegram[name] for name in kept if name in said.telegram}
        reply = {} if ref is None else {"in_reply_to": ref}
        return {_KIND: shown[_KIND], **reply, **rest}

    def _add(self, step: Hear, actual: dict[str, Any] | None, found: list[Difference]) -> None:
        self._played.mismatches.append(
            Mismatch(
                place=step.place,
                terminal=step.said.terminal,
                expected=step.said.telegram,
                actual=actual,
                differences=tuple(found),
            )
        )

    def _look_for_more(self) -> None:
        """Tell of what came and is not in the trace, unless it repeats what is."""
        answered = {self._matching.live(digest) for _, digest in self._heard}
        for terminal, line in self._lines.items():
            for heard in line.waiting:
                if heard.digest is None or heard.digest not in answered:
                    kind = kind_of(self._redactor.redact(heard.telegram))
                    self._played.notes.append(f"beside the trace, {terminal} was told {kind!r}")

    def _remember(self, terminal: str, telegram: AnyTelegram) -> None:
        """Remember how to end what a telegram begins."""
        match telegram:
            case Begin():
                self._open.append((terminal, EndVisit(visit_id=telegram.visit_id)))
            case Apply():
                cause = FailureCause.CANCELLED
                cancel = Cancel(issuance_id=telegram.issuance_id, cause=cause)
                self._open.append((terminal, cancel))
            case _:
                pass

    async def _leave_in_order(self) -> None:
        """End what was begun, as far as it can be ended; what was released stays owed."""
        for terminal, telegram in reversed(self._open):
            line = self._lines[terminal]
            plaintext = plaintext_of(telegram)
            line.say(plaintext)
            await line.hear(plaintext, SECOND_ANSWER_MS_MAX)
