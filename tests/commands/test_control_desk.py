"""The control desk: an act is checked, recorded, and only then carried out."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from issuance_server import control_wire as wire
from issuance_server.act_check import Believed
from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.control_desk import ControlDesk
from issuance_server.core import records as r
from issuance_server.core.inputs import ActAccepted, ActEnded
from issuance_server.core.pin_policy import CardState
from keys.authority import Authority
from keys.operators import ACT_VALID_MS_MAX, Operator, OperatorRing, SignedAct
from keys.signing import SigningKey
from protocol.errors import AdapterError, JournalFailed, KeyManagementError
from tests.adapters.city_file import CityFile, HandClock, found
from tests.core.made import CARD_REF, START_REAL_MS

OPERATOR = Operator("mado-1", SigningKey.generate())
STRANGER = Operator("mado-9", SigningKey.generate())
AUTHORITY = Authority.generate("272035", not_before=datetime(2026, 1, 1, tzinfo=UTC))


@dataclass
class StandInJudge:
    """Notes in which order things happen."""

    course: list[str]
    known: bool = True
    refuses: str = ""
    reachable: bool = True

    async def card_states(self, _card_ref: str | None = None) -> tuple[CardState, ...]:
        if not self.reachable:
            raise AdapterError("the judge is not running")
        return (CardState(card_ref=CARD_REF, tries_left=1),)

    async def card_known(self, _card_ref: str) -> bool:
        return self.known

    async def unlock(self, signed: SignedAct) -> None:
        if not self.reachable:
            raise AdapterError("the judge is not running")
        if self.refuses:
            raise KeyManagementError(self.refuses)
        self.course.append(f"unlocked {signed.act.subject}")

    async def unfreeze(self, signed: SignedAct) -> None:
        self.course.append(f"unfrozen {signed.act.subject}")


@dataclass
class Scene:
    """A desk on a real file with a stand-in judge."""

    city: CityFile
    course: list[str] = field(default_factory=list)
    logged: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    clock: HandClock = field(default_factory=HandClock)
    journal_fails: bool = False

    def __post_init__(self) -> None:
        self.judge = StandInJudge(self.course)
        self.desk = ControlDesk(
            queries=Queries(self.city.path),
            judge=self.judge,  # type: ignore[arg-type]  # what the desk asks of it
            believed=Believed(
                operators=lambda: OperatorRing({"mado-1": OPERATOR.public_key}),
                authority_certificate=AUTHORITY.certificate_pem,
            ),
            record=self.record,
            clock=self.clock,
            log=lambda event, **fields: self.logged.append((event, fields)),
        )

    async def record(self, act: ActAccepted | ActEnded) -> None:
        if self.journal_fails:
            raise JournalFailed("full")
        await self.city.give(act)
        what = act.act if isinstance(act, ActAccepted) else act.outcome.value
        self.course.append(f"recorded {what}")

    async def ask(self, request: wire.Request) -> wire.Answer:
        return wire.decode_answer(await self.desk.handle(wire.encode(request)))


@pytest.fixture
async def scene(tmp_path: Path) -> Any:
    city = CityFile(found(tmp_path / "city.db"))
    await city.open()
    yield Scene(city)
    await city.close()


def signed(operator: Operator = OPERATOR, **changes: Any) -> wire.Act:
    """Return a signed act to unlock the card."""
    usual: dict[str, Any] = {
        "act": wire.ACT_CARD_UNLOCK,
        "subject": CARD_REF,
        "reason": "came with the passport",
        "nonce": b"n" * 16,
        "expires_at_ms": START_REAL_MS + 60_000,
    }
    return wire.Act(signed=operator.sign(**(usual | changes)))


async def test_act_is_recorded_before_it_is_done(scene: Scene) -> None:
    """And what came of it after; it is told in the log, once it is done."""
    assert wire.Done() == await scene.ask(signed())

    assert [
        "recorded card.unlock",
        f"unlocked {CARD_REF}",
        "recorded done",
    ] == scene.course
    assert ["control.act_done", "card.unlocked"] == [event for event, _ in scene.logged]
    record, _ = scene.city.records()
    assert isinstance(record, r.OperatorActed)
    assert ("mado-1", CARD_REF, b"n" * 16) == (record.operator, record.subject, record.nonce)


async def test_terminal_is_unfrozen_alike(scene: Scene) -> None:
    """The other act that there is."""
    act = signed(act=wire.ACT_TERMINAL_UNFREEZE, subject="7E-0001")
    assert wire.Done() == await scene.ask(act)

    assert ["recorded terminal.unfreeze", "unfrozen 7E-0001", "recorded done"] == scene.course
    assert ["control.act_done", "terminal.unfrozen"] == [event for event, _ in scene.logged]


async def test_act_is_good_once(scene: Scene) -> None:
    """The same signature a second time, or another act under the same nonce."""
    await scene.ask(signed())
    for act in (signed(), signed(reason="again")):
        with pytest.raises(KeyManagementError, match="carried out before"):
            await scene.ask(act)

    assert 2 == len(scene.city.records())
    assert 3 == len(scene.course)
    assert "control.act_refused" == scene.logged[-1][0]


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (signed(STRANGER), "not known here"),
        (signed(Operator("mado-1", SigningKey.generate())), "signature"),
        (signed(expires_at_ms=START_REAL_MS), "expired"),
        (signed(expires_at_ms=START_REAL_MS + ACT_VALID_MS_MAX + 1), "for too long"),
        (signed(act="city.close"), "city.close is no act of this server"),
        (signed(subject="card-none"), "no card has the reference card-none"),
        (signed(subject="x" * 150), "no card has the reference"),
    ],
    ids=["unknown", "forged", "expired", "made ahead", "no act", "no card", "no reference"],
)
async def test_bad_act_changes_nothing(scene: Scene, act: wire.Act, text: str) -> None:
    """Not recorded, not carried out; the refusal is in the log with its reason."""
    with pytest.raises(KeyManagementError, match=text):
        await scene.ask(act)

    assert [] == scene.course
    assert [] == scene.city.records()
    ((event, fields),) = scene.logged
    assert "control.act_refused" == event
    assert text.split(".", maxsplit=1)[0] in str(fields["reason"])


async def test_changed_act_is_no_longer_signed(scene: Scene) -> None:
    """Another subject under a good signature."""
    good = signed().signed
    other = msgspec.structs.replace(
        good, act=msgspec.structs.replace(good.act, subject="card-another")
    )
    with pytest.raises(KeyManagementError, match="signature"):
        await scene.ask(wire.Act(signed=other))

    assert [] == scene.course


async def test_act_that_cannot_be_recorded_is_not_carried_out(scene: Scene) -> None:
    """No change without its trace."""
    scene.journal_fails = True
    with pytest.raises(JournalFailed):
        await scene.ask(signed())

    assert [] == scene.course


async def test_refusal_of_the_judge_is_told(scene: Scene) -> None:
    """The trace stays: somebody wanted it, and it was refused; both are in the record."""
    scene.judge.refuses = "this card is being checked at a terminal"
    with pytest.raises(KeyManagementError, match="being checked"):
        await scene.ask(signed())

    assert ["recorded card.unlock", "recorded refused"] == scene.course
    assert ["control.act_refused"] == [event for event, _ in scene.logged]
    ended = scene.city.records()[-1]
    assert isinstance(ended, r.OperatorActEnded)
    assert "this card is being checked at a terminal" == ended.reason


async def test_act_that_the_judge_does_not_answer_is_recorded_as_unknown(scene: Scene) -> None:
    """It may have done it and died; nobody claims to know."""
    scene.judge.reachable = False
    with pytest.raises(AdapterError, match="not running"):
        await scene.ask(signed())

    assert ["recorded card.unlock", "recorded unknown"] == scene.course


async def test_card_that_the_judge_does_not_know_is_refused(scene: Scene) -> None:
    """Before anything is recorded."""
    scene.judge.known = False
    with pytest.raises(KeyManagementError, match="no card has the reference"):
        await scene.ask(signed())

    assert [] == scene.city.records()


async def test_cards_join_both_stores(scene: Scene) -> None:
    """Tries from the judge, registration from the city; an unknown card asks nobody."""
    answer = await scene.ask(wire.ListCards())
    assert isinstance(answer, wire.Cards)
    assert [(CARD_REF, "usable", 1, START_REAL_MS, None)] == [
        (row.card_ref, row.state, row.tries_left, row.registered_at_ms, row.locked_at_ms)
        for row in answer.rows
    ]
    scene.judge.reachable = False
    assert wire.Cards(rows=()) == await scene.ask(wire.ListCards(card_ref="card-none"))
    with pytest.raises(AdapterError, match="not running"):
        await scene.ask(wire.ListCards())


async def test_request_of_another_version_is_told(scene: Scene) -> None:
    """Bytes that are no request of this server."""
    for content in (b"", b"\xc0", b"\x81\xa4type\xa1\xff", wire.encode({"type": "burn-down"})):
        with pytest.raises(AdapterError, match="another version"):
            await scene.desk.handle(content)
