"""A city under way on a recorded disk: customers at two terminals, keys kept, dropped, destroyed.

Switch, commit loop, store and key destroyer are the shipped ones. What is added only listens: after
every transaction that was acknowledged it notes so, and what the whole database says then.
"""

import asyncio
import hashlib
import marshal
import random
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.adapters.sqlite.transaction import Transaction
from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.switch import Switch
from issuance_server.ports import Sign
from issuance_server.runtime.commit_loop import CommitLoop
from issuance_server.runtime.key_destroyer import KeyDestroyer
from protocol import telegrams as t
from protocol.terminal_statements import FailureCause
from tests.adapters.city_file import HOUSEHOLDS, CityFile
from tests.core.made import (
    OTHER_TERMINAL,
    RULES,
    SEALED_DIGEST,
    TERMINAL,
    applying,
    authenticating,
    deletion,
    failed_report,
    print_report,
    rendered,
    signed,
    verdict,
)
from tests.power_cuts.recorder import Acknowledged, Recorder

CARDS = tuple(
    (f"card-{number:016}", household.head_id) for number, household in enumerate(HOUSEHOLDS[:2])
)
_MARSHAL_WITHOUT_SHARING = 2
_STAND_IN_KEY = re.compile(rb"\xfeWK(\d{5})")


def stand_in_key(number: int) -> bytes:
    """Return the wrapped key of an issuance: 40 bytes, any 15 of which tell whose they are."""
    return b"\xfeWK%05d" % number * 5


def stand_in_keys(content: bytes | bytearray) -> set[int]:
    """Return the numbers of the issuances of which a key, or part of one, is in some bytes."""
    return {int(found) for found in _STAND_IN_KEY.findall(content)}


def issuance_id(number: int) -> bytes:
    """Return the id of an issuance."""
    return b"issue-%010d" % number


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What a database says after a commit.

    Attributes:
        digest: over every row of every table.
        destroyed: the numbers of the issuances whose key is said to be destroyed.
    """

    digest: bytes
    destroyed: frozenset[int]


class WatchedStore(SqliteStore):
    """The store, with somebody who listens to what it acknowledges."""

    promised: Callable[[], None]
    acknowledged: Callable[[], None]

    @asynccontextmanager
    async def transaction(self, attached: str | None = None) -> AsyncIterator[Transaction]:
        async with super().transaction(attached) as transaction:
            yield transaction
        self.acknowledged()

    async def set_watermark(self, at_ms: int) -> None:
        await super().set_watermark(at_ms)
        self.acknowledged()

    async def sign_tree(self, *, city: str, at_ms: int, sign: Sign) -> None:
        await super().sign_tree(city=city, at_ms=at_ms, sign=sign)
        self.acknowledged()


@dataclass
class Life(CityFile):
    """A city from one start of the server to its end.

    Attributes:
        commits_made: what the database said before the first commit, and after each.
        shared_memory: the bytes of the file beside the log, whenever a destroyed key was recorded.
    """

    commits_made: list[Commit] = field(default_factory=list)
    shared_memory: list[bytes] = field(default_factory=list)
    recorder: Recorder | None = None
    store_class: type[WatchedStore] = WatchedStore
    _destroyed: asyncio.Queue[i.KeysDestroyed] = field(default_factory=asyncio.Queue)

    async def open(self) -> None:
        """Open the file and fold it, as a starting server does."""
        store = await self.store_class.open(self.path)
        assert isinstance(store, WatchedStore)
        store.promised, store.acknowledged = self._promised, self._acknowledged
        self._store = store
        self._watching = sqlite3.connect(f"file:{self.path}?vfs=unix", uri=True)
        self.switch = Switch(RULES, await self.folded())
        self.loop = CommitLoop(
            switch=self.switch,
            store=store,
            clock=self.clock,
            perform=self.left.append,
            committed=self._committed,
        )
        self.destroyer = KeyDestroyer(
            store=store, clock=self.clock, submit=self._destroyed.put, log=_say_nothing
        )
        self._acknowledged()

    async def close(self) -> None:
        """Let go of the file; the store's own close is the last that is recorded."""
        self._watching.close()
        await super().close()

    async def give(self, *inputs: i.Input) -> list[e.Effect]:
        """Commit inputs in one group, and let the key destroyer have what it is to destroy."""
        effects = await super().give(*inputs)
        for effect in effects:
            if isinstance(effect, e.DropKey):
                self.destroyer.add(effect.issuance_id)
        return effects

    async def destroy(self) -> None:
        """Record the keys that the destroyer has seen off the disk."""
        async with asyncio.timeout(10):
            await self.give(await self._destroyed.get())
        memory = self.path.with_name(self.path.name + "-shm")
        self.shared_memory.append(memory.read_bytes())

    def _promised(self) -> None:
        """Note that somebody may have been told of what is being committed."""
        assert self.recorder is not None
        self.recorder.events.append(Acknowledged(commit=len(self.commits_made)))

    def _acknowledged(self) -> None:
        self._promised()
        self.commits_made.append(said(self._watching))


def said(connection: sqlite3.Connection) -> Commit:
    """Return what a database says."""
    tables = [
        row[0]
        for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        if not row[0].startswith("sqlite_")
    ]
    digest = hashlib.sha256()
    for table in sorted(tables):
        rows = connection.execute(f"SELECT * FROM {table}").fetchall()
        digest.update(marshal.dumps((table, rows), _MARSHAL_WITHOUT_SHARING))
    destroyed = connection.execute("SELECT issuance_id FROM issuance WHERE key_destroyed")
    numbers = frozenset(int(row[0].removeprefix(b"issue-")) for row in destroyed)
    return Commit(digest=digest.digest(), destroyed=numbers)


def customer(city: Life, number: int, place: int, drawn: random.Random) -> Iterator[i.Input]:
    """Give what happens to the switch while somebody stands at a terminal.

    Args:
        city: the city.
        number: of the issuance.
        place: which terminal, card and holder: 0 or 1.
        drawn: whether the person goes away, and whether the printer fails.
    """
    terminal = (TERMINAL, OTHER_TERMINAL)[place]
    issuance, visit = issuance_id(number), b"visit-%010d" % number

    def asks(telegram: t.AnyTelegram) -> i.Input:
        asked: i.Input = city.input(telegram, terminal)
        return asked

    yield asks(t.Begin(visit_id=visit, attempt=1))
    yield i.ChallengeDrawn(visit_id=visit, attempt=1, challenge=bytes(32))
    yield asks(authenticating(visit_id=visit))
    said_right = verdict(
        VerdictOutcome.RIGHT, terminal=terminal, visit_id=visit, card_ref=CARDS[place][0]
    )
    yield i.VerdictGiven(visit_id=visit, attempt=1, verdict=said_right)
    yield asks(applying(issuance, visit_id=visit))
    yield rendered(issuance, register_version=place + 1, wrapped_key=stand_in_key(number))
    if drawn.random() < 0.15:
        yield asks(t.Cancel(issuance_id=issuance, cause=FailureCause.CANCELLED))
        return
    yield asks(t.Held(issuance_id=issuance, sealed_digest=SEALED_DIGEST))
    yield asks(t.Release(issuance_id=issuance, amount_yen=200))
    report = failed_report(issuance) if drawn.random() < 0.2 else print_report(issuance)
    yield asks(signed(report))
    yield asks(deletion(issuance))


async def live(life: Life, *, first_number: int, customers: int, drawn: random.Random) -> None:
    """Let customers come to both terminals, each step of both in any order or together."""
    await life.open()
    destroying = asyncio.create_task(life.destroyer.run())
    try:
        await _give(life, i.Restarted())
        await life.store.set_watermark(life.clock.real_ms)
        numbers = iter(range(first_number, first_number + customers))
        places: list[Iterator[i.Input] | None] = [None, None]
        while True:
            for place, current in enumerate(places):
                number = None if current is not None else next(numbers, None)
                if number is not None:
                    places[place] = customer(life, number, place, drawn)
            if not any(places):
                break
            await _step(life, places, drawn)
            if drawn.random() < 0.1:
                at_ms = life.clock.real_ms
                await life.store.sign_tree(city=RULES.city, at_ms=at_ms, sign=_stand_in_signature)
    finally:
        destroying.cancel()
        await life.close()


async def _step(life: Life, places: list[Iterator[i.Input] | None], drawn: random.Random) -> None:
    """Let one of the terminals, or both in one commit, go on by one step."""
    chosen = [place for place, one in enumerate(places) if one is not None and drawn.random() < 0.6]
    inputs: list[i.Input] = []
    for place in chosen:
        one = places[place]
        input_ = None if one is None else next(one, None)
        if input_ is None:
            places[place] = None
        else:
            inputs.append(input_)
    if inputs:
        life.clock.pass_ms(drawn.randrange(1, 200))
        await _give(life, *inputs)


async def _give(life: Life, *inputs: i.Input) -> None:
    """Give inputs, and wait for the keys that are to be destroyed after them."""
    effects = await life.give(*inputs)
    if any(isinstance(effect, e.DropKey) for effect in effects):
        await life.destroy()


def _stand_in_signature(statement: bytes) -> bytes:
    return hashlib.sha512(statement).digest()


def _say_nothing(_event: str, **_fields: object) -> None:
    """Nothing is blocked here."""
