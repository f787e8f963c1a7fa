"""What is shown to witnesses: the latest signed checkpoint, and that it grew from theirs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from issuance_server.core.audit_nodes import CHUNK_LEAVES, AuditNodes, tail_start
from issuance_server.core.audit_tree import leaf_hash
from issuance_server.ports import ShownCheckpoint
from protocol.checkpoint import Checkpoint, proof_spans

_LATEST_SQL = "SELECT size, root, at_ms, signature FROM audit_checkpoint ORDER BY size DESC LIMIT 1"
_LEAVES_SQL = "SELECT record FROM journal WHERE seq > ? AND seq <= ? ORDER BY seq"

Read = Callable[[str, tuple[object, ...]], Awaitable[list[tuple[Any, ...]]]]


class AuditProofs:
    """Makes proofs from the records as they stand in the journal.

    So a record that was changed there does not prove what was signed, and the witness sees it.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._nodes = AuditNodes()
        self._growing = asyncio.Lock()  # of many terminals that open at once, one reads for all

    async def shown(self, witnessed: int) -> ShownCheckpoint | None:
        """Return the latest checkpoint for somebody who keeps the one of ``witnessed`` records."""
        rows = await self._read(_LATEST_SQL, ())
        if not rows:
            return None
        size, root, at_ms, signature = rows[0]
        checkpoint = Checkpoint(size=size, root=root, at_ms=at_ms, signature=signature)
        if not 0 < witnessed < size:
            return ShownCheckpoint(checkpoint=checkpoint)
        await self._grow(size)
        proof = [await self._root(*span) for span in proof_spans(witnessed, size)]
        return ShownCheckpoint(checkpoint=checkpoint, proof=tuple(proof))

    async def _grow(self, size: int) -> None:
        async with self._growing:
            while (start := self._nodes.size) + CHUNK_LEAVES <= size:
                self._nodes.add_chunk(await self._leaves(start, start + CHUNK_LEAVES))

    async def _root(self, start: int, end: int) -> bytes:
        tail = await self._leaves(tail_start(start, end), end)
        return self._nodes.root(start, end, tail)

    async def _leaves(self, start: int, end: int) -> list[bytes]:
        if start == end:
            return []
        return [leaf_hash(row[0]) for row in await self._read(_LEAVES_SQL, (start, end))]
