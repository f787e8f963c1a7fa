"""The record of a restore: from here on the journal is another one than witnesses may have seen."""

from issuance_server.core.records.base import HouseRecord


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
