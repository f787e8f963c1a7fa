"""The control desk: an act is checked, recorded, and only then carried out."""

import msgspec
import pytest

from issuance_server.control import wire
from issuance_server.core import records as r
from keys.operators import ACT_VALID_MS_MAX, Operator
from keys.signing import SigningKey
from protocol.errors import AdapterError, JournalFailed, KeyManagementError
from tests.commands.scene import OPERATOR, STRANGER, Scene, signed
from tests.core.made import CARD_REF, START_REAL_MS


async def test_act_is_recorded_before_it_is_done(scene: Scene) -> None:
    """And what came of it after; it is told in the log, once it is done."""
    assert wire.Done() == await scene.ask(signed())

    assert [
        "recorded card.unlock",
        f"card.unlock {CARD_REF} mado-1 mado-2",
        "recorded done",
    ] == scene.course
    assert ["control.act_done", "card.unlocked"] == [event for event, _ in scene.logged]
    record, ended, changed = scene.city.records()
    assert isinstance(record, r.OperatorActed)
    assert isinstance(ended, r.OperatorActEnded)
    assert isinstance(changed, r.CardChanged)
    assert (CARD_REF, "mado-1", "mado-2") == (changed.card_ref, changed.operator, changed.second)
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

    assert 3 == len(scene.city.records())
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
        (signed(second=None), "takes two operators"),
        (signed(second=OPERATOR), "two operators with keys of their own"),
        (signed(second=STRANGER), "not known here"),
    ],
    ids=[
        *("unknown", "forged", "expired", "made ahead", "no act", "no card", "no reference"),
        *("one alone", "one twice", "a stranger beside"),
    ],
)
async def test_bad_act_changes_nothing(scene: Scene, act: wire.Act, text: str) -> None:
    """Not recorded, not carried out; the log has how far it came."""
    with pytest.raises(KeyManagementError, match=text):
        await scene.ask(act)

    assert [] == scene.course
    assert [] == scene.city.records()
    ((event, fields),) = scene.logged
    assert "control.act_refused" == event
    of_itself = "no card" in text
    assert ("check" if of_itself else "signature") == fields["reason"]


async def test_changed_act_is_no_longer_signed(scene: Scene) -> None:
    """Another subject under a good signature."""
    good = signed().signed
    other = msgspec.structs.replace(
        good, act=msgspec.structs.replace(good.act, subject="card-another")
    )
    with pytest.raises(KeyManagementError, match="signature"):
        await scene.ask(wire.Act(signed=other, second=signed().second))

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
    assert [("control.act_refused", "carrying-out")] == [
        (event, fields["reason"]) for event, fields in scene.logged
    ]
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


async def test_log_tells_ids_and_no_digests(scene: Scene) -> None:
    """What binds the rest of an act could be tried out against all numbers of residents."""
    act = signed(act="city.close", subject=f"{CARD_REF} {'0f' * 32} {'a1' * 32}")
    with pytest.raises(KeyManagementError):
        await scene.ask(act)

    assert CARD_REF == scene.logged[-1][1]["subject"]
