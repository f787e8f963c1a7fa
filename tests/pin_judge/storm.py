"""Client processes at one judge process that is killed again and again, and what they recorded.

The switchboard passes questions as the server does, through ``Child``; it kills judges and clients
at random moments and starts successors. Half of the judges die at an exact point by themselves.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from issuance_server.adapters import frames
from issuance_server.adapters.child_process import Child
from issuance_server.adapters.pin_judge.registration import NewCard, register_offline
from keys.authority import Authority
from keys.city_folder import OPERATORS_FOLDER, CityFolder
from keys.city_keys import load_judge_keys
from keys.operator_files import OperatorFile
from protocol.errors import AdapterError
from protocol.secret import Secret
from tests.pin_judge.ghost import ghost_faults, read_ghost, tries_missing
from tests.pin_judge.histories import Operation
from tests.pin_judge.judge_bench import CITY, RIGHT_PIN
from tests.pin_judge.recording_client import key_of

MODULE = "tests.pin_judge.ghost_judge"
GROUP_CARDS = 3
ANSWER_WAIT_MS_MAX = 10_000
KILL_DELAY_S_MAX = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a storm is made of.

    Attributes:
        seed: of all that is drawn.
        cards: each gives one history.
        clients: processes at a time.
        each: operations of a client for each group of ``GROUP_CARDS`` cards.
        judge_answers: a judge is killed after twice so many answers at most.
        client_answers: the same for clients.
        planted: a bug of the judge, see ``ghost_judge``.
        unlocks: whether clients unlock cards.
        comparisons: after so many a judge dies, between count and answer; 0 for no such limit.
    """

    seed: int
    cards: int
    clients: int = 6
    each: int = 6
    judge_answers: int = 300
    client_answers: int = 900
    planted: str = ""
    unlocks: bool = True
    comparisons: int = 0


@dataclass(slots=True)
class Storm:
    """A storm and what came of it.

    Attributes:
        folder: an empty one.
        keys: the city's key folder; its operators are those of the storm.
        judges_killed: how many judges were killed, or died at an exact point.
        clients_killed: how many clients were killed.
    """

    plan: Plan
    folder: Path
    keys: Path
    judges_killed: int = 0
    clients_killed: int = 0
    _random: Random = field(init=False)
    _judge: Child | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _clients: dict[int, asyncio.subprocess.Process] = field(default_factory=dict)
    _answers: int = 0
    _judge_dies_at: int = 0
    _client_dies_at: int = 0

    def __post_init__(self) -> None:
        self._random = Random(self.plan.seed)
        self._client_dies_at = self._drawn(self.plan.client_answers)

    @property
    def store(self) -> Path:
        """The judge's database."""
        return self.folder / "judge.db"

    @property
    def ghost(self) -> Path:
        """The ghost's file."""
        return self.folder / "ghost"

    async def run(self) -> None:
        """Register cards, and let all clients do their work."""
        work = await self._work()
        server = await asyncio.start_unix_server(self._switch, self.folder / "socket")
        try:
            async with asyncio.TaskGroup() as seats:
                for seat in range(self.plan.clients):
                    seats.create_task(self._seat(seat, work))
        finally:
            server.close()
            for client in self._clients.values():
                _kill(client)
            if self._judge is not None:
                await self._judge.stop()

    def histories(self) -> list[list[Operation]]:
        """Return what was recorded, one history for each card."""
        by_card: dict[int, list[Operation]] = defaultdict(list)
        for path in (self.folder / "records").iterdir():
            found: dict[int, dict[str, Any]] = defaultdict(dict)
            for line in path.read_text().splitlines():
                told = json.loads(line)
                found[told.pop("operation")].update(told)
            for fields in found.values():
                by_card[fields.pop("card")].append(Operation(**fields))
        return [by_card[card] for card in sorted(by_card)]

    def faults(self) -> list[str]:
        """Return what ghost and store have against the judge."""
        return ghost_faults(self.ghost, self.store) + tries_missing(self.store)

    def comparisons(self) -> int:
        """Return how many comparisons the ghost saw."""
        return sum(line.seen != "reset" for line in read_ghost(self.ghost))

    async def _work(self) -> dict[str, Any]:
        keys = load_judge_keys(self.keys)
        seeds = [self._random.randbytes(32).hex() for _ in range(self.plan.cards)]
        numbers = [self._random.randbytes(16) for _ in seeds]
        new = [
            NewCard(number=number, public_key=key_of(seed).public_key, pin=Secret(RIGHT_PIN))
            for number, seed in zip(numbers, seeds, strict=True)
        ]
        refs = await register_offline(self.store, keys, new, self._random.randbytes)
        operators = [(name, self._random.randbytes(32).hex()) for name in ("hanako", "taro")]
        (self.folder / OPERATORS_FOLDER).mkdir()
        authority = Authority.of_city(CityFolder.at(self.keys))
        for name, seed in operators:
            signed = OperatorFile.appointed(name, key_of(seed).public_key, authority)
            (self.folder / OPERATORS_FOLDER / f"{name}.pub").write_bytes(signed.text)
        return {
            "sealing_key": keys.pin_opener.public_key.hex(),
            "cards": [
                (number.hex(), seed, ref)
                for number, seed, ref in zip(numbers, seeds, refs, strict=True)
            ],
            "operators": operators,
            "socket": str(self.folder / "socket"),
            "each": self.plan.each,
            "unlocks": self.plan.unlocks,
        }

    async def _seat(self, seat: int, work: dict[str, Any]) -> None:
        """Keep a client at work until one of them has come to the end."""
        cards = list(range(self.plan.cards))
        groups = [cards[at : at + GROUP_CARDS] for at in range(0, len(cards), GROUP_CARDS)]
        for number in range(self.plan.client_answers):
            name = f"c{seat}-{number}"
            record = self.folder / "records" / name
            own = {
                "name": name,
                "seed": self._random.getrandbits(64),
                "record": str(record),
                "groups": groups,
            }
            client = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.pin_judge.recording_client"),
                stdin=asyncio.subprocess.PIPE,
            )
            self._clients[seat] = client
            await client.communicate(json.dumps(work | own).encode())
            if client.returncode == 0:
                return
            assert client.returncode == -signal.SIGKILL, f"a client ended by {client.returncode}"
            groups = groups[_groups_done(record, groups) :]

    async def _switch(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one client's questions, and empty answers where the judge died."""
        while (asked := await frames.read(reader)) is not None:
            judge = await self._living()
            try:
                body = await judge.ask(asked.body, ANSWER_WAIT_MS_MAX)
            except AdapterError:
                body = b""
            self._kill_if_due()
            writer.write(len(body).to_bytes(4) + body)
        writer.close()

    async def _living(self) -> Child:
        """Return the judge; a successor if it died."""
        async with self._turn:
            while self._judge is None or not self._judge.running.is_set():
                if self._judge is not None:
                    await self._judge.stop()
                    self.judges_killed += 1
                self._judge = self._successor()
                try:
                    await self._judge.start()
                except AdapterError:  # it died at its start
                    continue
            return self._judge

    def _successor(self) -> Child:
        exact = self._random.random() < 0.5
        self._judge_dies_at = self._answers + self._drawn(self.plan.judge_answers)
        point = self._drawn(10 * self.plan.judge_answers if self._random.random() < 0.8 else 12)
        arguments: list[str | Path] = [
            *("--store", self.store, "--keys", self.keys, "--city", CITY),
            *("--operators", self.folder / OPERATORS_FOLDER, "--ghost", self.ghost),
            *("--planted", self.plan.planted, "--dies-at", str(point if exact else 0)),
            *("--dies-comparing", str(self.plan.comparisons)),
        ]
        return Child(module=MODULE, arguments=[str(one) for one in arguments])

    def _kill_if_due(self) -> None:
        self._answers += 1
        loop, delay_s = asyncio.get_running_loop(), self._random.random() * KILL_DELAY_S_MAX
        process = None if self._judge is None else self._judge._process
        if self._answers >= self._judge_dies_at and process is not None:
            self._judge_dies_at = self._answers + self._drawn(self.plan.judge_answers)
            loop.call_later(delay_s, _kill, process)
        if self._answers >= self._client_dies_at:
            self._client_dies_at = self._answers + self._drawn(self.plan.client_answers)
            seat = self._random.randrange(self.plan.clients)
            if seat in self._clients and self._clients[seat].returncode is None:
                self.clients_killed += 1
                loop.call_later(delay_s, _kill, self._clients[seat])

    def _drawn(self, mean: int) -> int:
        return self._random.randint(1, 2 * mean)


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill a process that may be dead, leaving it to asyncio to learn of its end."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def _groups_done(record: Path, groups: list[list[int]]) -> int:
    """Return how many groups a killed client had begun, so that no history becomes too long."""
    if not record.exists():
        return 0
    told = [json.loads(line) for line in record.read_text().splitlines()]
    last = max((line["card"] for line in told if "card" in line), default=-1)
    return sum(group[0] <= last for group in groups)
