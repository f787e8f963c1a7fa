"""What all records share."""

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="record"):
    """What all records share.

    Attributes:
        at_ms: real time of the decision, milliseconds since 1970 UTC.
    """

    at_ms: int


class HouseRecord(Record, frozen=True, kw_only=True):
    """A record on which no visit, issuance or line depends; what it says is in the tables."""
