"""Checkpoints: what is signed, and the proof that one record grew from another."""

import hashlib
from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.checkpoint import (
    Checkpoint,
    checkpoint_statement,
    grew_from,
    node_hash,
    proof_spans,
)

CITY = "272035"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
SIZE_MAX = 40
LEAVES = [hashlib.sha256(bytes([number])).digest() for number in range(SIZE_MAX)]


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root by the definition of RFC 6962 §2.1."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(tree_root(leaves[:half]), tree_root(leaves[half:]))


def rfc_proof(earlier: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """Return the proof by the definition of RFC 6962 §2.1.2."""
    if earlier == len(leaves):
        return [] if whole else [tree_root(leaves)]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    if earlier <= half:
        return [*rfc_proof(earlier, leaves[:half], whole=whole), tree_root(leaves[half:])]
    return [*rfc_proof(earlier - half, leaves[half:], whole=False), tree_root(leaves[:half])]


def checkpoint(leaves: Sequence[bytes]) -> Checkpoint:
    """Return a signed checkpoint over these leaves."""
    size, root, at_ms = len(leaves), tree_root(leaves), 1_000 * len(leaves)
    signed = checkpoint_statement(city=CITY, size=size, root=root, at_ms=at_ms)
    return Checkpoint(size=size, root=root, at_ms=at_ms, signature=KEY.sign(signed))


def proof(earlier: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the proof as the city makes it."""
    return [tree_root(leaves[start:end]) for start, end in proof_spans(earlier, len(leaves))]


def test_a_signature_holds_for_one_city_and_one_content() -> None:
    """Another city, size, root or time, or another key, and it does not hold."""
    good = checkpoint(LEAVES[:3])

    assert good.signed_under((bytes(32), PUBLIC), CITY)
    assert not good.signed_under((PUBLIC,), "131016")
    assert not good.signed_under((), CITY)
    assert not good.signed_under((bytes(32),), CITY)
    for change in ({"size": 4}, {"root": bytes(32)}, {"at_ms": 1}):
        values = {name: getattr(good, name) for name in good.__struct_fields__}
        assert not Checkpoint(**(values | change)).signed_under((PUBLIC,), CITY)


@pytest.mark.parametrize("later", range(1, SIZE_MAX + 1))
def test_every_size_grows_to_every_later_one(later: int) -> None:
    """The proof is that of RFC 6962, and it proves."""
    for earlier in range(1, later + 1):
        given = proof(earlier, LEAVES[:later])

        assert rfc_proof(earlier, LEAVES[:later]) == given
        assert grew_from(checkpoint(LEAVES[:earlier]), checkpoint(LEAVES[:later]), given)


@pytest.mark.parametrize("later", range(2, 20))
def test_a_proof_proves_nothing_else(later: int) -> None:
    """A record with another beginning, and a proof that is cut, longer or changed, are refused."""
    for earlier in range(1, later):
        old, new = checkpoint(LEAVES[:earlier]), checkpoint(LEAVES[:later])
        given = proof(earlier, LEAVES[:later])
        other = [bytes(32), *LEAVES[1:later]]
        assert not grew_from(old, checkpoint(other), proof(earlier, other))
        assert not grew_from(checkpoint(other[:earlier]), new, given)
        assert not grew_from(old, new, given[:-1])
        assert not grew_from(old, new, [*given, bytes(32)])
        assert not grew_from(old, new, [])
        for at in range(len(given)):
            assert not grew_from(old, new, [*given[:at], bytes(32), *given[at + 1 :]])


def test_the_same_size_has_the_same_root() -> None:
    """And nothing to prove."""
    one, other = checkpoint(LEAVES[:5]), checkpoint([bytes(32), *LEAVES[1:5]])

    assert grew_from(one, one, [])
    assert not grew_from(one, other, [])
    assert not grew_from(one, one, [bytes(32)])


def test_a_proof_of_a_large_record_has_few_hashes() -> None:
    """One more than the bits of the size, at most."""
    assert 32 >= max(len(proof_spans(earlier, 2**31 - 1)) for earlier in (1, 3, 12_345, 2**31 - 2))
