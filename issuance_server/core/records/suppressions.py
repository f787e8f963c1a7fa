"""Records of suppressions (抑止): ids and codes; the operator's own words stand with the act."""

from issuance_server.core.records.base import HouseRecord
from issuance_server.core.suppression import (
    SubjectKind,
    SuppressionLevel,
    SuppressionOrigin,
    SuppressionReason,
)


class SuppressionSet(HouseRecord, frozen=True, kw_only=True, tag="suppression-set"):
    """From now on nothing is given out about a person or a household.

    Attributes:
        suppression_id: names it for ever.
        subject_kind: person or household.
        subject_id: 宛名番号 or 世帯番号.
        reason: why, as a code.
        level: what a counter does.
        until_day: the last day that was named, ``YYYY-MM-DD``; it ends nothing.
        origin: where it was set.
    """

    suppression_id: str
    subject_kind: SubjectKind
    subject_id: str
    reason: SuppressionReason
    level: SuppressionLevel
    until_day: str | None = None
    origin: SuppressionOrigin = SuppressionOrigin.OPERATOR


class SuppressionLifted(HouseRecord, frozen=True, kw_only=True, tag="suppression-lifted"):
    """A suppression is gone; others may lie on the same subject."""

    suppression_id: str
