"""What commands say and ask about suppressions."""

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta

from issuance_server.adapters.sqlite.suppressions import SuppressionRow
from issuance_server.core.suppression import SubjectKind, SuppressionLevel, SuppressionReason

ACT_SUPPRESSION_ADD = "suppression.add"
ACT_SUPPRESSION_LIFT = "suppression.lift"
SUPPRESSION_ID_BYTES = 8

_SuppressionId = Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
_SubjectId = Annotated[str, Meta(min_length=1, max_length=20)]


class AddedSuppression(msgspec.Struct, frozen=True, kw_only=True, tag="added-suppression"):
    """What comes with ``suppression.add``; the id is drawn by the command, at random."""

    suppression_id: _SuppressionId
    subject_kind: SubjectKind
    subject_id: _SubjectId
    why: SuppressionReason
    level: SuppressionLevel
    until: dt.date | None = None


class ListSuppressions(msgspec.Struct, frozen=True, kw_only=True, tag="list-suppressions"):
    """All that are in force."""


class Suppressions(msgspec.Struct, frozen=True, kw_only=True, tag="suppressions"):
    """Oldest first."""

    rows: tuple[SuppressionRow, ...]
