"""Hours and fees over a visit: the menu, the quotation, new tables and midnight in between."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.tables.reading import read_tables
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.kinds import Kind
from tests.core.desk import Desk
from tests.core.made import (
    ISSUANCE,
    MINUTE_MS,
    SEALED_DIGEST,
    VISIT,
    applying,
    authenticating,
    business_ms,
    rendered,
    tables_toml,
)

S = IssuanceState
BEGIN = t.Begin(visit_id=VISIT, attempt=1)
BOTH = {Kind.JUMINHYO: 200, Kind.KISAIJIKO: 200}
ALL_DAY = tables_toml({Kind.JUMINHYO: 200}, 'daily = "00:00-24:00"')
OFFICE_HOURS = """
[[hours]]
from = 2013-04-01
class = "store"
kinds = ["kisaijiko"]
weekdays = "09:00-17:00"
"""


def two_bands() -> bytes:
    """Return tables in which one of two kinds keeps office hours."""
    both = tables_toml(BOTH).decode()
    hours = "kinds = ['juminhyo', 'kisaijiko']\ndaily"
    assert hours in both
    return (both.replace(hours, "kinds = ['juminhyo']\ndaily") + OFFICE_HOURS).encode()


def loaded(content: bytes) -> i.ActAccepted:
    """Return the act that puts tables into force."""
    return i.ActAccepted(
        operator="mado-1",
        act="tables.load",
        subject="tables",
        reason="new fees",
        nonce=content[-16:],
        change=i.NewTables(content=content),
    )


def release(amount_yen: int) -> t.Release:
    """Return the request to release."""
    return t.Release(issuance_id=ISSUANCE, amount_yen=amount_yen)


def menu_of(desk: Desk) -> e.ReplyMenu:
    """Return the menu that a holder gets."""
    desk.authenticated()
    (menu,) = (answer for _, answer in desk.answers() if isinstance(answer, e.ReplyMenu))
    return menu


def test_menu_says_when_a_closed_kind_opens() -> None:
    """In the evening one kind is to be had, the other opens on the next working day."""
    desk = Desk(tables=read_tables(two_bands()), business_ms=business_ms(2026, 12, 4, 20))
    menu = menu_of(desk)

    assert [Kind.JUMINHYO] == [item.kind for item in menu.items]
    assert (
        t.Unavailable(
            kind=Kind.KISAIJIKO,
            code=ReplyCode.OUT_OF_HOURS,
            opens_at_ms=business_ms(2026, 12, 7, 9),
        ),
    ) == menu.unavailable
    assert ReplyCode.OUT_OF_HOURS is desk.code(applying(kind=Kind.KISAIJIKO))


def test_menu_is_of_the_moment_also_when_it_is_repeated() -> None:
    """What was open with the first answer may be closed with the second."""
    desk = Desk(tables=read_tables(two_bands()), business_ms=business_ms(2026, 12, 4, 16, 59))
    assert () == menu_of(desk).unavailable
    desk.business_ms += MINUTE_MS
    attempt = desk.ask_ref(authenticating())
    again = desk.answer(attempt)

    assert isinstance(again, e.ReplyMenu)
    assert [Kind.KISAIJIKO] == [one.kind for one in again.unavailable]
    assert [Kind.JUMINHYO] == [item.kind for item in again.items]


@pytest.mark.parametrize(
    ("moment", "code"),
    [((2026, 11, 30, 23), ReplyCode.OUT_OF_HOURS), ((2013, 3, 31), ReplyCode.KIND_NOT_OFFERED)],
    ids=["night", "before the chain began"],
)
def test_no_visit_begins_where_nothing_is_open(moment: tuple[int, ...], code: ReplyCode) -> None:
    """And the answer tells closed from never."""
    year, month, day, *hour = moment
    desk = Desk(business_ms=business_ms(year, month, day, *hour))

    assert code is desk.code(BEGIN)
    assert [] == desk.written(r.VisitBegun)


def test_a_visit_begins_where_one_kind_is_open() -> None:
    """The others are told of in the menu."""
    desk = Desk(tables=read_tables(two_bands()), business_ms=business_ms(2026, 12, 5, 12))
    desk.begun()

    assert 1 == len(desk.written(r.VisitBegun))


def test_fee_change_at_midnight_honours_the_quotation() -> None:
    """Quoted at 23:55 for 200 yen, released at 00:03 for 200; the next one costs 250."""
    before, _, after = ALL_DAY.partition(b"[fees.yen]\njuminhyo = 200\n")
    fees = (
        b"until = 2026-11-30\n[fees.yen]\njuminhyo = 200\n"
        b'[[fees]]\nfrom = 2026-12-01\nchannel = "store"\n[fees.yen]\njuminhyo = 250\n'
    )
    desk = Desk(
        tables=read_tables(before + fees + after), business_ms=business_ms(2026, 11, 30, 23, 55)
    )
    desk.reach(S.SEALED)
    desk.real_ms += 8 * MINUTE_MS
    desk.business_ms += 8 * MINUTE_MS
    answer = desk.ask(release(200))

    assert isinstance(answer, e.ReplyReleased)
    desk.authenticated(b"visit-two-------")
    second = b"issuance-two----"
    desk.ask(applying(second, visit_id=b"visit-two-------"))
    assert 250 == desk.state.issuances[second].applied.fee_yen


def test_new_tables_are_in_force_at_once_and_spare_what_is_under_way() -> None:
    """The quotation keeps fee and end; the next application pays the new fee."""
    desk = Desk()
    desk.reach(S.SEALED)
    desk.give(loaded(tables_toml({Kind.JUMINHYO: 250}, 'daily = "08:00-09:00"')))
    (event,) = desk.logged("tables.loaded")
    assert "mado-1" == event["operator"]
    assert [r.OperatorActed, r.TablesLoaded, r.OperatorActEnded] == [
        type(record) for record in desk.records[-3:]
    ]

    assert ReplyCode.OUT_OF_HOURS is desk.code(t.Begin(visit_id=b"visit-two-------", attempt=1))
    assert isinstance(desk.ask(release(200)), e.ReplyReleased)


def test_quotation_after_closing_ends_with_the_grace() -> None:
    """And whoever comes too late is told of the hours, not of the ten minutes."""
    desk = Desk(business_ms=business_ms(2026, 11, 30, 22, 59) + 45_000)
    desk.authenticated()
    desk.ask(applying())
    desk.pass_time(25_000)
    desk.give(rendered())
    desk.ask(t.Held(issuance_id=ISSUANCE, sealed_digest=SEALED_DIGEST))
    desk.pass_time(590_000 - 1)
    assert S.SEALED is desk.issuance_state()
    desk.pass_time(1)

    (withdrawn,) = desk.written(r.IssuanceWithdrawn)
    assert ReplyCode.OUT_OF_HOURS is withdrawn.code
    assert ReplyCode.OUT_OF_HOURS is desk.code(release(200))


@given(
    before_s=st.integers(1, 900), rendering_s=st.integers(0, 29), waiting_s=st.integers(0, 1_300)
)
@settings(max_examples=60, deadline=None)
def test_release_ends_with_quotation_or_grace_whichever_is_first(
    before_s: int, rendering_s: int, waiting_s: int
) -> None:
    """However long before closing it was applied for, however long the rendering took."""
    closing_ms = business_ms(2026, 11, 30, 23)
    desk = Desk(business_ms=closing_ms - before_s * 1_000)
    desk.authenticated()
    desk.ask(applying())
    desk.pass_time(rendering_s * 1_000)
    desk.give(rendered())
    desk.ask(t.Held(issuance_id=ISSUANCE, sealed_digest=SEALED_DIGEST))
    ends_ms = min(desk.business_ms, closing_ms) + 600_000
    desk.real_ms += waiting_s * 1_000
    desk.business_ms += waiting_s * 1_000
    released = isinstance(desk.ask(release(200)), e.ReplyReleased)

    assert released is (desk.business_ms < ends_ms)


def test_copies_cost_as_often() -> None:
    """Five copies, five fees."""
    desk = Desk()
    desk.authenticated()
    desk.ask(applying(copies=5))

    assert 1_000 == desk.state.issuances[ISSUANCE].applied.fee_yen
