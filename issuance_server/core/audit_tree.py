"""The Merkle tree over the journal (RFC 6962 §2.1): append, root, and nothing else to trust.

The leaves are the journal's records. Only the frontier is kept: the roots of the full subtrees from
left to right, one for every bit set in the size.
"""

import hashlib
from collections.abc import Iterable

from protocol.checkpoint import node_hash

HASH_BYTES = 32


def leaf_hash(record: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256 over a zero byte and the record."""
    return hashlib.sha256(b"\0" + record).digest()


class AuditTree:
    """The growing tree. Give ``frontier`` and ``size`` to a new one to go on after a restart."""

    def __init__(self, size: int = 0, frontier: bytes = b"") -> None:
        self.size = size
        self._roots = [frontier[at : at + HASH_BYTES] for at in range(0, len(frontier), HASH_BYTES)]

    @property
    def frontier(self) -> bytes:
        """The roots of the full subtrees, largest first, 32 bytes each."""
        return b"".join(self._roots)

    def append(self, record: bytes) -> None:
        """Add the next leaf."""
        self.append_hash(leaf_hash(record))

    def append_hash(self, node: bytes) -> None:
        """Add the next leaf, of which only the hash is known."""
        self.size += 1
        size = self.size
        while size % 2 == 0:
            node = node_hash(self._roots.pop(), node)
            size //= 2
        self._roots.append(node)

    def extend(self, records: Iterable[bytes]) -> None:
        """Add several leaves in order."""
        for record in records:
            self.append(record)

    def root(self) -> bytes:
        """Return the root hash of all leaves so far."""
        if not self._roots:
            return hashlib.sha256(b"").digest()
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = node_hash(left, root)
        return root
