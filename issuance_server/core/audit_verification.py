"""Which records of the journal are not those that were signed (RFC 6962 §2.1).

A checkpoint's signed root proves the hashes that are kept beside it; each record is held against
its hash. So what was changed, removed, added or swapped is named, not only found.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from issuance_server.core.audit_tree import HASH_BYTES, AuditTree, leaf_hash
from issuance_server.core.records.restores import RESTORED_MARK, Restored, read_restored


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRoot:
    """A checkpoint.

    Attributes:
        size: how many records it is about.
        root: of their tree, 32 bytes.
        at_ms: when it was signed, Unix time in milliseconds.
        signature: the city's, over ``checkpoint_statement``.
        leaves: hashes of the records since the checkpoint before; not signed, empty of a witness.
    """

    size: int
    root: bytes
    at_ms: int
    signature: bytes
    leaves: bytes = b""


@dataclass(slots=True)
class Journal:
    """What is left of the journal, in the order of its numbers; hashes are kept, and restores.

    Attributes:
        numbers: of the records.
        hashes: of their leaves.
        restores: number and content of each record of a restore.
    """

    numbers: list[int] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    restores: list[tuple[int, Restored]] = field(default_factory=list)

    def add(self, number: int, record: bytes) -> None:
        """Add the next record."""
        self.numbers.append(number)
        self.hashes.append(leaf_hash(record))
        if RESTORED_MARK in record:
            restored = read_restored(record)
            if restored is not None:
                self.restores.append((number, restored))


@dataclass(slots=True)
class Verification:
    """What was found.

    Attributes:
        records: how many there are.
        checkpoints: how many were held against them.
        unsigned: records after the last checkpoint: nothing but the tree's frontier proves them.
        faults: one sentence for each.
    """

    records: int = 0
    checkpoints: int = 0
    unsigned: int = 0
    faults: list[str] = field(default_factory=list)


def verify_journal(
    journal: Journal,
    checkpoints: Sequence[SignedRoot],
    *,
    frontier: tuple[int, bytes],
    witnesses: Sequence[SignedRoot] = (),
    signature_holds: Callable[[SignedRoot], bool],
) -> Verification:
    """Hold the journal against everything that was signed about it.

    Args:
        journal: the records.
        checkpoints: by size.
        frontier: size and frontier that the database keeps of the tree.
        witnesses: checkpoints that others kept.
        signature_holds: whether the city signed a checkpoint.
    """
    found = Verification(records=len(journal.hashes))
    proof = _Proof(journal, found)
    for checkpoint in checkpoints:
        found.checkpoints += 1
        if signature_holds(checkpoint):
            proof.take(checkpoint)
        else:
            found.faults.append(
                f"the checkpoint at {checkpoint.size} records has a wrong signature"
            )
            proof.unproven.append(checkpoint.leaves)
    proof.tell_uncompared()
    proven = proof.hashes
    left_from = _compare(journal, proven, found)
    rest = journal.hashes[left_from:]
    found.unsigned = len(rest)
    whole = [*proven, *rest]
    numbers = [] if found.faults else _numbers(journal)
    found.faults += numbers
    if not numbers and not proof.uncompared:
        _compare_frontier(whole, len(proven), frontier, found)
    for witness in witnesses:
        if signature_holds(witness):
            faults = _faults_of_witness(witness, whole, checkpoints)
            found.faults += _restored_since(witness, journal) if faults else []
            found.faults += faults
        else:
            found.faults.append(f"the witness of {witness.size} records has a wrong signature")
    return found


class _Proof:
    """The hashes that the signed roots prove, as far as they have come."""

    def __init__(self, journal: Journal, found: Verification) -> None:
        self.hashes: list[bytes] = []
        self.unproven: list[bytes] = []
        self.uncompared = 0
        self._journal = journal
        self._found = found
        self._tree = AuditTree()

    def take(self, checkpoint: SignedRoot) -> None:
        """Go on to a checkpoint that the city signed."""
        if self.uncompared:
            self.uncompared += 1
            return
        before = len(self.hashes)
        kept = _split(b"".join((*self.unproven, checkpoint.leaves)))
        there = self._there(before, checkpoint.size)
        if self._proves(checkpoint, kept):
            pass
        elif self._proves(checkpoint, there):
            self._found.faults.append(self._fault_of_leaves(checkpoint, before))
        else:
            self.uncompared += 1
            self._found.faults.append(f"{_named(before + 1, checkpoint.size)} not as signed")
        self.unproven.clear()

    def tell_uncompared(self) -> None:
        """Tell how many checkpoints stand behind a gap in the proof."""
        if self.uncompared > 1:
            self._found.faults.append(f"{self.uncompared - 1} later checkpoints prove nothing then")

    def _proves(self, checkpoint: SignedRoot, hashes: list[bytes]) -> bool:
        if len(self.hashes) + len(hashes) != checkpoint.size:
            return False
        tree = AuditTree(self._tree.size, self._tree.frontier)
        for one in hashes:
            tree.append_hash(one)
        if tree.root() != checkpoint.root:
            return False
        self._tree = tree
        self.hashes += hashes
        return True

    def _there(self, before: int, size: int) -> list[bytes]:
        """Return the hashes of the records that have the numbers, if all are there."""
        numbers = self._journal.numbers
        if not before < size <= len(numbers):
            return []
        if numbers[before] != before + 1 or numbers[size - 1] != size:
            return []
        return self._journal.hashes[before:size]

    def _fault_of_leaves(self, checkpoint: SignedRoot, before: int) -> str:
        leaves, odd = divmod(len(checkpoint.leaves), HASH_BYTES)
        begins_at = checkpoint.size - leaves
        if not odd and not self.unproven and before < begins_at < checkpoint.size:
            return f"the checkpoint at {begins_at} records is missing"
        return f"the hashes beside the checkpoint at {checkpoint.size} records were changed"


def _compare(journal: Journal, proven: list[bytes], found: Verification) -> int:
    """Name what is not as it was proven; return where the records begin that nothing proves."""
    hashes, at, there = journal.hashes, 0, 0
    changed: list[tuple[int, bytes, bytes]] = []
    places: dict[bytes, int] = {}
    while at < len(proven):
        if there == len(hashes):
            found.faults.append(_missing(at + 1, len(proven)))
            break
        if hashes[there] == proven[at]:
            at, there = at + 1, there + 1
            continue
        places = places or {one: place for place, one in enumerate(proven)}
        following = hashes[there + 1 : there + 2]
        place = places.get(hashes[there], -1)
        if (
            place > at
            and following != proven[at + 1 : at + 2]
            and (not following or following == proven[place + 1 : place + 2])
        ):
            found.faults.append(_missing(at + 1, place))
            at = place
        elif place < 0 and following == proven[at : at + 1]:
            found.faults.append(f"a record was added before record {at + 1}")
            there += 1
        else:
            changed.append((at + 1, proven[at], hashes[there]))
            at, there = at + 1, there + 1
    found.faults += _changes(changed)
    return there


def _changes(changed: list[tuple[int, bytes, bytes]]) -> list[str]:
    """Tell of records that are others; two that stand in each other's place were swapped."""
    faults = []
    by_change = {(proven, there): number for number, proven, there in changed}
    for number, proven, there in changed:
        other = by_change.get((there, proven))
        if other is None or other == number:
            faults.append(f"record {number} was changed")
        elif number < other:
            faults.append(f"records {number} and {other} were swapped")
    return faults


def _numbers(journal: Journal) -> list[str]:
    """Tell of the first gap in the numbers, or of a number that is none of the journal's."""
    for expected, number in enumerate(journal.numbers, start=1):
        if number < expected:
            return [f"there is a record with the number {number}, which was never given"]
        if number > expected:
            return [_missing(expected, number - 1)]
    return []


def _compare_frontier(
    whole: list[bytes], signed: int, frontier: tuple[int, bytes], found: Verification
) -> None:
    """Hold what is after the last checkpoint against the frontier that the database keeps."""
    size, kept = frontier
    if size > len(whole):
        found.faults.append(_missing(len(whole) + 1, size))
        return
    if size < len(whole):
        found.faults.append(f"{_named(size + 1, len(whole))} not in the tree")
        return
    tree = AuditTree()
    for one in whole:
        tree.append_hash(one)
    if tree.frontier == kept:
        return
    if signed == size:
        found.faults.append("the frontier of the tree was changed")
    else:
        found.faults.append(f"{_named(signed + 1, size)} not as written, or the frontier is not")


def _faults_of_witness(
    witness: SignedRoot, whole: list[bytes], checkpoints: Sequence[SignedRoot]
) -> list[str]:
    size, faults = witness.size, []
    if size > len(whole):
        faults.append(f"a witness saw {size} records: {_missing(len(whole) + 1, size)}")
    else:
        tree = AuditTree()
        for one in whole[:size]:
            tree.append_hash(one)
        if tree.root() != witness.root:
            faults.append(f"the first {size} records are not those that a witness saw")
    if not any(_same(witness, checkpoint) for checkpoint in checkpoints):
        faults.append(f"the checkpoint at {size} records, which a witness has, is missing")
    return faults


def _restored_since(witness: SignedRoot, journal: Journal) -> list[str]:
    """Tell of the restore that may be why a witness saw another journal; it stays a fault.

    Whoever can write the journal can write that it was restored. So this explains and excuses
    nothing: people have to know of the restore from the city itself.
    """
    for number, restored in journal.restores:
        if restored.kept < witness.size and witness.at_ms <= restored.at_ms:
            told = (
                f"record {number} says that the city was put back to {restored.kept} records after"
                f" a witness had seen {witness.size}: if that restore was announced, this witness"
                " has ended; take a new one"
            )
            return [told]
    return []


def _same(witness: SignedRoot, checkpoint: SignedRoot) -> bool:
    return replace(checkpoint, leaves=witness.leaves) == witness


def _missing(first: int, last: int) -> str:
    return f"{_named(first, last)} missing"


def _named(first: int, last: int) -> str:
    return f"record {first} is" if first == last else f"records {first} to {last} are"


def _split(hashes: bytes) -> list[bytes]:
    if len(hashes) % HASH_BYTES:
        return []
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
