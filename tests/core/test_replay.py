"""A core trace: whatever the switch was given, it decides the same again, and nobody is in it."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.copy_changes import CopyChange, NewExtract
from issuance_server.core.eligibility import holder_refusal
from issuance_server.core.facts import Facts, Now
from issuance_server.core.issuing_changes import StopIssuing
from issuance_server.core.kind_eligibility import kind_refusal
from issuance_server.core.notice_changes import Subscribing
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.register_extract import Counts
from issuance_server.core.register_feed import Placed, RecordRemoved
from issuance_server.core.replay import Beginning, ReplayedSwitch, StepCoder
from issuance_server.core.trace_marks import MARKS, safe_dates, values_of_core
from protocol.domicile_telegrams import RegisterDomicile
from protocol.errors import Misuse
from protocol.issuance import IssuanceState
from protocol.kinds import Kind
from protocol.secret import Secret
from protocol.trace import stream
from protocol.trace.entries import (
    FORMAT,
    MAJOR,
    MINOR,
    Header,
    Known,
    Missed,
    Recorder,
    TraceKind,
)
from protocol.trace.hiding import Hider
from protocol.trace.replaying import Played, ReplayImpossible, play
from protocol.trace.values import Values
from tests.core.desk import Desk
from tests.core.made import (
    HOLDER,
    MONDAY_MS,
    RESIDENT,
    RULES,
    START_REAL_MS,
    TABLES_TOML,
    VISIT,
    authenticating,
    rendered,
    verdict,
)

HEADER = Header(
    format=FORMAT,
    major=MAJOR,
    minor=MINOR,
    kind=TraceKind.CORE,
    recorder=Recorder.SERVER,
    city=RULES.city,
    software=RULES.software,
    tables_version=1,
    started_at_ms=0,
)
BEGINNING = Beginning(
    stopped_terminals=(),
    issuing_stopped=False,
    tables=TABLES_TOML,
    judge_report=(0, 0),
    closed_through="",
)
NOW = Now(real_ms=START_REAL_MS, business_ms=MONDAY_MS)


@dataclass(kw_only=True)
class RecordedDesk(Desk):
    """A desk that records as a server does, and can play it."""

    coder: StepCoder = field(default_factory=lambda: StepCoder(RULES, Secret(b"k" * 32)))
    entries: list[Known] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.entries.append(msgspec.structs.replace(HEADER, settings=self.coder.settings()))
        self.entries.append(self.coder.beginning(BEGINNING))
        decide = self.switch.step

        def step(input_: i.Input, now: Now, facts: Facts = Facts()) -> list[e.Effect]:  # noqa: B008
            effects = decide(input_, now, facts)
            self.entries.append(self.coder.step(input_, now, facts, effects))
            return effects

        self.switch.step = step  # type: ignore[method-assign]

    def act(self, change: i.Change | None, reason: str = "見本太郎さんの件") -> None:
        """Let an operator act."""
        self.give(
            i.ActAccepted(
                operator="見本係長",
                second="見本課長",
                act="an.act",
                subject=RESIDENT,
                reason=reason,
                nonce=bytes([len(self.entries)]) * 16,
                change=change,
            )
        )

    def content(self) -> bytes:
        """Return the trace's bytes."""
        return b"".join(map(stream.encode, self.entries))

    def played(self) -> Played:
        """Play what was recorded, as it comes out of a file."""
        return play((placed.entry for placed in stream.read([self.content()])), ReplayedSwitch)


@pytest.mark.parametrize("state", [*IssuanceState])
def test_every_course_of_an_issuance_is_decided_the_same(state: IssuanceState) -> None:
    """To every state that an issuance can reach by itself, and everything that time does to it."""
    desk = RecordedDesk()
    if state in {IssuanceState.UNCONFIRMED, IssuanceState.WITHDRAWN, IssuanceState.CLOSED}:
        desk.reach(IssuanceState.RELEASED)
    elif state is not IssuanceState.RELEASING:
        desk.reach(state)
    for _hour in range(3):
        desk.pass_time(3_600_000)
    desk.give(i.DrainBegun())
    assert desk.played() == Played(steps=len(desk.entries) - 1)


@pytest.mark.parametrize("outcome", [*VerdictOutcome])
def test_every_verdict_is_decided_the_same(outcome: VerdictOutcome) -> None:
    """With the dates of a child, and of a card that was registered by 本籍."""
    desk = RecordedDesk(holder=replace(HOLDER, birth_on=date(2020, 4, 1)))
    desk.begun()
    desk.ask(authenticating())
    said = verdict(outcome, card_ref=None, certificate_serial="0123456789abcdef")
    desk.give(i.VerdictGiven(visit_id=VISIT, attempt=1, verdict=said))
    assert None is desk.played().deviation
    assert b"0123456789abcdef" not in desk.content()
    assert b"2020" not in desk.content()


def test_nobody_is_in_what_people_typed_and_operators_wrote() -> None:
    """No name, no address, no id of a resident; and all of it is played."""
    desk = RecordedDesk(registered=False)
    desk.begun()
    desk.ask(authenticating())
    shown = verdict(VerdictOutcome.RIGHT, card_ref=None, certificate_serial="0123456789abcdef")
    desk.give(i.VerdictGiven(visit_id=VISIT, attempt=1, verdict=shown))
    desk.ask(
        RegisterDomicile(
            visit_id=VISIT,
            request_id=b"request by birth",
            domicile="大阪府見本市1番地",
            register_head="見本一郎",
            name="見本太郎",
            birth="昭和55年4月1日",
            phone="06-0000-9999",
        )
    )
    desk.act(Subscribing(resident_id=RESIDENT, address="taro@example.jp"))
    desk.act(StopIssuing())
    desk.act(None)
    desk.give(i.ActEnded(nonce=bytes(16), outcome=r.ActOutcome.REFUSED, reason="見本太郎がいない"))
    assert ["見本太郎さんの件"] == [record.fault for record in desk.written(r.IssuingStopped)]

    assert None is desk.played().deviation
    content = desk.content()
    hidden = (
        "係長",
        "課長",
        "太郎",
        "昭和",
        "9999",
        "example",
        RESIDENT,
        "0123456789abcdef",
        "番地",
    )
    assert [] == [word for word in hidden if word.encode() in content]


@pytest.mark.parametrize(
    "change",
    [
        NewExtract(
            staged="/var/lib/kofu/extract.db",
            file_digest=bytes(32),
            counts=Counts(households=1, residents=2, records=3, suppressions=4, edits=5),
            sequence=7,
            as_of_ms=8,
        ),
        Placed(
            changes=(
                RecordRemoved(
                    sequence=8,
                    as_of=datetime.fromisoformat("2026-11-30T09:00:00+09:00"),
                    key=f"seal/{RESIDENT}",
                ),
            ),
            skipped=0,
        ),
    ],
)
def test_the_register_is_not_in_it(change: CopyChange) -> None:
    """Of what comes from the register there are numbers and times; and the core needs no more."""
    desk = RecordedDesk()
    desk.act(change)
    assert None is desk.played().deviation
    assert RESIDENT.encode() not in desk.content()
    assert b"/var/lib" not in desk.content()


def test_a_wrapped_key_is_a_digest() -> None:
    """Nothing of the key is in it, and the effect that keeps it is held against the same digest."""
    desk = RecordedDesk()
    desk.reach(IssuanceState.QUOTED)
    key = rendered().wrapped_key
    assert len(key) > 8
    assert key not in desk.content()
    assert None is desk.played().deviation


def test_what_the_recorder_left_out_ends_the_replay() -> None:
    """It is said where, and nothing after it is held against anything."""
    desk = RecordedDesk()
    desk.authenticated()
    desk.entries.insert(4, Missed(at_ms=1, count=3))
    assert Played(steps=3, missed_at=5) == desk.played()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"part": 2}, "part 0 of the recording is wanted here"),
        ({"kind": TraceKind.TELEGRAMS}, "--core-trace"),
        ({"recorder": Recorder.TERMINAL}, "terminal-sim trace replay"),
        ({"settings": {}}, "no rules"),
    ],
)
def test_what_cannot_be_played_is_refused(header: dict[str, object], said: str) -> None:
    """Another part first, telegrams, a terminal's recording, a header without rules."""
    desk = RecordedDesk()
    first = desk.entries[0]
    assert isinstance(first, Header)
    desk.entries[0] = msgspec.structs.replace(first, **header)
    with pytest.raises(ReplayImpossible, match=said):
        desk.played()


def test_an_input_of_a_later_version_is_a_deviation() -> None:
    """What this core does not know it cannot decide; the words say which."""
    desk = RecordedDesk()
    desk.give(i.DrainBegun())
    last = desk.entries[-1]
    desk.entries[-1] = msgspec.structs.replace(last, given=("Teleported", {}))
    deviation = desk.played().deviation
    assert deviation is not None
    assert "ValueError: this version knows no Teleported" == deviation.failure


dates = st.dates(date(1880, 1, 1), date(2026, 12, 31))


@given(
    birth_on=st.none() | dates,
    since=st.none() | dates,
    tax_year=st.none() | st.integers(2024, 2026),
    age_min=st.integers(0, 20),
    days=st.integers(-400, 400),
)
def test_other_dates_give_the_same_refusals(
    birth_on: date | None, since: date | None, tax_year: int | None, age_min: int, days: int
) -> None:
    """Whoever is under age stays so; whoever moved in too late for a tax record did."""
    rules = replace(RULES, age_min_years=age_min)
    business_ms = NOW.business_ms + int(timedelta(days=days).total_seconds()) * 1_000
    now = replace(NOW, business_ms=business_ms)
    holder = replace(HOLDER, birth_on=birth_on, resident_since=since, tax_year=tax_year)
    born, resident_since = safe_dates(holder, rules, now)
    safe = replace(holder, birth_on=born, resident_since=resident_since)
    today = date(2026, 11, 30) + timedelta(days=days)
    assert holder_refusal(rules, holder, now) == holder_refusal(rules, safe, now)
    assert kind_refusal(rules, Kind.KAZEI, holder, today) == kind_refusal(
        rules, Kind.KAZEI, safe, today
    )
    assert {safe.birth_on, safe.resident_since} <= {None, date.min, date.max}


def test_whoever_adds_a_text_has_to_decide() -> None:
    """A class with a field that nobody decided cannot be coded; every decision is about a field."""

    @dataclass
    class Novelty:
        remark: str

    with pytest.raises(Misuse, match=r"Novelty\.remark"):
        Values([Novelty], MARKS, Hider(None))
    decided = values_of_core(None, also=(Beginning,)).decided()
    names = {field.partition(".")[2] for field in decided}
    in_vain = {mark for mark in MARKS if mark not in decided and mark not in names}
    assert in_vain == {f"Log.fields.{key}" for key in ("operator", "second", "reason", "fault")}
