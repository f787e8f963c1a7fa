"""Roots of any subtree of the audit tree, without hashing all of it each time.

Kept are the roots of the full subtrees of ``CHUNK_LEAVES`` leaves and more: 32 bytes for every 128
records. What lies between two of them is hashed anew from the records that it is about.
"""

from collections.abc import Sequence

from issuance_server.core.audit_tree import AuditTree
from protocol.checkpoint import node_hash

CHUNK_LEAVES = 256


class AuditNodes:
    """The kept roots; they grow by whole chunks."""

    def __init__(self) -> None:
        self._levels: list[list[bytes]] = [[]]

    @property
    def size(self) -> int:
        """How many leaves lie under kept roots."""
        return len(self._levels[0]) * CHUNK_LEAVES

    def add_chunk(self, leaves: Sequence[bytes]) -> None:
        """Take the hashes of the next ``CHUNK_LEAVES`` leaves."""
        node = _root(leaves)
        for level in self._levels:
            level.append(node)
            if len(level) % 2:
                return
            node = node_hash(level[-2], level[-1])
        self._levels.append([node])

    def root(self, start: int, end: int, tail: Sequence[bytes]) -> bytes:
        """Return the root of one of the subtrees that ``proof_spans`` names.

        Args:
            start: its first leaf.
            end: the leaf behind its last; its full chunks were added.
            tail: the hashes of the leaves from ``tail_start`` on.
        """
        at = start // CHUNK_LEAVES
        until = tail_start(start, end) // CHUNK_LEAVES if end - start >= CHUNK_LEAVES else at
        peaks = []
        while at < until:
            level = (until - at).bit_length() - 1
            peaks.append(self._levels[level][at >> level])
            at += 1 << level
        if tail:
            peaks.append(_root(tail))
        root = peaks.pop()
        while peaks:
            root = node_hash(peaks.pop(), root)
        return root


def tail_start(start: int, end: int) -> int:
    """Return the first leaf of a subtree that lies in no full chunk of it."""
    size = end - start
    return start if size < CHUNK_LEAVES else end - end % CHUNK_LEAVES


def _root(leaves: Sequence[bytes]) -> bytes:
    tree = AuditTree()
    for leaf in leaves:
        tree.append_hash(leaf)
    return tree.root()
