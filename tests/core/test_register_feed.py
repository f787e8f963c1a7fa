"""The change feed: numbers without a gap, each change sound by itself, nothing personal shown."""

from typing import Any

import msgspec
import pytest

from issuance_server.core import register_feed as f
from issuance_server.core.bars import OtherRecord
from issuance_server.core.family_register import (
    AddressHistory,
    FamilyRegister,
    RegisterEvent,
    RegisterItem,
)
from issuance_server.core.register import RegisterDate
from issuance_server.core.seal_register import SealRegistration
from issuance_server.core.suppression import SubjectKind
from issuance_server.core.tax_register import TaxRecord
from issuance_server.sample.records import sample_records
from issuance_server.sample.residents import sample_households
from tests.core.changes import beats, change, remarked, suppression
from tests.core.made import START_REAL_MS

HOUSEHOLDS = sample_households()
RECORDS = tuple(sample_records().values())
NOBODY = "12345678"
"""A number whose check digit is wrong."""


@pytest.mark.parametrize(
    ("numbers", "taken", "skipped"),
    [
        ((5, 6, 7), (5, 6, 7), 0),
        ((3, 4, 5), (5,), 2),
        ((1, 2, 3), (), 3),
        ((5, 5, 6), (5, 6), 1),
    ],
)
def test_what_the_copy_has_is_skipped(
    numbers: tuple[int, ...], taken: tuple[int, ...], skipped: int
) -> None:
    """After change 4, what comes again is not taken again."""
    placed = f.placed(beats(*numbers), 4)

    assert isinstance(placed, f.Placed)
    assert (taken, skipped) == (tuple(one.sequence for one in placed.changes), placed.skipped)


@pytest.mark.parametrize(
    ("numbers", "expected", "found"), [((6,), 5, 6), ((5, 7), 6, 7), ((4, 9), 5, 9)]
)
def test_gap_names_what_is_missing(numbers: tuple[int, ...], expected: int, found: int) -> None:
    """Also inside a batch, of which nothing is taken then."""
    assert f.Gap(expected=expected, found=found) == f.placed(beats(*numbers), 4)


def of_households(*put: Any, removed: tuple[str, ...] = ()) -> f.HouseholdsChanged:
    """Return a change of households."""
    return change(f.HouseholdsChanged, 1, put=put, removed=removed)


SEAL = next(one for one in RECORDS if isinstance(one, SealRegistration))
TAX = next(one for one in RECORDS if isinstance(one, TaxRecord))


@pytest.mark.parametrize(
    ("broken", "item"),
    [
        (of_households(), "世帯番号"),
        (of_households(HOUSEHOLDS[0], removed=(HOUSEHOLDS[0].household_id,)), "世帯番号"),
        (of_households(HOUSEHOLDS[0], HOUSEHOLDS[0]), "世帯番号"),
        (
            of_households(
                HOUSEHOLDS[0],
                msgspec.structs.replace(HOUSEHOLDS[0], household_id=HOUSEHOLDS[1].household_id),
            ),
            "宛名番号",
        ),
        (of_households(msgspec.structs.replace(HOUSEHOLDS[0], address="")), "住所"),
        (
            change(f.RecordPut, 1, record=msgspec.structs.replace(SEAL, resident_id=NOBODY)),
            "宛名番号",
        ),
        (
            change(f.RecordPut, 1, record=msgspec.structs.replace(TAX, deduction_total=1)),
            "所得控除合計",
        ),
        (change(f.RecordPut, 1, record=msgspec.structs.replace(TAX, fiscal_year=1 << 63)), "年度"),
        (change(f.SuppressionNoted, 1, suppression=suppression("1", NOBODY)), "宛名番号"),
        (
            change(f.EditBegun, 1, subject_kind=SubjectKind.HOUSEHOLD, subject_id=NOBODY),
            "世帯番号",
        ),
    ],
)
def test_change_that_breaks_a_rule_is_named_by_its_item(broken: f.AnyChange, item: str) -> None:
    """Every rule of the registers, and nobody twice in one change."""
    assert item in [fault.item for fault in f.change_faults(broken)]


NAME = "見本　太郎"
REGISTER = next(one for one in RECORDS if isinstance(one, FamilyRegister))
HISTORY = next(one for one in RECORDS if isinstance(one, AddressHistory))
EVENT = RegisterEvent(title=NAME, items=(RegisterItem(heading=NAME),))


@pytest.mark.parametrize(
    ("record", "item"),
    [
        (msgspec.structs.replace(REGISTER, events=(EVENT,)), "戸籍事項"),
        (
            msgspec.structs.replace(
                REGISTER,
                people=(msgspec.structs.replace(REGISTER.people[0], events=(EVENT,)),),
            ),
            "名欄1 身分事項",
        ),
        (
            msgspec.structs.replace(HISTORY, made_by=NAME, made_on=RegisterDate(text=NAME)),
            "編製日",
        ),
    ],
)
def test_own_words_of_a_broken_record_are_not_told(record: OtherRecord, item: str) -> None:
    """A heading or title can be anything in one, even a name."""
    assert {item} == {fault.item for fault in f.record_faults(record)}


def test_items_stand_in_one_another_only_so_deep() -> None:
    """A nesting without end would end whoever walks through it."""
    item = RegisterItem(heading="従前の記録", value="1")
    for _ in range(f.ITEM_DEPTH_MAX):
        item = RegisterItem(heading="従前の記録", items=(item,))
    event = RegisterEvent(title="訂正", items=(item,))
    record = msgspec.structs.replace(REGISTER, events=(event,))

    assert ["記録の入れ子"] == [fault.item for fault in f.record_faults(record)]
    shallow = msgspec.structs.replace(event, items=item.items)
    sound = msgspec.structs.replace(REGISTER, events=(shallow,))
    assert [] == list(f.record_faults(sound))


def test_sample_breaks_no_rule() -> None:
    """All of its households and records could come as changes."""
    changes: list[f.AnyChange] = [of_households(household) for household in HOUSEHOLDS]
    changes += [change(f.RecordPut, 1, record=record) for record in RECORDS]

    assert [] == [fault for one in changes for fault in f.change_faults(one)]


@pytest.mark.parametrize(("ahead_ms", "from_the_future"), [(60_000, False), (60_001, True)])
def test_clock_of_the_sender_may_run_ahead_a_little(ahead_ms: int, from_the_future: bool) -> None:
    """By the step that the freshness allows as well."""
    assert from_the_future is f.is_from_the_future(beats(1)[0], START_REAL_MS - ahead_ms)


def test_signature_binds_every_word_of_a_batch() -> None:
    """Another content under the same number is another subject."""
    one = of_households(HOUSEHOLDS[0])
    other = of_households(remarked(HOUSEHOLDS[0]))

    assert f.batch_subject((one,)).startswith("1-1 sha256:")
    assert f.batch_subject((one,)) != f.batch_subject((other,))


def test_changes_show_nobody() -> None:
    """Neither in a log nor in a traceback."""
    shown = repr((of_households(HOUSEHOLDS[0]), change(f.RecordPut, 2, record=SEAL)))

    assert HOUSEHOLDS[0].head.name not in shown
    assert "(HouseholdsChanged(sequence=1), RecordPut(sequence=2))" == shown


def test_change_survives_json_and_the_wire() -> None:
    """What a register system writes is what the copy takes."""
    changes: tuple[f.AnyChange, ...] = (
        of_households(HOUSEHOLDS[0], removed=(HOUSEHOLDS[1].household_id,)),
        *(change(f.RecordPut, 1, record=record) for record in RECORDS[:8]),
        change(f.SuppressionEnded, 3, suppression_id="7", for_a_time=True),
    )
    for encode, decode in (
        (msgspec.json.encode, msgspec.json.decode),
        (msgspec.msgpack.encode, msgspec.msgpack.decode),
    ):
        assert changes == decode(encode(changes), type=tuple[f.AnyChange, ...])


def test_unknown_field_is_refused() -> None:
    """A misspelt standing would otherwise be no standing at all."""
    text = msgspec.json.encode(of_households(HOUSEHOLDS[0])).replace(b'"standing"', b'"standin"')

    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=f.AnyChange)
