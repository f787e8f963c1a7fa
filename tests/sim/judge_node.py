"""The PIN judge as a process: the shipped judge on its own store, which dies and returns.

The server reaches it through the shipped ``JudgeClient``; ``JudgeChild`` stands where
``adapters.child_process.Child`` stands, with the same promises: no answer when it dies, and a
successor some time later, which burns what was pending.
"""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from issuance_server.adapters.pin_judge import process
from issuance_server.adapters.pin_judge.counter import UNLOCK_ACT
from issuance_server.adapters.pin_judge.judge import PinJudge, Surroundings
from keys.operators import SignedAct
from protocol.errors import AdapterError
from tests.sim.checks.witness import Court
from tests.sim.city import City
from tests.sim.clocks import Clock
from tests.sim.faults import Faults
from tests.sim.inline_sqlite import InlineConnection
from tests.sim.loop import US_PER_MS, Node, SimLoop, pause_us

COMMIT_US = 800
ASK_US = 300
SLOW_MS_MAX = 12_000
RESTART_MS_MIN = 100


class JudgeNode:
    """The judge's process, through all its lives.

    Attributes:
        node: its present life; None while it is dead.
        errors: what ended a life and was not drawn.
    """

    def __init__(
        self, loop: SimLoop, city: City, *, clock: Clock, faults: Faults, court: Court
    ) -> None:
        self.node: Node | None = None
        self.judge: PinJudge | None = None
        self.errors: list[BaseException] = []
        self._loop = loop
        self._city = city
        self._clock = clock
        self._faults = faults
        self._court = court
        self._asked: dict[asyncio.Future[bytes], None] = {}  # in their order, unlike a set
        self._cards: dict[bytes, str] = {}
        self._wanted = False
        self._acts_seen = 0
        self._unlocks: Counter[str] = Counter()

    def start(self) -> None:
        """Begin a life; a judge that dies while it is wanted is started again."""
        self._wanted = True
        node = self.node = Node("judge", self._died)
        rates = self._faults.rates
        if rates.judge_kill_every_ms:
            self._loop.outside_us(
                self._faults.gap_us(rates.judge_kill_every_ms), self._killed, node
            )
        self._loop.spawn(node, self._begin(node))

    def end(self) -> None:
        """Let it end with its parent."""
        self._wanted = False
        if self.node is not None:
            self.node.kill()

    async def ask(self, request: bytes, wait_ms_max: int) -> bytes:
        """Ask over the socket; see ``Child.ask``."""
        node, judge = self.node, self.judge
        if node is None or judge is None:
            raise AdapterError("the judge is being restarted")
        future: asyncio.Future[bytes] = self._loop.create_future()
        self._asked[future] = None
        wait_us = ASK_US
        if self._faults.hits(self._faults.rates.judge_slow, "judge slow"):
            wait_us += int(self._faults.dice.random() ** 3 * SLOW_MS_MAX * US_PER_MS)
        await pause_us(wait_us)
        if self.node is node:
            self._loop.spawn(node, self._answer(node, judge, request, future))
        elif not future.done():
            future.set_exception(AdapterError("the judge died"))
        try:
            async with asyncio.timeout(wait_ms_max / 1_000):
                return await future
        except TimeoutError:
            raise AdapterError("the judge took too long") from None
        finally:
            self._asked.pop(future, None)

    async def _begin(self, node: Node) -> None:
        connection = InlineConnection(self._city.judge_file, lambda: node.alive)
        connection.around_commit = self._around_commit
        around = Surroundings(
            now_ms=self._clock.real_ms,
            monotonic_ms=lambda: self._loop.now_us // US_PER_MS,
            random_bytes=self._faults.dice.randbytes,
            compare=self._compare,
        )
        keys: Any = self._city.judge_keys
        self.judge = await PinJudge.start(
            store=self._city.open_judge_store(connection),
            keys=keys,
            operators_folder=Path(),
            surroundings=around,
        )

    async def _answer(
        self, node: Node, judge: PinJudge, request: bytes, future: "asyncio.Future[bytes]"
    ) -> None:
        try:
            answer = await process.answer(judge, request)
        except Exception as error:  # noqa: BLE001  # as the process does: it ends
            self.errors.append(error)
            node.kill()
            return
        await pause_us(ASK_US)
        if not future.done():
            future.set_result(answer)

    async def _around_commit(self, done: bool) -> None:
        rates, node = self._faults.rates, self.node
        if not done:
            await pause_us(COMMIT_US)
        when = "after" if done else "before"
        if node is not None and self._faults.hits(
            rates.judge_dies_at_commit, f"judge died {when} a commit"
        ):
            node.kill()
            await pause_us(0)

    def _compare(self, shown: bytes, verifier: bytes) -> bool:
        """Compare, and let the court count: the judge knows nothing of it."""
        right = shown == verifier
        if verifier not in self._cards:
            rows = self._city.judge_file.execute("SELECT verifier, card_ref FROM card").fetchall()
            self._cards.update(rows)
        card_ref = self._cards[verifier]
        self._court.compared(card_ref, right, self._unlocks_of(card_ref))
        return right

    def _unlocks_of(self, card_ref: str) -> int:
        """Return how often the counter has given a card its tries back."""
        sql = "SELECT count(*) FROM operator_act"
        (count,) = self._city.judge_file.execute(sql).fetchone()
        if count != self._acts_seen:
            self._acts_seen = count
            rows = self._city.judge_file.execute("SELECT signed_act FROM operator_act").fetchall()
            acts = [msgspec.msgpack.decode(row[0], type=list[SignedAct])[0].act for row in rows]
            self._unlocks = Counter(one.subject for one in acts if one.act == UNLOCK_ACT)
        return self._unlocks[card_ref]

    def _killed(self, node: Node) -> None:
        if node.alive:
            self._faults.note("judge killed")
            node.dies_in = int(self._faults.dice.random() * 40)

    def _died(self, node: Node) -> None:
        if self.node is not node:
            return
        self.node = self.judge = None
        if self._city.judge_file.in_transaction:
            self._city.judge_file.rollback()
        asked, self._asked = self._asked, {}
        for future in asked:
            if not future.done():
                future.set_exception(AdapterError("the judge died"))
        if self._wanted:
            wait_ms = RESTART_MS_MIN + int(self._faults.dice.random() * 2_000)
            self._loop.outside_us(wait_ms * US_PER_MS, self._again)

    def _again(self) -> None:
        if self._wanted and self.node is None:
            self.start()
