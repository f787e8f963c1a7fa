"""What the witnesses of a simulated city are shown: the latest checkpoint, and that it grew."""

from issuance_server.core.audit_nodes import CHUNK_LEAVES, AuditNodes, tail_start
from issuance_server.core.audit_tree import leaf_hash
from issuance_server.ports import ShownCheckpoint
from protocol.checkpoint import Checkpoint, proof_spans
from tests.sim.store.disk import MemoryDisk


class MemoryProofs:
    """Makes proofs from the records as they stand in the journal."""

    def __init__(self, disk: MemoryDisk) -> None:
        self._disk = disk
        self._nodes = AuditNodes()

    def shown(self, witnessed: int) -> ShownCheckpoint | None:
        """Return the latest checkpoint for somebody who keeps the one of ``witnessed`` records."""
        if not self._disk.signed:
            return None
        signed = self._disk.signed[-1]
        checkpoint = Checkpoint(
            size=signed.size, root=signed.root, at_ms=signed.at_ms, signature=signed.signature
        )
        if not 0 < witnessed < signed.size:
            return ShownCheckpoint(checkpoint=checkpoint)
        while (start := self._nodes.size) + CHUNK_LEAVES <= signed.size:
            self._nodes.add_chunk(self._leaves(start, start + CHUNK_LEAVES))
        proof = [self._root(*span) for span in proof_spans(witnessed, signed.size)]
        return ShownCheckpoint(checkpoint=checkpoint, proof=tuple(proof))

    def _root(self, start: int, end: int) -> bytes:
        return self._nodes.root(start, end, self._leaves(tail_start(start, end), end))

    def _leaves(self, start: int, end: int) -> list[bytes]:
        return [leaf_hash(packed) for _, _, packed in self._disk.journal[start:end]]
