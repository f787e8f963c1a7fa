"""Roots of subtrees without hashing everything: the same as by hashing everything."""

import hashlib
import random

from issuance_server.core.audit_nodes import CHUNK_LEAVES, AuditNodes, tail_start
from issuance_server.core.audit_tree import AuditTree
from protocol.checkpoint import proof_spans

SIZE_MAX = 5 * CHUNK_LEAVES
LEAVES = [hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(SIZE_MAX)]


def test_every_subtree_of_a_proof_has_the_root_of_its_leaves() -> None:
    """Whether it lies in chunks, in a part of one, or in both; also as the tree grows."""
    nodes, draw = AuditNodes(), random.Random(6962)
    edges = [1, 2, 128, 255, 256, 257, 511, 512, 513, 768, 1_024, 1_279]
    for later in sorted({*edges, SIZE_MAX, *(draw.randrange(2, SIZE_MAX) for _ in range(30))}):
        while nodes.size + CHUNK_LEAVES <= later:
            nodes.add_chunk(LEAVES[nodes.size : nodes.size + CHUNK_LEAVES])
        for earlier in (size for size in edges if size < later):
            for start, end in proof_spans(earlier, later):
                tree = AuditTree()
                for leaf in LEAVES[start:end]:
                    tree.append_hash(leaf)
                tail = LEAVES[tail_start(start, end) : end]

                assert tree.root() == nodes.root(start, end, tail)
                assert len(tail) < CHUNK_LEAVES
