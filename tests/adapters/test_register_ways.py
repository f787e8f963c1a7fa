"""Two ways to one copy: the changes one after the other, and an extract of what they lead to."""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from issuance_server.adapters.sqlite.register_stage import stage_path
from issuance_server.core import register_feed as f
from issuance_server.core.bars import OtherRecord
from issuance_server.core.record_holders import record_key
from issuance_server.core.register import Household
from issuance_server.core.register_extract import (
    Content,
    HouseholdLine,
    RecordLine,
    SuppressionLine,
)
from issuance_server.core.register_index import Index
from tests.adapters.city_file import HOUSEHOLDS, RECORDS, CityFile, found
from tests.adapters.test_register_changes import feed
from tests.adapters.test_register_stage import importing, stage
from tests.core.changes import change, moved_in, remarked, suppression, without

CHANGES = 60
COPY = (
    "SELECT household_id, record FROM household ORDER BY 1",
    "SELECT * FROM resident ORDER BY 1",
    "SELECT record_key, record, bar, fiscal_year FROM register_record ORDER BY 1",
    (
        "SELECT h.resident_id, h.kind, o.record_key FROM register_record_holder h"
        " JOIN register_record o USING (record_id) ORDER BY 1, 2"
    ),
    "SELECT suppression_id, resident_id, reason FROM suppression ORDER BY 1",
)


@dataclass
class Registers:
    """Registers in which things happen, one after the other."""

    seed: int
    households: dict[str, Household] = field(
        default_factory=lambda: {one.household_id: one for one in HOUSEHOLDS}
    )
    records: dict[str, OtherRecord] = field(
        default_factory=lambda: {record_key(one): one for one in RECORDS.values()}
    )
    suppressions: dict[str, f.RegisterSuppression] = field(default_factory=dict)
    gone: list[Household] = field(default_factory=list)
    sequence: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.lost: list[OtherRecord] = []

    def next(self) -> f.AnyChange:
        """Let something happen, and return the change that tells of it."""
        self.sequence += 1
        happening = self.chance.choice(
            [self._remark, self._move, self._leave_or_return, self._record, self._suppress]
        )
        return happening()

    def contents(self) -> list[Content]:
        """Return an extract of the registers as they are."""
        return [
            *(HouseholdLine(household=one) for one in self.households.values()),
            *(RecordLine(record=one) for one in self.records.values()),
            *(SuppressionLine(suppression=one) for one in self.suppressions.values()),
        ]

    def _put(self, *households: Household, removed: tuple[str, ...] = ()) -> f.AnyChange:
        for household_id in removed:
            self.gone.append(self.households.pop(household_id))
        self.households |= {one.household_id: one for one in households}
        return change(f.HouseholdsChanged, self.sequence, put=households, removed=removed)

    def _remark(self) -> f.AnyChange:
        household = self.chance.choice(list(self.households.values()))
        number = self.chance.randrange(len(household.members))
        return self._put(remarked(household, number, f"備考{self.chance.randrange(3)}"))

    def _move(self) -> f.AnyChange:
        if len(self.households) == 1:
            return self._remark()
        here, there = self.chance.sample(list(self.households.values()), 2)
        movers = [at for at, one in enumerate(here.members) if one.resident_id != here.head_id]
        if not movers:
            return self._remark()
        number = self.chance.choice(movers)
        moved = moved_in(there, here.members[number].resident_id, here)
        both = [without(here, number), moved]
        self.chance.shuffle(both)
        return self._put(*both)

    def _leave_or_return(self) -> f.AnyChange:
        if self.gone:
            return self._put(self.gone.pop())
        if len(self.households) == 1:
            return self._remark()
        return self._put(removed=(self.chance.choice(list(self.households)),))

    def _record(self) -> f.AnyChange:
        if self.lost and self.chance.random() < 1 / 2:
            record = self.lost.pop()
            self.records[record_key(record)] = record
            return change(f.RecordPut, self.sequence, record=record)
        key = self.chance.choice(list(self.records))
        self.lost.append(self.records.pop(key))
        return change(f.RecordRemoved, self.sequence, key=key)

    def _suppress(self) -> f.AnyChange:
        if self.suppressions and self.chance.random() < 1 / 2:
            suppression_id = self.chance.choice(list(self.suppressions))
            del self.suppressions[suppression_id]
            return change(f.SuppressionEnded, self.sequence, suppression_id=suppression_id)
        household = self.chance.choice(list(self.households.values()))
        noted = suppression(str(self.sequence), household.head_id)
        self.suppressions[noted.suppression_id] = noted
        return change(f.SuppressionNoted, self.sequence, suppression=noted)


def copy(city: CityFile) -> list[list[Any]]:
    """Return what the copy says, without versions."""
    return [city.rows(sql) for sql in COPY]


@pytest.mark.parametrize("seed", range(4))
async def test_feed_and_extract_lead_to_the_same_copy(tmp_path: Path, seed: int) -> None:
    """Whatever happens in the registers; and no version is ever used twice."""
    registers = Registers(seed)
    index = Index(
        households=set(registers.households),
        residents={
            member.resident_id: household.household_id
            for household in HOUSEHOLDS
            for member in household.members
        },
    )
    for record in registers.records.values():
        assert index.conflict(change(f.RecordPut, 1, record=record)) is None
    fed, extracted = (CityFile(found(tmp_path / name)) for name in ("fed.db", "extracted.db"))
    await fed.open()
    await extracted.open()
    seen: dict[int, bytes] = {}
    for _ in range(CHANGES):
        happened = registers.next()
        assert index.conflict(happened) is None, happened
        await feed(fed, happened)
        for version, record in fed.rows(
            "SELECT version, record FROM household UNION ALL"
            " SELECT version, record FROM register_record"
        ):
            assert record == seen.setdefault(version, record)
    path = stage_path(extracted.path, "0" * 16)
    assert [] == stage(path, registers.contents())
    await extracted.give(importing(path, sequence=CHANGES))

    assert copy(fed) == copy(extracted)
    await fed.close()
    await extracted.close()


async def test_extract_of_what_was_fed_changes_no_version(tmp_path: Path) -> None:
    """An extract can be taken any time, as a check, and disturbs nobody."""
    registers = Registers(7)
    city = CityFile(found(tmp_path / "city.db"))
    await city.open()
    for _ in range(CHANGES // 2):
        await feed(city, registers.next())
    versions = (
        "SELECT household_id, version FROM household UNION ALL"
        " SELECT record_key, version FROM register_record ORDER BY 1"
    )
    before = city.rows(versions)
    path = stage_path(city.path, "0" * 16)
    stage(path, registers.contents())
    await city.give(importing(path))

    assert before == city.rows(versions)
    await city.close()
