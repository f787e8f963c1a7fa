"""Reading ``tables.toml``: the sample is right; every unclear line is refused with the way out."""

import contextlib
import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuance_server.core.calendar import start_of_day_ms
from issuance_server.core.tables import Closed, ClosedCause, Open, Period
from issuance_server.core.tables.reading import TABLES_BYTES_MAX, read_tables
from issuance_server.core.terminal_place import TerminalClass
from issuance_server.sample.tables import SAMPLE_TABLES
from protocol.errors import SetUpError
from protocol.kinds import Kind
from tests.core.made import business_ms

STORE = TerminalClass.STORE
LEAST = """
[[hours]]
from = 2020-01-01
class = "store"
kinds = ["juminhyo"]
daily = "06:30-23:00"

[[fees]]
from = 2020-01-01
channel = "store"
yen = { juminhyo = 200 }

[[chains]]
chain = "Lawson"
from = 2020-01-01
kinds = ["juminhyo"]

[[commissions]]
chain = "Lawson"
from = 2020-01-01
kinds = ["juminhyo"]
yen = 117
"""
FEE = "yen = { juminhyo = 200 }\n"
LATER_FEE = """
[[fees]]
from = 2027-04-01
channel = "store"
yen = { juminhyo = 250 }
"""
WINDOW = """
[[maintenance]]
from = 2026-10-04T17:30:00
until = 2026-10-05T09:00:00
"""
CAMPAIGN = """
[[campaigns]]
from = 2027-04-01
until = 2027-06-30
channel = "store"
yen = { juminhyo = 10 }
"""


def changed(before: str, after: str) -> str:
    """Return the least tables with something else in one place."""
    assert before in LEAST
    return LEAST.replace(before, after, 1)


def test_sample_city_has_the_reference_citys_days() -> None:
    """Chains and kinds start on the days of Toyonaka's service; the city hall has three kinds."""
    tables = read_tables(SAMPLE_TABLES.encode())
    starts = {
        (line.chain, kind): line.period.first for line in tables.chains for kind in line.kinds
    }

    assert date(2013, 4, 1) == starts["Seven-Eleven", Kind.JUMINHYO]
    assert date(2013, 12, 5) == starts["Seven-Eleven", Kind.KAZEI]
    assert date(2013, 4, 4) == starts["Lawson", Kind.KOSEKI_ZENBU]
    assert date(2013, 12, 5) == starts["Circle K", Kind.FUHYO] == starts["Sunkus", Kind.FUHYO]
    assert date(2013, 12, 19) == starts["FamilyMart", Kind.INKAN]
    assert {Kind.JUMINHYO, Kind.KISAIJIKO, Kind.INKAN} == {
        kind for chain, kind in starts if chain == "Toyonaka City"
    }
    assert TerminalClass.CITY_HALL is tables.class_of("Toyonaka City")


def test_days_take_their_hours_from_the_nearest_word() -> None:
    """A day's own hours go before those of weekdays, and these before those of every day."""
    hours = (
        'daily = "00:00-24:00"\nweekdays = "09:00-17:00"\nfriday = "closed"\n'
        'holidays = "10:00-12:00"'
    )
    text = "holidays = [2027-01-01]\n" + changed('daily = "06:30-23:00"', hours)
    calendar = read_tables(text.encode()).calendar

    def spans(day: date) -> list[tuple[int, int]]:
        start_ms = start_of_day_ms(day)
        return [
            ((one.from_ms - start_ms) // 60_000, (one.until_ms - start_ms) // 60_000)
            for one in calendar.spans(Kind.JUMINHYO, STORE, day)
        ]

    assert [(540, 1020)] == spans(date(2026, 11, 30))
    assert [] == spans(date(2026, 12, 4))
    assert [(0, 1440)] == spans(date(2026, 12, 5))
    assert [(600, 720)] == spans(date(2027, 1, 1))


def test_windows_and_closed_days_are_in_japans_time() -> None:
    """As they are written, whatever the machine's zone; without kinds they are for all."""
    text = LEAST + (
        "[[maintenance]]\nfrom = 2026-10-04T17:30:00\nuntil = 2026-10-05T09:00:00\n"
        '[[inspection_days]]\nday = 2026-11-18\nclass = "store"\n'
    )
    tables = read_tables(text.encode())
    found = tables.opening(Kind.JUMINHYO, STORE, business_ms(2026, 10, 4, 17, 30))
    inspected = tables.opening(Kind.JUMINHYO, STORE, business_ms(2026, 11, 18, 12))

    assert isinstance(found, Closed)
    assert business_ms(2026, 10, 5, 9) == found.opens_at_ms
    assert isinstance(inspected, Closed)
    assert ClosedCause.INSPECTION is inspected.cause
    assert isinstance(tables.opening(Kind.JUMINHYO, STORE, business_ms(2026, 10, 5, 9)), Open)


def test_a_line_that_ends_is_followed_by_the_next() -> None:
    """The old fee until its last day, the new one from the day after."""
    text = changed(FEE, FEE + "until = 2027-03-31\n") + LATER_FEE
    tables = read_tables(text.encode())

    assert Period(first=date(2020, 1, 1), last=date(2027, 3, 31)) == tables.fees[0].period
    assert 200 == tables.fee_yen(Kind.JUMINHYO, STORE, "Lawson", date(2027, 3, 31))
    assert 250 == tables.fee_yen(Kind.JUMINHYO, STORE, "Lawson", date(2027, 4, 1))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[[hours]", "no TOML.*line 1.*put that place right"),
        ("", "missing the required field `hours`; add"),
        ("hours = []\n", r"hours has no line; add one of \[\[hours\]\]"),
        ("holidays = [3]\n" + LEAST, r"holidays\[1\] is a whole number; write a day without"),
        (
            changed("yen = 117", "yen = 117\nbonus = 1"),
            r"commissions\[1\] \(Lawson: juminhyo, from .*unknown field `bonus`; a line .* can h",
        ),
        (
            changed("juminhyo = 200", "juminhyo = 2.5"),
            r"fees\[1\] \(store: .* has a number with a fraction in `yen` of juminhyo; write whole",
        ),
        (
            changed('["juminhyo"]', '["fuhio"]'),
            r"hours\[1\] .*says 'fuhio' in `kinds`; there are juminhyo, kisaijiko,",
        ),
        (
            changed("{ juminhyo = 200", "{ fuhio = 200"),
            r"fees\[1\] .*says 'fuhio' in `yen`; there are juminhyo",
        ),
        (changed('class = "store"', 'class = "shop"'), "'shop' in `class`; there are store, city"),
        (changed("from = 2020", 'from = "x"#'), r"hours\[1\] .*a text in `from`; write a day with"),
        (
            LEAST + WINDOW.replace("17:30:00", "17:30:00Z"),
            r"maintenance\[1\] .*in `from`; write a day and time without quotation marks and zone",
        ),
        (LEAST + "\nfee = 1\n", "unknown field `fee`"),
        (changed("daily =", "dayly ="), r"hours\[1\].*unknown field `dayly`"),
        (changed("[[commissions]]", "[[commission]]"), "unknown field `commission`"),
        (changed('"juminhyo"', '"passport"'), "hours.*passport"),
        (changed("06:30-23:00", "6:30-23"), "hours"),
        (changed("06:30-23:00", "06:30-24:01"), r"hours\[1\].*24:01.*00:00 to 24:00"),
        (changed("06:30-23:00", "23:00-06:30"), r"hours\[1\].*ends before it begins"),
        (changed('daily = "06:30-23:00"\n', ""), r"hours\[1\] .*says no hours.*daily ="),
        (changed("daily", "holidays"), r"says no hours"),
        (
            changed("daily", 'holidays = "closed"\ndaily'),
            r"hours\[1\].*none are listed.*holidays = \[",
        ),
        ("holidays = [2027-01-02, 2027-01-01]\n" + LEAST, "2027-01-01 stands after 2027-01-02"),
        (changed("[[fees]]", "[[campaigns]]"), "missing the required field `(until|fees)`"),
        (changed("juminhyo = 200", "juminhyo = -1"), "fees"),
        (changed(FEE, FEE + "until = 2019-12-31\n"), r"fees\[1\].*ends before it begins"),
        (changed(FEE, FEE + "until = 9999-12-31\n"), "further notice"),
        (
            LEAST + LATER_FEE,
            r"fees\[1\].*and fees\[2\].*both hold on 2027-04-01.*until = 2027-03-31 in fees\[1\]",
        ),
        (
            changed(FEE, FEE + "until = 2027-03-30\n") + LATER_FEE,
            r"nothing for juminhyo at store from 2027-03-31 until 2027-03-31.*from = 2027-03-31",
        ),
        (
            changed("from = 2020-01-01\nchannel", "from = 2028-01-01\nchannel") + LATER_FEE,
            r"fees\[2\].*stands after fees\[1\].*in the order of their first days",
        ),
        (
            changed('["juminhyo"]\ndaily', '["juminhyo", "juminhyo"]\ndaily'),
            "names juminhyo at store twice",
        ),
        (
            changed('chain = "Lawson"\nfrom = 2020-01-01', 'chain = "Lawson"\nfrom = 2019-01-01'),
            r"chains\[1\].*no line of \[\[hours\]\].*2019-01-01 until 2019-12-31",
        ),
        (
            changed(FEE, FEE + "until = 2027-03-31\n"),
            r"chains\[1\].*no line of \[\[fees\]\] for juminhyo at store from 2027-04-01 on",
        ),
        (
            changed('"juminhyo"]\n\n[[commissions]]', '"juminhyo", "inkan"]\n\n[[commissions]]'),
            r"chains\[1\].*no line of \[\[hours\]\] for inkan at store",
        ),
        (changed('chain = "Lawson"', 'chain = "Lowson"'), r"no line of \[\[commissions\]\]"),
        (
            LEAST + '[[commissions]]\nchain = "Lowson"\nfrom = 2020-01-01\n'
            'kinds = ["juminhyo"]\nyen = 1\n',
            r"commissions\[2\].*names the chain Lowson.*the chains are Lawson",
        ),
        (LEAST + CAMPAIGN + CAMPAIGN, r"campaigns\[1\].*campaigns\[2\].*both hold"),
        (
            LEAST + CAMPAIGN + CAMPAIGN + 'chains = ["Lawson"]\n',
            r"campaigns\[1\].*campaigns\[2\].*meet; a kind has one campaign at a time",
        ),
        (
            LEAST + CAMPAIGN.replace("store", "counter") + 'chains = ["Lawson"]\n',
            "counter, which has no chains",
        ),
        (
            LEAST + '[[chains]]\nchain = "Lawson"\nclass = "city-hall"\nfrom = 2027-01-01\n'
            'kinds = ["inkan"]\n',
            r"chains\[2\].*a chain has one class",
        ),
        (
            LEAST + "[[maintenance]]\nfrom = 2027-01-02T00:00:00\nuntil = 2027-01-01T00:00:00\n",
            r"maintenance\[1\] ends at 2027-01-01.*before it begins",
        ),
        (
            LEAST + "[[maintenance]]\nfrom = 2027-01-01T00:00:00Z\nuntil = 2027-01-02T00:00:00\n",
            "maintenance",
        ),
        (
            LEAST + "[[maintenance]]\nfrom = 2027-01-01T00:00:00\nuntil = 9999-12-31T00:00:00\n",
            r"maintenance\[1\]: days go from 1990 to 2999",
        ),
        (
            LEAST + '[[yearly_closures]]\nfrom = 2020-01-01\nfirst = "02-30"\nlast = "03-01"\n',
            r"yearly_closures\[1\].*no year has a 02-30",
        ),
        (
            LEAST + "[[yearly_closures]]\nfrom = 2020-01-01\nuntil = 2019-01-01\n"
            'first = "12-29"\nlast = "01-03"\n',
            r"yearly_closures\[1\].*ends before it begins",
        ),
    ],
)
def test_unclear_tables_are_refused(text: str, fault: str) -> None:
    """The line is named by its place and its meaning, and the way out is told."""
    with pytest.raises(SetUpError, match=fault):
        read_tables(text.encode())


def test_tables_are_short_and_utf_8() -> None:
    """The journal keeps them whole, and people read them."""
    read_tables(LEAST.encode())
    with pytest.raises(SetUpError, match="longer than 65536 bytes"):
        read_tables(LEAST.encode() + b"#" * TABLES_BYTES_MAX)
    with pytest.raises(SetUpError, match="UTF-8"):
        read_tables(LEAST.replace("Lawson", "ローソン").encode("shift_jis"))


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "UTC", "America/New_York", "Pacific/Kiritimati"])
def test_the_machines_zone_does_not_matter(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A window until 09:00 ends at 09:00 in Japan, wherever the machine believes to be."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        tables = read_tables((LEAST + WINDOW).encode())
        found = tables.opening(Kind.JUMINHYO, STORE, 1_791_117_000_000)
    finally:
        monkeypatch.undo()
        time.tzset()

    assert isinstance(found, Closed)
    assert (1_791_158_400_000, ClosedCause.MAINTENANCE) == (found.opens_at_ms, found.cause)


LINES = (SAMPLE_TABLES + CAMPAIGN + WINDOW).splitlines()
WORDS = sorted({word for line in LINES for word in line.replace("=", " ").split()})
ODD_WORDS = (
    *("9999-12-31", "0001-01-01", "0001-01-01T00:00:00", "9999-12-31T23:59:59"),
    "-1",
    "1e999",
    '""',
    "[]",
    "{}",
    "[[hours]]",
    "2027-02-29",
)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_slips_of_the_pen_are_told_in_words(data: st.DataObject) -> None:
    """Lines that are lost, doubled or changed: tables, or a refusal; never anything else."""
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        what = data.draw(st.sampled_from(("lose", "double", "move", "change")))
        line = lines.pop(at)
        if what == "double":
            lines[at:at] = [line, line]
        elif what == "move":
            lines.insert(data.draw(st.integers(0, len(lines))), line)
        elif what == "change":
            key, sign, _ = line.partition("=")
            lines.insert(at, key + sign + data.draw(st.sampled_from((*WORDS, *ODD_WORDS))))
    with contextlib.suppress(SetUpError):
        tables = read_tables("\n".join(lines).encode())
        tables.opening(Kind.JUMINHYO, STORE, business_ms(2026, 11, 30))


@given(content=st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    """No tables are that short."""
    with pytest.raises(SetUpError):
        read_tables(content)


def test_deep_nesting_is_refused_in_words() -> None:
    """As is everything that no person writes."""
    with pytest.raises(SetUpError, match="nested too deeply"):
        read_tables(b"a = " + b"[" * 30_000)
