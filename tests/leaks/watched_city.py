"""A city and its terminals in one process, of which everything that leaves is written down.

Real are the server's runtime, core, database, log and PIN judge, the terminals' machines, cores,
spools and printers, and every seal on the line. In the place of others stand the handshake (so that
keys come from the dice), the broker, the clock and, where it is asked for, the certificate's
writer.
"""

import asyncio
import io
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from issuance_server.adapters.pin_judge import process as judge_process
from issuance_server.adapters.pin_judge.client import JudgeClient
from issuance_server.adapters.pin_judge.judge import PinJudge, Surroundings
from issuance_server.adapters.pin_judge.registration import NewCard, open_store
from issuance_server.adapters.sqlite.founding import found_city
from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.core.facts import Now
from issuance_server.observe.logging import EventLog
from keys.city_keys import JudgeKeys
from keys.day_keys import DayKeys
from keys.signing import SigningKey
from keys.storage_key import StorageKey
from protocol.secret import Secret
from tests.adapters.city_file import HandClock, put_tables
from tests.core.made import MONDAY_MS, START_REAL_MS, TABLES_TOML
from tests.leaks.paper import real_certificate
from tests.leaks.people import HOLDERS, Course, Secrets
from tests.leaks.virtual_time import now_us
from tests.leaks.watched_broker import WatchedBroker
from tests.runtime.doubles import Bench, FarEnd

JUDGE_MS = 6
RENDER_MS = 150
TERMINALS = ("7E-0001", "LW-0001")
_MS_PER_S = 1_000
_US_PER_MS = 1_000

Render = Callable[[CertificateOrder], Rendered]


def real_ms() -> int:
    """Return the time that everybody in here goes by."""
    return START_REAL_MS + now_us() // _US_PER_MS


class LoopClock(HandClock):
    """Both clocks, going with the loop."""

    def now(self) -> Now:
        passed_ms = now_us() // _US_PER_MS
        return Now(real_ms=START_REAL_MS + passed_ms, business_ms=MONDAY_MS + passed_ms)


class TwoLogs:
    """The real log in both of its forms, into memory."""

    def __init__(self) -> None:
        self.lines: dict[str, io.BytesIO] = {"json": io.BytesIO(), "console": io.BytesIO()}
        self._logs = [EventLog(), EventLog()]
        for log, (log_format, stream) in zip(self._logs, self.lines.items(), strict=True):
            log.configure(
                log_format=log_format,
                stream=stream,
                now=lambda: datetime.fromtimestamp(real_ms() / _MS_PER_S, UTC),
            )

    def __call__(self, event_name: str, /, **fields: object) -> None:
        for log in self._logs:
            log(event_name, **fields)

    def text(self) -> list[str]:
        """Return all lines, of both forms."""
        return [
            line for log in self.lines.values() for line in log.getvalue().decode().splitlines()
        ]


class JudgeWithin:
    """In place of the judge's process: the real judge, which takes as long for any question."""

    def __init__(self, judge: PinJudge) -> None:
        self._judge = judge

    async def ask(self, request: bytes, wait_ms_max: int) -> bytes:
        """Answer as the process answers on its socket."""
        await asyncio.sleep(JUDGE_MS / _MS_PER_S)
        return await judge_process.answer(self._judge, request)


class RendererWithin:
    """Makes certificates in this process; each takes as long as any other."""

    def __init__(self, render: Render) -> None:
        self._render = render

    async def render(self, order: CertificateOrder) -> Rendered:
        """Return the certificate."""
        rendered = self._render(order)
        await asyncio.sleep(self.render_ms(rendered) / _MS_PER_S)
        return rendered

    def render_ms(self, rendered: Rendered) -> int:
        """Return how long this one takes."""
        return RENDER_MS


@dataclass(kw_only=True)
class WatchedCity(Bench):
    """A founded city; everything random in it comes from the seed.

    Attributes:
        what: what will happen.
        secrets: who the people are.
        judge_keys: the judge's, made once for all cities.
        seed: of the dice that are the same for all secrets.
        render: makes the certificates.
        broker: sees every message.
        cards: the holders' card keys, and last that of the card that nobody registered.
    """

    what: Course
    secrets: Secrets
    judge_keys: JudgeKeys
    seed: int
    render: Render
    heartbeat: bool = True

    def __post_init__(self) -> None:
        dice = random.Random(f"city {self.seed}")
        self.clock = LoopClock()
        self.log: Any = TwoLogs()
        self.renderer: Any = RendererWithin(self.render)
        if self.render is not real_certificate:  # a stand-in says nothing that was ordered
            self.gate = lambda _order, _rendered, *, deep: None
        self.city_key = SigningKey.from_seed(Secret(dice.randbytes(32)))
        self.path = self.folder / "city.db"
        self.day_keys = DayKeys(self.folder / "day-keys", StorageKey(Secret(bytes(32))))
        self.broker = WatchedBroker(self.what, self.seed)
        self.cards = [SigningKey.from_seed(Secret(dice.randbytes(32))) for _ in range(HOLDERS + 1)]
        self.fars = [
            FarEnd(terminal, number, SigningKey.from_seed(Secret(dice.randbytes(32))))
            for number, terminal in enumerate(TERMINALS, start=1)
        ]
        self.judge_dice = random.Random(f"judge {self.seed}")

    async def found(self) -> None:
        """Register the people and their cards, and start the judge."""
        around = Surroundings(
            now_ms=real_ms,
            monotonic_ms=real_ms,
            random_bytes=self.judge_dice.randbytes,
        )
        self.judge_store = await open_store(self.folder / "judge.db", self.judge_keys)
        judge = await PinJudge.start(
            store=self.judge_store,
            keys=self.judge_keys,
            operators_folder=self.folder,
            surroundings=around,
        )
        new_cards = [
            NewCard(
                number=secret.number, public_key=key.public_key, pin=Secret(secret.pin.encode())
            )
            for secret, key in zip(self.secrets.cards[:HOLDERS], self.cards, strict=False)
        ]
        card_refs = await judge.register_cards(new_cards)
        child: Any = JudgeWithin(judge)
        self.judge: Any = JudgeClient(
            child, verdict_keys=lambda: [self.judge_keys.verdict.public_key]
        )
        found_city(
            self.path,
            households=self.secrets.households,
            terminals=[far.entry for far in self.fars],
            cards=zip(card_refs, self.secrets.holder_ids, strict=True),
            at_ms=START_REAL_MS,
        )
        put_tables(self.path, TABLES_TOML)
        self._suppress()

    def _suppress(self) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executemany(
                "INSERT INTO suppression (suppression_id, resident_id, reason, since_ms)"
                " VALUES (?, ?, 'support', 0)",
                [
                    (f"s-{holder_id}", holder_id)
                    for holder_id, holder in zip(
                        self.secrets.holder_ids, self.what.holders, strict=True
                    )
                    if holder.suppressed
                ],
            )

    async def serve(self) -> None:
        """Run the server until cancelled; it is killed, and started again, when that is due."""
        restart_at_ms = self.what.restart_at_ms
        if restart_at_ms is not None:
            async with self.running():
                await self._carry_for(restart_at_ms)
        async with self.running():
            await self._carry_for(None)

    async def _carry_for(self, until_ms: int | None) -> None:
        """Join the server to the broker for a while; a server that breaks is heard of."""
        self.broker.subscribe("/up", lambda *message: self.gateway.up.put_nowait(message))
        pumping = asyncio.create_task(self._pump())
        try:
            async with asyncio.timeout(None if until_ms is None else until_ms / _MS_PER_S):
                await self.task
        except TimeoutError:
            pass
        finally:
            pumping.cancel()
            self.broker.unsubscribe("/up")

    async def _pump(self) -> None:
        while True:
            self.broker.carry(*await self.gateway.down.get())

    async def close(self) -> None:
        """Close the judge."""
        await self.judge_store.close()
