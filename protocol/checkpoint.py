"""Signed checkpoints of a city's audit record, and how one grows from another (SPEC.md §17).

The tree is that of RFC 6962 §2.1. A terminal keeps the latest checkpoint that it was shown; the
next one has to contain it. So a city that puts its record back, or writes another one, is found.
"""

import hashlib
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from protocol.fields import Count, Digest, Signature, TimeMs
from protocol.limits import PROOF_HASHES_MAX
from protocol.statements import signature_holds, statement

Proof = Annotated[tuple[Digest, ...], Meta(max_length=PROOF_HASHES_MAX)]


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a city says about its audit record, and its signature.

    Attributes:
        size: how many records there are.
        root: of their tree.
        at_ms: when it was signed, by the city's clock.
        signature: the city's Ed25519 over ``checkpoint_statement``.
    """

    size: Count
    root: Digest
    at_ms: TimeMs
    signature: Signature

    def signed_under(self, keys: Sequence[bytes], city: str) -> bool:
        """Tell whether it holds under one of a city's checkpoint keys, 32 bytes each."""
        signed = checkpoint_statement(city=city, size=self.size, root=self.root, at_ms=self.at_ms)
        return any(signature_holds(key, self.signature, signed) for key in keys)


def checkpoint_statement(*, city: str, size: int, root: bytes, at_ms: int) -> bytes:
    """Return what a city signs about its audit record: so many records have this root (TP-120)."""
    return statement("audit-checkpoint", city, size, root, at_ms)


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over two others (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\1" + left + right).digest()


def proof_spans(earlier: int, later: int) -> tuple[tuple[int, int], ...]:
    """Return the subtrees whose roots prove that one size grew from another (RFC 6962 §2.1.2).

    Args:
        earlier: the smaller size, 1 and up.
        later: the larger size.

    Returns:
        of each subtree its first leaf, from 0, and the one behind its last; none if the sizes are
        the same.
    """
    spans: list[tuple[int, int]] = []
    start, end, known = 0, later, True  # known: the verifier has this subtree's root already
    while earlier != end:
        middle = start + _split(end - start)
        if earlier <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start, known = middle, False
    if not known:
        spans.append((start, end))
    return tuple(reversed(spans))


def grew_from(earlier: Checkpoint, later: Checkpoint, proof: Sequence[bytes]) -> bool:
    """Tell whether the later record is the earlier one with more behind it (RFC 9162 §2.1.4.2).

    Args:
        earlier: of at least one record.
        later: of at least as many.
        proof: roots of the subtrees that ``proof_spans`` names.
    """
    if earlier.size == later.size:
        return earlier.root == later.root and not proof
    path = list(proof)
    if earlier.size & (earlier.size - 1) == 0:
        path.insert(0, earlier.root)  # a whole subtree of the later one: it need not be told
    if not path:
        return False
    inside, last = earlier.size - 1, later.size - 1
    while inside & 1:
        inside, last = inside >> 1, last >> 1
    old_root = new_root = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if inside & 1 or inside == last:
            old_root, new_root = node_hash(node, old_root), node_hash(node, new_root)
            while not inside & 1 and inside:
                inside, last = inside >> 1, last >> 1
        else:
            new_root = node_hash(new_root, node)
        inside, last = inside >> 1, last >> 1
    return last == 0 and (old_root, new_root) == (earlier.root, later.root)


def _split(size: int) -> int:
    """Return the largest power of two that is smaller than a size of 2 and up."""
    return 1 << ((size - 1).bit_length() - 1)
