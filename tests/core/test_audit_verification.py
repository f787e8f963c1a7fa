"""Which records are not those that were signed: after the last checkpoint, and two at once."""

from dataclasses import replace

import pytest

from issuance_server.core.audit_tree import AuditTree, leaf_hash
from issuance_server.core.audit_verification import (
    Journal,
    SignedRoot,
    Verification,
    verify_journal,
)

RECORDS = [b"record %d" % number for number in range(1, 11)]
SIZES = (2, 5, 6, 8)
SIGNED = b"signed"


def tree_of(records: list[bytes]) -> AuditTree:
    """Return the tree over some records."""
    tree = AuditTree()
    tree.extend(records)
    return tree


def checkpoints() -> list[SignedRoot]:
    """Return the checkpoints of the ten records, of which two were never signed."""
    before, made = 0, []
    for size in SIZES:
        leaves = b"".join(map(leaf_hash, RECORDS[before:size]))
        root = tree_of(RECORDS[:size]).root()
        made.append(SignedRoot(size=size, root=root, at_ms=size, signature=SIGNED, leaves=leaves))
        before = size
    return made


def verified(
    records: list[bytes],
    signed: list[SignedRoot],
    *,
    frontier: tuple[int, bytes] | None = None,
    witnesses: tuple[SignedRoot, ...] = (),
) -> Verification:
    """Verify records that have the numbers 1 and up."""
    journal = Journal()
    for number, record in enumerate(records, start=1):
        journal.add(number, record)
    return verify_journal(
        journal,
        signed,
        frontier=frontier or (len(RECORDS), tree_of(RECORDS).frontier),
        witnesses=witnesses,
        signature_holds=lambda checkpoint: checkpoint.signature == SIGNED,
    )


def changed(number: int) -> list[bytes]:
    """Return the records with another one in the place of one."""
    return [*RECORDS[: number - 1], b"another", *RECORDS[number:]]


def test_untouched_record_holds() -> None:
    """With two records that only the frontier proves."""
    found = verified(RECORDS, checkpoints())

    assert Verification(records=10, checkpoints=4, unsigned=2) == found


def test_record_and_hash_changed_together_name_the_span() -> None:
    """The root says that something is wrong since the checkpoint before, and no more."""
    signed = checkpoints()
    records = changed(4)
    signed[1] = replace(signed[1], leaves=b"".join(map(leaf_hash, records[2:5])))

    assert [
        "records 3 to 5 are not as signed",
        "2 later checkpoints prove nothing then",
    ] == verified(records, signed).faults


def test_checkpoint_with_a_wrong_signature_does_not_hide_a_changed_record() -> None:
    """Its hashes are proven by the next one."""
    signed = checkpoints()
    signed[1] = replace(signed[1], signature=b"forged")

    assert [
        "the checkpoint at 5 records has a wrong signature",
        "record 4 was changed",
    ] == verified(changed(4), signed).faults


@pytest.mark.parametrize(
    ("records", "fault"),
    [
        (changed(9), "records 9 to 10 are not as written, or the frontier is not"),
        (RECORDS[:9], "record 10 is missing"),
        (RECORDS[:8], "records 9 to 10 are missing"),
        ([*RECORDS, b"one more"], "record 11 is not in the tree"),
    ],
    ids=["changed", "cut off", "all cut off", "added"],
)
def test_records_after_the_last_checkpoint_are_held_against_the_frontier(
    records: list[bytes], fault: str
) -> None:
    """It is not signed, but who changes a record only does not pass."""
    assert [fault] == verified(records, checkpoints()).faults


def test_frontier_of_other_records_is_found() -> None:
    """Also where all records are signed."""
    signed = [*checkpoints()]
    frontier = (8, tree_of(changed(3)[:8]).frontier)

    assert ["the frontier of the tree was changed"] == verified(
        RECORDS[:8], signed, frontier=frontier
    ).faults


def test_gap_in_the_numbers_is_found_where_nothing_is_signed() -> None:
    """And a number before the first."""
    for numbers, fault in (
        ((1, 2, 4), "record 3 is missing"),
        ((0, 1, 2), "there is a record with the number 0, which was never given"),
    ):
        journal = Journal()
        for number in numbers:
            journal.add(number, b"%d" % number)
        found = verify_journal(journal, [], frontier=(3, b""), signature_holds=lambda _: True)
        assert [fault] == found.faults


def test_witness_of_another_history_is_heard() -> None:
    """Its checkpoint was signed, and is over other records."""
    other = SignedRoot(size=6, root=tree_of(changed(1)[:6]).root(), at_ms=6, signature=SIGNED)

    assert [
        "the first 6 records are not those that a witness saw",
        "the checkpoint at 6 records, which a witness has, is missing",
    ] == verified(RECORDS, checkpoints(), witnesses=(other,)).faults
