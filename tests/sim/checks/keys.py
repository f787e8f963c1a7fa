"""22 and 24: what is reported as erased is gone on both sides; no key outlives its issuance."""

from typing import Any

from issuance_server.core import records as r
from terminal_sim.core import records as here
from tests.sim.checks.witness import Witness


class Keys(Witness):
    """Follows wrapped keys at the city and ciphertexts at terminals.

    Attributes:
        kept: wrapped keys in the city's durable tables.
        residue: deleted ones that are still somewhere on its disk.
        spooled: ciphertexts on terminals' disks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept: set[bytes] = set()
        self.residue: set[bytes] = set()
        self.spooled: set[bytes] = set()

    def on_city_records(
        self, _now: Any, records: list[r.AnyRecord], kept: Any, dropped: Any, _changes: Any
    ) -> None:
        """Take a commit."""
        for issuance_id in dropped:
            if issuance_id in self.kept:
                self.kept.discard(issuance_id)
                self.residue.add(issuance_id)
        self.kept.update(kept)
        self.kept.difference_update(dropped)
        for record in records:
            if isinstance(record, r.KeyDestroyed):
                if record.issuance_id in self.kept or record.issuance_id in self.residue:
                    self.broken(
                        22, f"{record.issuance_id.hex()[:8]} has ended, and its key is left"
                    )
                if record.issuance_id in self.spooled:
                    self.broken(22, f"{record.issuance_id.hex()[:8]} has ended, and is spooled")
            elif isinstance(record, r.IssuanceWithdrawn) and record.issuance_id in self.kept:
                self.broken(22, f"{record.issuance_id.hex()[:8]} was withdrawn with its key")

    def on_checkpoint(self) -> None:
        """What was deleted is off the disk."""
        self.residue.clear()

    def on_spool(self, _terminal: str, issuance_id: bytes, there: bool) -> None:
        """A ciphertext came or went."""
        if there:
            self.spooled.add(issuance_id)
        else:
            self.spooled.discard(issuance_id)

    def on_terminal_records(self, _terminal: str, records: list[here.AnyRecord]) -> None:
        """See that no record of an erasure comes before it."""
        for record in records:
            if isinstance(record, here.SpoolErased) and record.issuance_id in self.spooled:
                self.broken(
                    22, f"{record.issuance_id.hex()[:8]} is reported as erased, and is there"
                )
