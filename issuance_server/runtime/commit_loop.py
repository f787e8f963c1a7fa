"""Inputs to effects: facts, step, journal and projections in one transaction, then the rest.

Law of this module: nothing leaves before the records of its step are on the disk, and when they
cannot be written, nothing leaves at all and the process stops.
"""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from issuance_server.core.effects import (
    ChangeCopy,
    DropKey,
    Effect,
    KeepAside,
    KeepKey,
    TakeExtract,
    Write,
)
from issuance_server.core.facts import NO_FACTS, Facts, Now
from issuance_server.core.inputs import Input
from issuance_server.core.switch import NO_NEEDS, Switch
from issuance_server.ports import Clock, Store, Transaction

INPUTS_WAITING_MAX = 4_096
INPUTS_PER_COMMIT_MAX = 256

Stepped: TypeAlias = Callable[[Input, Now, Facts, list[Effect]], None]
"""Takes what the core was given, and what it decided; it must not raise."""


class CommitLoop:
    """Takes inputs in order and commits them in groups, as many as have come meanwhile."""

    def __init__(
        self,
        *,
        switch: Switch,
        store: Store,
        clock: Clock,
        perform: Callable[[Effect], None],
        committed: Callable[[], None],
        stepped: Stepped | None = None,
    ) -> None:
        """Prepare; ``run`` does the work.

        Args:
            switch: the core.
            store: the journal.
            clock: the time of each step.
            perform: called with every effect that leaves, after the commit, in order.
            committed: called after every commit, when deadlines may have changed.
            stepped: called with every step, before its commit; None: nobody records.
        """
        self._switch = switch
        self._store = store
        self._clock = clock
        self._perform = perform
        self._committed = committed
        self._stepped = stepped
        self._inputs: asyncio.Queue[Input] = asyncio.Queue(INPUTS_WAITING_MAX)

    def offer(self, input_: Input) -> bool:
        """Queue an input that a peer will repeat; False when the queue is full."""
        try:
            self._inputs.put_nowait(input_)
        except asyncio.QueueFull:
            return False
        return True

    async def submit(self, input_: Input) -> None:
        """Queue an input that nobody repeats; waits for room."""
        await self._inputs.put(input_)

    async def run(self) -> None:
        """Commit for ever.

        Raises:
            JournalFailed: the journal could not be written; nothing of the group has left.
        """
        while True:
            group = [await self._inputs.get()]
            while len(group) < INPUTS_PER_COMMIT_MAX and not self._inputs.empty():
                group.append(self._inputs.get_nowait())
            await self.commit(group)

    async def commit(self, group: list[Input], *, attached: str | None = None) -> None:
        """Put a group of inputs through the core in one transaction, then let effects leave.

        Args:
            group: the inputs.
            attached: a staged extract that one of them takes over.
        """
        leaving: list[Effect] = []
        async with self._store.transaction(attached) as transaction:
            for input_ in group:
                leaving += await self._step(input_, transaction)
        for effect in leaving:
            self._perform(effect)
        self._committed()

    async def _step(self, input_: Input, transaction: Transaction) -> list[Effect]:
        now = self._clock.now()
        needs = self._switch.needs(input_, now)
        facts = NO_FACTS if needs == NO_NEEDS else await transaction.facts(needs, now.real_ms)
        effects = self._switch.step(input_, now, facts)
        if self._stepped is not None:
            self._stepped(input_, now, facts, effects)
        leaving: list[Effect] = []
        for effect in effects:
            match effect:
                case Write(record=record):
                    transaction.write(record)
                case KeepKey():
                    transaction.keep_key(effect)
                case KeepAside():
                    transaction.keep_aside(effect)
                case DropKey():
                    transaction.drop_key(effect)
                    leaving.append(effect)  # once committed, it has to leave the disk as well
                case ChangeCopy() | TakeExtract():
                    await transaction.change_copy(effect)
                case _:
                    leaving.append(effect)
        return leaving
