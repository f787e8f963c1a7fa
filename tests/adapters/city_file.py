"""A founded city on a real file, with the switch and the commit loop that write into it."""

import hashlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from issuance_server.adapters.sqlite.founding import NewTerminal, found_city
from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.copy_changes import staged_by
from issuance_server.core.facts import Now
from issuance_server.core.state import SwitchState
from issuance_server.core.switch import Switch
from issuance_server.runtime.commit_loop import CommitLoop
from issuance_server.runtime.folding import folded_state
from issuance_server.sample.records import records_of
from issuance_server.sample.residents import sample_households
from protocol import codec
from protocol import telegrams as t
from tests.core.made import (
    CARD_REF,
    CHAIN,
    MONDAY_MS,
    OTHER_TERMINAL,
    RULES,
    START_REAL_MS,
    TABLES_TOML,
    TERMINAL,
    as_input,
)

HOUSEHOLDS = sample_households()[:3]
RECORDS = records_of(HOUSEHOLDS)
HOLDER_ID = HOUSEHOLDS[0].head_id
TERMINALS = tuple(
    NewTerminal(
        terminal=terminal,
        line_id=bytes([number]) * 8,
        fingerprint=bytes([number]) * 32,
        report_key=bytes([number]) * 32,
        until_ms=START_REAL_MS + 365 * 24 * 60 * 60 * 1_000,
        chain=CHAIN,
        store="見本店",
        in_city=True,
    )
    for number, terminal in enumerate((TERMINAL, OTHER_TERMINAL), start=1)
)


def found(
    path: Path,
    *,
    cards: Iterable[tuple[str, str]] = ((CARD_REF, HOLDER_ID),),
    terminals: Iterable[NewTerminal] = TERMINALS,
    tables: bytes = TABLES_TOML,
) -> Path:
    """Make the database of a city of three households, with tables in force."""
    found_city(
        path,
        households=HOUSEHOLDS,
        records=RECORDS,
        terminals=terminals,
        cards=cards,
        at_ms=START_REAL_MS,
    )
    put_tables(path, tables)
    return path


def put_tables(path: Path, content: bytes) -> None:
    """Put tables into force beside the journal, which begins with what a test does."""
    sql = "INSERT INTO city_tables (loaded_at_ms, digest, content) VALUES (?, ?, ?)"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql, (START_REAL_MS, hashlib.sha256(content).digest(), content))


@dataclass
class HandClock:
    """Both clocks, in the hand of a test."""

    real_ms: int = START_REAL_MS
    business_ms: int = MONDAY_MS

    def now(self) -> Now:
        return Now(real_ms=self.real_ms, business_ms=self.business_ms)

    def now_utc(self) -> datetime:
        """Return the real time as registers write it."""
        return datetime.fromtimestamp(self.real_ms / 1_000, UTC)

    def pass_ms(self, passing_ms: int) -> None:
        self.real_ms += passing_ms
        self.business_ms += passing_ms


@dataclass
class CityFile:
    """A switch whose records go into a file; effects that leave are kept, not carried out."""

    path: Path
    clock: HandClock = field(default_factory=HandClock)
    left: list[e.Effect] = field(default_factory=list)
    commits: int = 0
    counter: int = 0
    _store: SqliteStore | None = None

    @property
    def store(self) -> SqliteStore:
        assert self._store is not None, "the file is closed"
        return self._store

    @property
    def state(self) -> SwitchState:
        return self.switch.state

    async def open(self) -> None:
        """Open the file and fold it, as a starting server does."""
        self._store = await SqliteStore.open(self.path)
        self.switch = Switch(RULES, await self.folded())
        self.loop = CommitLoop(
            switch=self.switch,
            store=self._store,
            clock=self.clock,
            perform=self.left.append,
            committed=self._committed,
        )

    async def close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            await store.close()

    async def restart(self) -> None:
        await self.close()
        await self.open()
        await self.give(i.Restarted())

    async def folded(self) -> SwitchState:
        """Return the state that a server would begin with now."""
        return await folded_state(self.store, self.clock.real_ms)

    async def give(self, *inputs: i.Input) -> list[e.Effect]:
        """Commit inputs in one group and return the effects that left."""
        before = len(self.left)
        changes = [one.change for one in inputs if isinstance(one, i.ActAccepted)]
        staged = next((path for path in map(staged_by, changes) if path), None)
        await self.loop.commit(list(inputs), attached=staged)
        return self.left[before:]

    async def ask(self, telegram: t.AnyTelegram, *, terminal: str = TERMINAL) -> Any:
        """Ask, and return the telegram or effect that answers; None if there is none yet."""
        input_ = self.input(telegram, terminal)
        for effect in await self.give(input_):
            if getattr(effect, "ref", None) == input_.ref and not isinstance(
                effect, e.JudgeAttempt
            ):
                return effect.telegram if isinstance(effect, e.Reply) else effect
        return None

    def input(self, telegram: t.AnyTelegram, terminal: str = TERMINAL) -> Any:
        """Return a fresh copy of a request as an input."""
        self.counter += 1
        digest = codec.digest(codec.encode(telegram))
        ref = t.RequestRef(generation=1, counter=self.counter, digest=digest)
        return as_input(telegram, ref, terminal)

    def rows(self, sql: str, *values: object) -> list[Any]:
        """Read the file from outside, as another program would."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(sql, values).fetchall()

    def change(self, sql: str, *values: object) -> None:
        """Change the file from outside, as the staff's program does with the register."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(sql, values)

    def place(self, *terminals: str) -> None:
        """Put more terminals on the list, without key certificates."""
        sql = (
            "INSERT INTO terminal (terminal, line_id, chain, store, in_city, class,"
            " registered_at_ms) VALUES (?, ?, ?, '見本店', 1, 'store', 0)"
        )
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executemany(sql, [(one, one.encode(), CHAIN) for one in terminals])

    def records(self) -> list[r.AnyRecord]:
        """Return the whole journal."""
        return [r.decode_record(row[0]) for row in self.rows("SELECT record FROM journal")]

    def bytes_on_disk(self) -> dict[str, bytes]:
        """Return the database and its companions, by suffix."""
        files = self.path.parent.glob(f"{self.path.name}*")
        return {file.name.removeprefix(self.path.name): file.read_bytes() for file in files}

    def _committed(self) -> None:
        self.commits += 1
