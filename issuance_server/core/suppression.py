"""Suppression (抑止): the city gives out nothing about a person or a household (標準仕様書 §3).

Several can lie on one subject at once, each for a reason of its own. None lapses: a last day is
kept and shown, and the suppression goes on until somebody lifts it. At a terminal nobody could act
on an alert, so both levels refuse. A temporary lift (一時解除) is for one errand at a counter and
never comes here: there is no such thing among what follows.
"""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import NamedTuple


class SubjectKind(Enum):
    """What a suppression lies on."""

    PERSON = "person"
    HOUSEHOLD = "household"


class SuppressionReason(Enum):
    """Why; for the city's operators only, never for anybody at a terminal."""

    SUPPORT = "support"  # 支援措置: the supported person, too, comes to the main office
    PROVISIONAL_SUPPORT = "provisional-support"  # 仮支援措置, before it is confirmed
    RESIDENCE_INQUIRY = "residence-inquiry"  # 実態調査
    FALSE_FILING = "false-filing"  # 虚偽の届出のおそれ
    OWN_REQUEST = "own-request"  # 本人の申出
    OTHER = "other"


class SuppressionLevel(Enum):
    """What a counter does about it; a terminal refuses at both."""

    ERROR = "error"
    ALERT = "alert"


class SuppressionOrigin(Enum):
    """Where it was set, and so where it is lifted."""

    OPERATOR = "operator"  # by a command of this program
    REGISTER = "register"  # by the resident system, from which it came with the copy


class Ground(NamedTuple):
    """What a decision needs to know of a suppression: on what it lies, and why."""

    subject_kind: SubjectKind
    reason: SuppressionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One suppression that is in force.

    Attributes:
        suppression_id: names it for ever, among those of its origin and all others.
        subject_kind: person or household.
        subject_id: 宛名番号 or 世帯番号.
        reason: why.
        level: what a counter does.
        since_ms: when it was set, Unix time in milliseconds.
        until: the last day that was named; a reminder, which ends nothing.
        origin: where it was set.
    """

    suppression_id: str
    subject_kind: SubjectKind
    subject_id: str
    reason: SuppressionReason
    level: SuppressionLevel = SuppressionLevel.ERROR
    since_ms: int = 0
    until: date | None = None
    origin: SuppressionOrigin = SuppressionOrigin.OPERATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSuppression:
    """A change: a suppression is set."""

    suppression: Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftedSuppression:
    """A change: a suppression is lifted for good."""

    suppression_id: str
