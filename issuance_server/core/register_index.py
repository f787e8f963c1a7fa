"""Who is where in the register copy: what a batch of changes must agree with, change by change."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from issuance_server.core.record_holders import holders_of, record_key
from issuance_server.core.register import Household
from issuance_server.core.register_feed import (
    AnyChange,
    HouseholdsChanged,
    RecordPut,
    RecordRemoved,
    SuppressionEnded,
    SuppressionNoted,
)

Holding: TypeAlias = tuple[str, str]
"""宛名番号 and the value of a kind of certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What a batch of changes names, so that no more than that is read of the copy."""

    households: frozenset[str]
    residents: frozenset[str]
    keys: frozenset[str]
    holders: frozenset[str]
    suppressions: frozenset[str]


@dataclass(slots=True, kw_only=True)
class Index:
    """The part of the copy that a batch touches; ``conflict`` moves it on.

    Attributes:
        households: 世帯番号 of those that there are.
        residents: for 宛名番号, the household.
        records: keys of the records that there are.
        holdings: for person and kind of certificate, the key of the record.
        suppressions: those that the resident system has set, by its ids.
    """

    households: set[str] = field(default_factory=set)
    residents: dict[str, str] = field(default_factory=dict)
    records: set[str] = field(default_factory=set)
    holdings: dict[Holding, str] = field(default_factory=dict)
    suppressions: set[str] = field(default_factory=set)

    def conflict(self, change: AnyChange) -> str | None:
        """Take a change; return why the copy cannot, in words without anything personal."""
        match change:
            case HouseholdsChanged():
                return self._households(change)
            case RecordPut():
                key = record_key(change.record)
                return self._record(key, [(who, k.value) for who, k in holders_of(change.record)])
            case RecordRemoved(key=key):
                if key not in self.records:
                    return "the record that is removed is not in the copy"
                self.records.remove(key)
                self._free(key)
            case SuppressionNoted(suppression=noted):
                self.suppressions.add(noted.suppression_id)
            case SuppressionEnded(for_a_time=False, suppression_id=suppression_id):
                if suppression_id not in self.suppressions:
                    return "the suppression that is lifted is not in the copy"
                self.suppressions.remove(suppression_id)
        return None

    def _households(self, change: HouseholdsChanged) -> str | None:
        if not self.households.issuperset(change.removed):
            return "a household that is removed is not in the copy"
        leaving = {*change.removed, *(household.household_id for household in change.put)}
        self.residents = {
            resident: household
            for resident, household in self.residents.items()
            if household not in leaving
        }
        self.households -= set(change.removed)
        return next(filter(None, map(self._household, change.put)), None)

    def _household(self, household: Household) -> str | None:
        for number, member in enumerate(household.members, start=1):
            if member.resident_id in self.residents:
                return f"世帯員{number} is in another household; name that one in the same change"
            self.residents[member.resident_id] = household.household_id
        self.households.add(household.household_id)
        return None

    def _record(self, key: str, holdings: Iterable[Holding]) -> str | None:
        self._free(key)
        self.records.add(key)
        for holding in holdings:
            if holding in self.holdings:
                return "a holder has another record of this kind; change or remove that one first"
            self.holdings[holding] = key
        return None

    def _free(self, key: str) -> None:
        self.holdings = {holding: of for holding, of in self.holdings.items() if of != key}


def touched(changes: Iterable[AnyChange]) -> Touched:
    """Return what changes name."""
    named = [set[str]() for _ in range(5)]
    households, residents, keys, holders, suppressions = named
    for change in changes:
        match change:
            case HouseholdsChanged():
                households |= {*change.removed, *(one.household_id for one in change.put)}
                residents |= set(_members(change))
            case RecordPut(record=record):
                keys.add(record_key(record))
                holders |= {resident_id for resident_id, _ in holders_of(record)}
            case RecordRemoved(key=key):
                keys.add(key)
            case SuppressionEnded(suppression_id=suppression_id):
                suppressions.add(suppression_id)
    return Touched(
        households=frozenset(households),
        residents=frozenset(residents),
        keys=frozenset(keys),
        holders=frozenset(holders),
        suppressions=frozenset(suppressions),
    )


def _members(change: HouseholdsChanged) -> Iterator[str]:
    for household in change.put:
        for member in household.members:
            yield member.resident_id
