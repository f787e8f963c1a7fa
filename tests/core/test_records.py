"""Records: what may stand in the journal, how it is written, and what it is about."""

import re
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from issuance_server.core import records as r
from issuance_server.core.card_registration import CardStep
from issuance_server.core.cards import CardKind, CardOccasion
from issuance_server.core.pin_policy import JudgeEventName
from issuance_server.core.refusals import Refusal
from issuance_server.core.suppression import (
    SubjectKind,
    SuppressionLevel,
    SuppressionOrigin,
    SuppressionReason,
)
from issuance_server.core.terminal_place import TerminalClass
from protocol.codes import ReplyCode
from protocol.kinds import Kind, Options
from protocol.telegrams import Counters
from protocol.terminal_statements import FailureCause, PrintOutcome

KINDS: tuple[type[r.Record], ...] = get_args(r.AnyRecord)
WORDS = {
    *("terminal", "card_ref", "resident_id", "business_day", "numbers", "operator", "operators"),
    "usable_from",
    *("second", "act", "subject", "cause", "suppression_id", "subject_id", "until_day", "day"),
}
"""Fields of text that hold ids, days, numbers or one of a few words."""
FREE_TEXTS = {
    ("LineOpened", "software"),  # 200 characters at most, of the terminal's program
    ("OperatorActed", "reason"),  # an operator's words, 200 characters at most
    ("OperatorActEnded", "reason"),  # a sentence of the server or the judge
    ("TerminalRegistered", "chain"),  # who runs the store, 64 characters at most
    ("TerminalRegistered", "store"),  # the store's name, the same
    ("IssuanceClosed", "reason"),
    ("TablesLoaded", "content"),  # hours, fees and chains, 64 KiB at most
    ("IssuingStopped", "fault"),  # a word of the gate; or an operator's words
    ("IssuingStopped", "terminals"),  # ids
    ("ManifestDeclared", "items"),  # versions, digests and counts of a node, by name
    ("LineStopped", "reason"),  # one of the words of the settling desk
}
BYTES = {
    *(
        "request_id",
        "issuance_id",
        "visit_id",
        "challenge",
        "digest",
        "request_digest",
        "file_digest",
        "pages",
    ),
    *("sealed_digest", "signature", "nonce", "line_id", "fingerprint", "report_public_key", "root"),
}
PARTS = {
    r.WithheldKind,  # a kind and a refusal, each of a few words
    r.DayTotal,  # a chain, as it registers its terminals, a kind, and sums
    Counters,
}
FORBIDDEN = re.compile(r"(?:^|_)(?:name|pin|key|secret|body|pdf|card|block|birth|address)(?:_|$)")


def test_union_names_every_kind_of_record() -> None:
    """A record that is not in it could be written and never read."""
    direct = {kind for kind in r.Record.__subclasses__() if kind is not r.HouseRecord}
    declared = direct | set(r.HouseRecord.__subclasses__())
    of_the_house = {kind for kind in declared if not kind.__module__.startswith("tests.")}

    assert of_the_house == set(KINDS)


def test_every_kind_has_a_tag_of_its_own() -> None:
    """The tag is the type's name in lower case with hyphens, for ever."""
    for kind in KINDS:
        words = re.findall(r"[A-Z][a-z]*", kind.__name__)
        assert "-".join(words).lower() == kind.__struct_config__.tag


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_records_hold_ids_codes_times_and_digests(kind: type[r.Record]) -> None:
    """Nothing in it can hold a name, a PIN, a key or a body."""
    for field, hint in get_type_hints(kind).items():
        if field.startswith("__"):
            continue
        plain = field.removesuffix("_ref").replace("card", "").removesuffix("_public_key")
        assert not FORBIDDEN.search(plain), field
        for leaf in _leaves(hint):
            if leaf in PARTS:
                continue
            if leaf is str:
                assert field in WORDS or (kind.__name__, field) in FREE_TEXTS, field
            elif leaf is bytes:
                assert field in BYTES or (kind.__name__, field) in FREE_TEXTS, field
            else:
                assert leaf in {int, bool, NoneType, Options} or issubclass(leaf, Enum), field


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_comes_back_from_the_journal(kind: type[r.Record]) -> None:
    """Written and read again it is the same record; damage is an error."""
    record = sample(kind)
    packed = r.encode_record(record)

    assert record == r.decode_record(packed)
    with pytest.raises(msgspec.DecodeError):
        r.decode_record(packed[:-1])


def test_subject_is_what_the_record_is_folded_with() -> None:
    """The issuance; else the visit, also of an application that came to no issuance."""
    ids: dict[str, bytes | None] = {kind.__name__: r.subject_of(sample(kind)) for kind in KINDS}

    assert {
        *("VisitBegun", "ChallengeIssued", "AttemptMade", "AttemptJudged", "VisitEnded"),
        "ApplicationRefused",
    } == {name for name, subject in ids.items() if subject == b"v" * 16}
    assert {
        *(
            "LineOpened",
            "LineClosed",
            "OperatorActed",
            *("DomicileRequested", "DomicileMatched", "DomicileApproved", "DomicileRejected"),
            "NoticeSubscribed",
            "NoticeUnsubscribed",
            "OperatorActEnded",
            "JudgeReported",
        ),
        *("TerminalRegistered", "TerminalRenewed", "TerminalRevoked", "TablesLoaded"),
        *("SuppressionSet", "SuppressionLifted", "StandInBegun", "StandInEnded"),
        *("RegisterImported", "RegisterFed", "RegisterGapFound", "LineReopened"),
        *("IssuingReopened", "EvidenceLost", "EvidenceKept", "ManifestDeclared"),
        *("DayClosed", "LineCarriedOver", "DifferenceSettled"),
        *("CardRegistrationBegun", "CardChanged", "Restored"),
    } == {name for name, subject in ids.items() if subject is None}
    assert b"i" * 16 == ids["IssuanceApplied"] == ids["KeyDestroyed"] == ids["LineStopped"]


def sample(kind: type[Any]) -> Any:
    """Return a record of a kind, filled with something of each field's type."""
    filled: dict[str, Any] = {
        field: _VALUES.get(field, _value(hint))
        for field, hint in get_type_hints(kind).items()
        if not field.startswith("__")
    }
    return kind(**filled)


DAY_TOTAL = r.DayTotal(
    chain="見本",
    kind=Kind.JUMINHYO,
    completed=3,
    reversed=1,
    withdrawn=2,
    closed=0,
    copies=4,
    collected_yen=1_000,
    returned_yen=200,
    earned_yen=800,
    commission_yen=468,
)
_VALUES: dict[str, Any] = {
    "issuance_id": b"i" * 16,
    "visit_id": b"v" * 16,
    "operators": ("mado-1", "mado-2"),
}


def _value(hint: Any) -> Any:
    if get_origin(hint) is tuple:
        return (_value(get_args(hint)[0]),)
    if get_origin(hint) is dict:
        return {"text": "text"}
    if get_origin(hint) in {Union, UnionType}:
        return _value(get_args(hint)[0])
    values = {int: 7, str: "text", bytes: b"bytes", bool: True, Options: Options()}
    values |= {Kind: Kind.JUMINHYO, ReplyCode: ReplyCode.DATA_CHANGED}
    values |= {PrintOutcome: PrintOutcome.PRINTED, FailureCause: FailureCause.NONE}
    values |= {
        r.ActOutcome: r.ActOutcome.REFUSED,
        TerminalClass: TerminalClass.STORE,
        JudgeEventName: JudgeEventName.CARD_LOCKED,
        Refusal: Refusal.SUPPORTED,
        r.WithheldKind: r.WithheldKind(kind=Kind.INKAN, refusal=Refusal.SEAL_ABOLISHED),
        SubjectKind: SubjectKind.HOUSEHOLD,
        SuppressionReason: SuppressionReason.SUPPORT,
        SuppressionLevel: SuppressionLevel.ALERT,
        SuppressionOrigin: SuppressionOrigin.REGISTER,
        r.ClosedFee: r.ClosedFee.RETURNED,
        r.StopReason: r.StopReason.SERVER_GATE,
        r.Evidence: r.Evidence.LOG,
        CardKind: CardKind.MYNUMBER,
        CardOccasion: CardOccasion.NEW_CARD,
        CardStep: CardStep.WITHDRAWN,
        Counters: Counters(completed=3, reversed=1, fees_earned_yen=600),
        r.DayTotal: DAY_TOTAL,
    }
    return values[hint]


def _leaves(hint: Any) -> list[type]:
    parts = [part for part in get_args(hint) if part is not Ellipsis]
    return [leaf for part in parts for leaf in _leaves(part)] if parts else [hint]
