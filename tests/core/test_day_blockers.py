"""What keeps a day open, as a pure matter: reasons, names, and how a line stands."""

from dataclasses import replace

import pytest

from issuance_server.core.day_blockers import (
    NAMED_MAX,
    Blocker,
    BlockReason,
    LineState,
    blockers,
    is_over,
    line_state,
    sentence,
    with_commissions,
)
from issuance_server.core.day_counts import CountedIssuance, FeeState
from issuance_server.core.day_facts import DayFacts, OpeningEnd, OpeningOfDay
from issuance_server.core.tables import NO_TABLES
from protocol import telegrams as t
from protocol.issuance import IssuanceState
from protocol.kinds import Kind
from tests.core.made import CHAIN, DAY, NO_COUNTERS, OTHER_TERMINAL, TABLES, TERMINAL, business_ms

S = IssuanceState
OPEN = OpeningOfDay(terminal=TERMINAL, opened_at_ms=1)
CLOSED = replace(OPEN, ended_at_ms=2, end=OpeningEnd.CLOSED, ours=NO_COUNTERS, theirs=NO_COUNTERS)
OTHERS = t.Counters(completed=1, reversed=0, fees_earned_yen=200)
DIFFERING = replace(CLOSED, theirs=OTHERS, issuance_ids=(b"c" * 16,))
ISSUANCE = CountedIssuance(
    issuance_id=b"i" * 16,
    terminal=TERMINAL,
    chain=CHAIN,
    kind=Kind.JUMINHYO,
    copies=3,
    fee_yen=600,
    fee=FeeState.HELD,
    state=S.RELEASED,
)


@pytest.mark.parametrize(
    ("now_ms", "over"),
    [
        (business_ms(2026, 11, 29, 23, 30), False),
        (business_ms(2026, 11, 30, 6), False),
        (business_ms(2026, 11, 30, 22, 59), False),
        (business_ms(2026, 11, 30, 23), True),
        (business_ms(2026, 12, 1, 0), True),
    ],
)
def test_day_is_over_when_nothing_opens_on_it_any_more(now_ms: int, *, over: bool) -> None:
    """With the last hour of service, whatever the kind and the class of machine."""
    assert over == is_over(DAY, TABLES, now_ms)


def test_day_without_any_hours_is_over_at_once() -> None:
    """Nothing can be applied for on it; days to come are not over all the same."""
    assert is_over(DAY, NO_TABLES, business_ms(2026, 11, 30, 0))
    assert not is_over("2026-12-01", NO_TABLES, business_ms(2026, 11, 30, 23))


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        (DayFacts(day=DAY), []),
        (DayFacts(day=DAY, openings=(CLOSED,)), []),
        (DayFacts(day=DAY, openings=(OPEN,)), [BlockReason.LINE_OPEN]),
        (DayFacts(day=DAY, openings=(OPEN,), carried_over=frozenset({TERMINAL})), []),
        (DayFacts(day=DAY, unfinished=(ISSUANCE,)), [BlockReason.ISSUANCE_OPEN]),
        (DayFacts(day=DAY, unfinished=(ISSUANCE,), carried_over=frozenset({TERMINAL})), []),
        (DayFacts(day=DAY, openings=(DIFFERING,)), [BlockReason.COUNTERS_DIFFER]),
        (
            DayFacts(day=DAY, openings=(DIFFERING,), carried_over=frozenset({TERMINAL})),
            [BlockReason.COUNTERS_DIFFER],
        ),
        (DayFacts(day=DAY, openings=(replace(DIFFERING, settled=True),)), []),
        (DayFacts(day=DAY, earlier_day="2026-11-29"), [BlockReason.EARLIER_DAY]),
        (DayFacts(day=DAY, ended=(ISSUANCE,)), [BlockReason.SUMS_DIFFER]),
    ],
)
def test_each_thing_blocks_by_itself(facts: DayFacts, reasons: list[BlockReason]) -> None:
    """And two operators take away what is theirs to take away."""
    assert reasons == [one.reason for one in blockers(facts, over=True)]
    assert [BlockReason.NOT_OVER, *reasons] == [one.reason for one in blockers(facts, over=False)]


def test_blockers_name_terminals_and_issuances() -> None:
    """In order of the terminals; what is under way is named with a difference, too."""
    elsewhere = replace(ISSUANCE, terminal=OTHER_TERMINAL, issuance_id=b"o" * 16)
    facts = DayFacts(day=DAY, openings=(DIFFERING, CLOSED), unfinished=(elsewhere, ISSUANCE))

    assert [
        (BlockReason.ISSUANCE_OPEN, TERMINAL, (b"i" * 16,)),
        (BlockReason.COUNTERS_DIFFER, TERMINAL, (b"c" * 16, b"i" * 16)),
        (BlockReason.ISSUANCE_OPEN, OTHER_TERMINAL, (b"o" * 16,)),
    ] == [(one.reason, one.terminal, one.issuance_ids) for one in blockers(facts, over=True)]


def test_sentence_stays_short() -> None:
    """It names a few and counts the others; the status names all."""
    ids = tuple(bytes([number]) * 16 for number in range(NAMED_MAX + 2))
    found = [
        Blocker(reason=BlockReason.ISSUANCE_OPEN, terminal=f"T-{number}", issuance_ids=ids)
        for number in range(NAMED_MAX + 3)
    ]
    said = sentence(DAY, found)

    assert said.startswith(f"{DAY} cannot be closed: issuances of T-0 are not at an end (")
    assert said.endswith(f"; 3 more; see: day status {DAY}")
    assert NAMED_MAX == said.count(" and 2 more)")


@pytest.mark.parametrize(
    ("openings", "over", "carried_over", "expected"),
    [
        ([], False, False, LineState.NOT_OPENED),
        ([], True, True, LineState.CARRIED_OVER),
        ([OPEN], False, False, LineState.OPEN),
        ([OPEN], True, False, LineState.NOT_REACHED),
        ([OPEN], True, True, LineState.CARRIED_OVER),
        ([CLOSED], True, False, LineState.CLOSED),
        ([CLOSED, OPEN], False, False, LineState.OPEN),
        ([DIFFERING, CLOSED], True, False, LineState.DIFFERS),
        ([replace(DIFFERING, settled=True)], True, False, LineState.CLOSED),
        ([replace(OPEN, end=OpeningEnd.BROKEN_OFF)], True, False, LineState.BROKEN_OFF),
        ([replace(OPEN, end=OpeningEnd.REVOKED)], True, False, LineState.REVOKED),
    ],
)
def test_line_stands_as_its_last_opening_ended(
    openings: list[OpeningOfDay], *, over: bool, carried_over: bool, expected: LineState
) -> None:
    """Unless an earlier one differs, which does not go away by itself."""
    assert expected is line_state(openings, over=over, carried_over=carried_over)


def test_chain_gets_its_commission_for_each_copy() -> None:
    """Of the day's table; a chain without a line gets nothing."""
    other = replace(ISSUANCE, chain="手本")

    assert [3 * 117, 0] == [
        one.commission_yen for one in with_commissions((ISSUANCE, other), TABLES, DAY)
    ]
