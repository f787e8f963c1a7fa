"""Records of the register copy: counts, numbers and digests; what changed is in the copy alone."""

from issuance_server.core.records.base import HouseRecord


class RegisterImported(HouseRecord, frozen=True, kw_only=True, tag="register-imported"):
    """A full extract took the place of the copy.

    Attributes:
        file_digest: SHA-256 of the extract.
        households: how many are in it.
        residents: their members.
        records: of other registers.
        suppressions: of the resident system.
        edits: that were open.
        sequence: number of the last change that is in it.
        watermark_ms: as of when it is.
    """

    file_digest: bytes
    households: int
    residents: int
    records: int
    suppressions: int
    edits: int
    sequence: int
    watermark_ms: int


class RegisterFed(HouseRecord, frozen=True, kw_only=True, tag="register-fed"):
    """Changes were taken into the copy.

    Attributes:
        first: number of the first.
        sequence: number of the last.
        watermark_ms: as of when the copy is since.
    """

    first: int
    sequence: int
    watermark_ms: int


class RegisterGapFound(HouseRecord, frozen=True, kw_only=True, tag="register-gap-found"):
    """Changes are missing; nothing was taken.

    Attributes:
        expected: number of the first that is missing.
        found: number that came instead.
    """

    expected: int
    found: int


class StandInBegun(HouseRecord, frozen=True, kw_only=True, tag="stand-in-begun"):
    """Two operators declared stand-in operation; it ends by itself at ``until_ms``."""

    until_ms: int


class StandInEnded(HouseRecord, frozen=True, kw_only=True, tag="stand-in-ended"):
    """Stand-in operation was ended before its time."""
