"""What the journal holds: one record for every decision, from which the state is folded.

Records hold ids, codes, times, amounts and digests; never a PIN, a key, a name or a body. The state
of a visit or an issuance changes only by evolving a record, so that a restart, a replay and an
ordinary step are the same thing.
"""

from typing import TypeAlias

import msgspec

from issuance_server.core.records.base import (
    HouseRecord,
    Record,
)
from issuance_server.core.records.cards import CardChanged, CardRegistrationBegun
from issuance_server.core.records.days import (
    DayClosed,
    DayTotal,
    DifferenceSettled,
    LineCarriedOver,
    ReportedLate,
)
from issuance_server.core.records.domiciles import (
    DomicileApproved,
    DomicileMatched,
    DomicileRejected,
    DomicileRequested,
)
from issuance_server.core.records.house import (
    ActOutcome,
    JudgeReported,
    OperatorActed,
    OperatorActEnded,
)
from issuance_server.core.records.issuances import (
    CiphertextHeld,
    ClosedFee,
    DeletionOverdue,
    DeletionReported,
    IssuanceApplied,
    IssuanceClosed,
    IssuanceQuoted,
    IssuanceReleased,
    IssuanceUnconfirmed,
    IssuanceWithdrawn,
    KeyDestroyed,
    PrintReported,
)
from issuance_server.core.records.issuing import (
    Evidence,
    EvidenceKept,
    EvidenceLost,
    IssuingReopened,
    IssuingStopped,
    ManifestDeclared,
    StopReason,
)
from issuance_server.core.records.lines import (
    LineClosed,
    LineOpened,
    LineReopened,
    LineStopped,
    TerminalRegistered,
    TerminalRenewed,
    TerminalRevoked,
)
from issuance_server.core.records.notices import NoticeSubscribed, NoticeUnsubscribed
from issuance_server.core.records.registers import (
    RegisterFed,
    RegisterGapFound,
    RegisterImported,
    StandInBegun,
    StandInEnded,
)
from issuance_server.core.records.restores import Restored
from issuance_server.core.records.suppressions import SuppressionLifted, SuppressionSet
from issuance_server.core.records.tables import TablesLoaded
from issuance_server.core.records.visits import (
    ApplicationRefused,
    AttemptJudged,
    AttemptMade,
    ChallengeIssued,
    VisitBegun,
    VisitEnded,
    WithheldKind,
)

__all__ = [
    "ActOutcome",
    "AnyRecord",
    "ApplicationRefused",
    "AttemptJudged",
    "AttemptMade",
    "CardChanged",
    "CardRegistrationBegun",
    "ChallengeIssued",
    "CiphertextHeld",
    "ClosedFee",
    "DayClosed",
    "DayTotal",
    "DeletionOverdue",
    "DeletionReported",
    "DifferenceSettled",
    "DomicileApproved",
    "DomicileMatched",
    "DomicileRejected",
    "DomicileRequested",
    "Evidence",
    "EvidenceKept",
    "EvidenceLost",
    "HouseRecord",
    "IssuanceApplied",
    "IssuanceClosed",
    "IssuanceQuoted",
    "IssuanceReleased",
    "IssuanceUnconfirmed",
    "IssuanceWithdrawn",
    "IssuingReopened",
    "IssuingStopped",
    "JudgeReported",
    "KeyDestroyed",
    "LineCarriedOver",
    "LineClosed",
    "LineOpened",
    "LineReopened",
    "LineStopped",
    "ManifestDeclared",
    "NoticeSubscribed",
    "NoticeUnsubscribed",
    "OperatorActEnded",
    "OperatorActed",
    "PrintReported",
    "Record",
    "RegisterFed",
    "RegisterGapFound",
    "RegisterImported",
    "ReportedLate",
    "Restored",
    "StandInBegun",
    "StandInEnded",
    "StopReason",
    "SuppressionLifted",
    "SuppressionSet",
    "TablesLoaded",
    "TerminalRegistered",
    "TerminalRenewed",
    "TerminalRevoked",
    "VisitBegun",
    "VisitEnded",
    "WithheldKind",
    "decode_record",
    "encode_record",
    "subject_of",
]

_OfLines: TypeAlias = (
    LineOpened
    | LineClosed
    | LineStopped
    | LineReopened
    | TerminalRegistered
    | TerminalRenewed
    | TerminalRevoked
)
_OfVisits: TypeAlias = (
    VisitBegun | ChallengeIssued | AttemptMade | AttemptJudged | VisitEnded | ApplicationRefused
)
_OfIssuances: TypeAlias = (
    IssuanceApplied
    | IssuanceQuoted
    | CiphertextHeld
    | IssuanceReleased
    | PrintReported
    | DeletionReported
    | KeyDestroyed
    | IssuanceWithdrawn
    | IssuanceUnconfirmed
    | DeletionOverdue
    | IssuanceClosed
)
_OfIssuing: TypeAlias = (
    IssuingStopped | IssuingReopened | EvidenceLost | EvidenceKept | ManifestDeclared
)
_OfTheHouse: TypeAlias = OperatorActed | OperatorActEnded | JudgeReported | TablesLoaded | Restored
_OfDays: TypeAlias = DayClosed | LineCarriedOver | DifferenceSettled | ReportedLate
_OfSuppressions: TypeAlias = SuppressionSet | SuppressionLifted
_OfCards: TypeAlias = CardRegistrationBegun | CardChanged
_OfNotices: TypeAlias = NoticeSubscribed | NoticeUnsubscribed
_OfDomiciles: TypeAlias = DomicileRequested | DomicileMatched | DomicileApproved | DomicileRejected
_OfRegisters: TypeAlias = (
    RegisterImported | RegisterFed | RegisterGapFound | StandInBegun | StandInEnded
)
AnyRecord: TypeAlias = (
    _OfLines
    | _OfVisits
    | _OfIssuances
    | _OfIssuing
    | _OfTheHouse
    | _OfSuppressions
    | _OfRegisters
    | _OfDays
    | _OfNotices
    | _OfDomiciles
    | _OfCards
)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyRecord] = msgspec.msgpack.Decoder(AnyRecord)


def encode_record(record: AnyRecord) -> bytes:
    """Return the record's bytes: a leaf of the audit tree."""
    return _encoder.encode(record)


def decode_record(packed: bytes) -> AnyRecord:
    """Read a record of the journal.

    Raises:
        msgspec.DecodeError: the journal is damaged.
    """
    return _decoder.decode(packed)


def subject_of(record: AnyRecord) -> bytes | None:
    """Return the id of the issuance, or else the visit, that the record is about.

    A refused application came to no issuance: it belongs to its visit, and is folded with it.
    """
    if isinstance(record, ApplicationRefused):
        return record.visit_id
    issuance_id: bytes | None = getattr(record, "issuance_id", None)
    visit_id: bytes | None = getattr(record, "visit_id", None)
    return issuance_id if issuance_id is not None else visit_id
