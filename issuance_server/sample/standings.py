"""Sample residents whom something refuses: how they stand, what is suppressed, what no page holds.

Each case has a card to try it with. Nobody here exists; the numbers are those of the card files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from msgspec.structs import replace

from issuance_server.certificates.dates import registered
from issuance_server.core.refusals import Refusal
from issuance_server.core.register import Household, Resident
from issuance_server.core.standing import Standing
from issuance_server.core.suppression import (
    SubjectKind,
    Suppression,
    SuppressionLevel,
    SuppressionOrigin,
    SuppressionReason,
)
from protocol.kinds import Kind

Place = tuple[int, int]
"""Which household, from 0, and which member, from 1, as in the name of a card file."""

STANDINGS: Mapping[Place, Standing] = MappingProxyType(
    {
        (28, 2): Standing.MOVE_OUT_FILED,
        (29, 1): Standing.CHARACTERS_PENDING,
        (31, 1): Standing.DIED,
        (35, 1): Standing.MOVED,
        (36, 3): Standing.MOVED,
        (38, 1): Standing.REMOVED,
    }
)
CAME_IN_MARCH: Place = (10, 7)
"""Became a resident after 1 January, so that the city taxes him from next year on."""
_MARCH = date(2026, 3, 2)
LAST_DAY_OVER = date(2024, 3, 31)
"""Lies before every day on which the sample is used, whatever the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Suppressed:
    """What lies on a sample household, or on the one who comes first in it."""

    subject_kind: SubjectKind = SubjectKind.PERSON
    reason: SuppressionReason
    level: SuppressionLevel = SuppressionLevel.ERROR
    until: date | None = None


_SUPPRESSED = {
    22: _Suppressed(reason=SuppressionReason.OWN_REQUEST, level=SuppressionLevel.ALERT),
    23: _Suppressed(reason=SuppressionReason.SUPPORT),
    25: _Suppressed(subject_kind=SubjectKind.HOUSEHOLD, reason=SuppressionReason.RESIDENCE_INQUIRY),
    26: _Suppressed(reason=SuppressionReason.PROVISIONAL_SUPPORT, until=LAST_DAY_OVER),
}
"""By household, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A card with which a refusal can be tried.

    Attributes:
        place: whose card.
        refusal: the word in journal and log.
        kinds: what cannot be had; empty: nothing can.
        told: what is worth knowing beside.
    """

    place: Place
    refusal: Refusal
    kinds: tuple[Kind, ...] = ()
    told: str = ""

    @property
    def card(self) -> str:
        """The name of the card file, without its ending."""
        return _card(self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprintable:
    """A card whose menu is whole, and of which a terminal can print only some or no certificates.

    Attributes:
        place: whose card.
        reason: the word in journal and log, of the renderer.
        kinds: what cannot be printed.
        told: what is worth knowing beside.
    """

    place: Place
    reason: str
    kinds: tuple[Kind, ...]
    told: str

    @property
    def card(self) -> str:
        """The name of the card file, without its ending."""
        return _card(self.place)


_OF_RESIDENCE = (Kind.JUMINHYO, Kind.KISAIJIKO)
_OF_FAMILY = (Kind.KOSEKI_ZENBU, Kind.KOSEKI_KOJIN, Kind.FUHYO)

CASES = (
    Case(place=(23, 1), refusal=Refusal.SUPPORTED),
    Case(
        place=(23, 2),
        refusal=Refusal.MEMBER_SUPPRESSED,
        kinds=_OF_RESIDENCE,
        told="the spouse of the one above",
    ),
    Case(
        place=(23, 2),
        refusal=Refusal.REGISTER_MEMBER_SUPPRESSED,
        kinds=_OF_FAMILY,
        told="likewise, being in one family register",
    ),
    Case(
        place=(26, 1),
        refusal=Refusal.PROVISIONALLY_SUPPORTED,
        told="the last day is over, and the suppression goes on",
    ),
    Case(place=(22, 1), refusal=Refusal.SUPPRESSED, told="an alert refuses as well"),
    Case(place=(25, 1), refusal=Refusal.HOUSEHOLD_SUPPRESSED),
    Case(place=(28, 2), refusal=Refusal.MOVE_OUT_FILED),
    Case(
        place=(28, 1),
        refusal=Refusal.MEMBER_MOVE_OUT_FILED,
        kinds=_OF_RESIDENCE,
        told="the child of the one above",
    ),
    Case(place=(29, 1), refusal=Refusal.CHARACTERS_PENDING),
    Case(place=(31, 1), refusal=Refusal.DIED),
    Case(place=(35, 1), refusal=Refusal.MOVED),
    Case(
        place=(36, 3),
        refusal=Refusal.MOVED,
        told="the others have everything, and do not find this one on their menu",
    ),
    Case(place=(38, 1), refusal=Refusal.REMOVED),
    Case(place=(4, 1), refusal=Refusal.SEAL_NOT_REGISTERED, kinds=(Kind.INKAN,)),
    Case(place=(18, 2), refusal=Refusal.SEAL_ABOLISHED, kinds=(Kind.INKAN,)),
    Case(place=(10, 2), refusal=Refusal.TAX_NOT_FILED, kinds=(Kind.KAZEI,)),
    Case(place=CAME_IN_MARCH, refusal=Refusal.NOT_RESIDENT_ON_1_JANUARY, kinds=(Kind.KAZEI,)),
    Case(
        place=(0, 3),
        refusal=Refusal.TAX_RECORD_MISSING,
        kinds=(Kind.KAZEI,),
        told="under age for a tax record",
    ),
    Case(place=(10, 1), refusal=Refusal.FILING_IN_PROGRESS, kinds=_OF_FAMILY),
    Case(
        place=(15, 2),
        refusal=Refusal.NO_FAMILY_REGISTER,
        kinds=_OF_FAMILY,
        told="a foreign resident",
    ),
)


UNPRINTABLE = (
    Unprintable(
        place=(12, 1),
        reason="text-too-long",
        kinds=(Kind.JUMINHYO, Kind.INKAN, Kind.FUHYO),
        told="the name; found at the application, though it is on the menu",
    ),
    Unprintable(
        place=(13, 1),
        reason="missing-glyph",
        kinds=tuple(Kind),
        told="a character of the name is in no font of the packages; likewise",
    ),
    Unprintable(
        place=(17, 1),
        reason="text-too-long",
        kinds=(Kind.JUMINHYO, Kind.KISAIJIKO, Kind.INKAN, Kind.KAZEI, Kind.FUHYO),
        told="the address; likewise",
    ),
)


def as_they_stand(households: tuple[Household, ...]) -> tuple[Household, ...]:
    """Return the sample households with the standings of this module."""
    return tuple(
        replace(
            household,
            members=tuple(
                _as_it_stands((at, number), member)
                for number, member in enumerate(household.members, start=1)
            ),
        )
        for at, household in enumerate(households)
    )


def sample_suppressions(
    households: tuple[Household, ...], since_ms: int
) -> tuple[Suppression, ...]:
    """Return the suppressions that come with the register of the sample, or of a part of it."""
    return tuple(
        Suppression(
            suppression_id=f"sample-{at:03d}",
            subject_kind=one.subject_kind,
            subject_id=_subject_id(households[at], one.subject_kind),
            reason=one.reason,
            level=one.level,
            since_ms=since_ms,
            until=one.until,
            origin=SuppressionOrigin.REGISTER,
        )
        for at, one in _SUPPRESSED.items()
        if at < len(households)
    )


def _card(place: Place) -> str:
    household, member = place
    return f"h{household:03d}-m{member}"


def _subject_id(household: Household, kind: SubjectKind) -> str:
    """Return the number of the household, or of the one who comes first in it."""
    first = household.members[0]
    return first.resident_id if kind is SubjectKind.PERSON else household.household_id


def _as_it_stands(place: Place, member: Resident) -> Resident:
    if place == CAME_IN_MARCH:
        came = registered(_MARCH)
        return replace(member, became_resident_on=came, address_since=came, notified_on=came)
    standing = STANDINGS.get(place)
    return member if standing is None else replace(member, standing=standing)
