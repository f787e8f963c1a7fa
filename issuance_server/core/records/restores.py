"""The record of a restore: from here on the journal is another one than witnesses may have seen."""

import msgspec

from issuance_server.core.records.base import HouseRecord

RESTORED_MARK = b"\xa8restored"
"""What stands in the packed form of every such record, and hardly in another."""


class Restored(HouseRecord, frozen=True, kw_only=True, tag="restored"):
    """The city was put back to an earlier state; what came after that is not in this journal.

    Attributes:
        kept: how many records of the journal before are kept; this is the next one.
        root: of the audit tree over them.
        backup_at_ms: when the backup was made.
        first_serial: where the numbers of certificates begin on every day from now on.
    """

    kept: int
    root: bytes
    backup_at_ms: int
    first_serial: int


def read_restored(packed: bytes) -> Restored | None:
    """Return what a packed record says of a restore; None: it is another record, or damaged."""
    try:
        return _decode(packed)
    except msgspec.DecodeError:
        return None


_decode = msgspec.msgpack.Decoder(Restored).decode
