"""The audit tree against the published roots of RFC 6962's reference data, and its frontier."""

import hashlib

import pytest

from issuance_server.core.audit_tree import (
    HASH_BYTES,
    AuditTree,
    leaf_hash,
)
from protocol.checkpoint import checkpoint_statement

# The leaves and roots of the Certificate Transparency reference tests (RFC 6962 §2.1):
# https://github.com/google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc
LEAVES = (
    b"",
    bytes.fromhex("00"),
    bytes.fromhex("10"),
    bytes.fromhex("2021"),
    bytes.fromhex("3031"),
    bytes.fromhex("40414243"),
    bytes.fromhex("5051525354555657"),
    bytes.fromhex("606162636465666768696a6b6c6d6e6f"),
)
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def test_roots_are_the_published_ones() -> None:
    """After each of the eight leaves."""
    tree = AuditTree()
    roots = []
    for leaf in LEAVES:
        tree.append(leaf)
        roots.append(tree.root().hex())

    assert list(ROOTS) == roots


def test_root_of_nothing_is_the_hash_of_nothing() -> None:
    """RFC 6962 §2.1."""
    assert hashlib.sha256(b"").digest() == AuditTree().root()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 63, 64, 65])
def test_frontier_goes_on_where_it_ended(size: int) -> None:
    """A tree taken up again from size and frontier grows like the one that never stopped."""
    whole = AuditTree()
    whole.extend(b"record %d" % number for number in range(size))
    resumed = AuditTree(whole.size, whole.frontier)
    assert size.bit_count() * HASH_BYTES == len(whole.frontier)
    for number in range(size, 70):
        whole.append(b"record %d" % number)
        resumed.append(b"record %d" % number)
        assert whole.root() == resumed.root()


def test_tree_is_the_recursive_definition() -> None:
    """For sizes up to 70 the root is that of the definition, written down as it stands there."""
    tree = AuditTree()
    hashes: list[bytes] = []
    for number in range(70):
        tree.append(b"%d" % number)
        hashes.append(leaf_hash(b"%d" % number))
        assert _defined(hashes) == tree.root()


def _defined(hashes: list[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    left = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + _defined(hashes[:left]) + _defined(hashes[left:])).digest()


def test_checkpoint_names_city_size_root_and_time() -> None:
    """Each of them makes another statement."""
    usual: dict[str, object] = {"city": "272035", "size": 3, "root": bytes(32), "at_ms": 5}
    changes = ({"city": "272036"}, {"size": 4}, {"root": b"\1" * 32}, {"at_ms": 6})
    statements = {
        checkpoint_statement(**(usual | change))  # type: ignore[arg-type]  # fields by name
        for change in ({}, *changes)
    }

    assert 5 == len(statements)
