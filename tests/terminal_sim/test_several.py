"""Several certificates in one visit, and 取消 at every place where it can be pressed."""

import json
from dataclasses import replace
from typing import Any

import pytest

from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.kinds import Item, Kind, Options, Scope
from protocol.secret import Secret
from protocol.telegrams import Refused
from terminal_sim import __main__ as program
from terminal_sim.core.requests import Step
from terminal_sim.customer import CancelPoint, Choice
from terminal_sim.devices import Printer
from terminal_sim.opening import Clock, run_opening
from terminal_sim.person import Keypad, Person
from terminal_sim.result import (
    Exit,
    closing_words,
    exit_of_visit,
    outcome_words,
    result_object,
)
from terminal_sim.wishes import choice_of
from tests.terminal_sim.city import FEE_YEN
from tests.terminal_sim.conftest import Town
from tests.terminal_sim.paper_city import PIN
from tests.terminal_sim.visits import hoppers, run, storage_files

S = IssuanceState
WHOLE = "juminhyo:scope=household"


def visitor(*wanted: str) -> Person:
    return Person(
        keypad=Keypad(pins=[Secret(PIN.encode())]),
        choices=[choice_of(text) for text in wanted],
        insert_yen=None,
        say=lambda _: None,
        clock=Clock(),
    )


def test_a_certificate_is_named_with_its_options() -> None:
    """A word without ``=`` goes on with the list before it."""
    text = "juminhyo:members=1,3,copies=2,scope=some,items=relationship,domicile,cancel-at=held"

    options = Options(scope=Scope.SOME, members=(1, 3), items=(Item.RELATIONSHIP, Item.DOMICILE))
    assert Choice(
        kind=Kind.JUMINHYO, options=options, copies=2, cancel_at=CancelPoint.HELD
    ) == choice_of(text)
    assert Choice(kind=Kind.INKAN, options=Options(), copies=1) == choice_of("inkan")


async def test_every_certificate_is_an_issuance_and_a_payment_of_its_own(town: Town) -> None:
    """One visit, one PIN, three papers, three fees."""
    wire, person = town.wire(), visitor(WHOLE, WHOLE, WHOLE)
    ended = await run(town, wire, person)

    assert [S.COMPLETED] * 3 == [one.state for one in ended.state.issuances.values()]
    assert 1 == len({one.applied.visit_id for one in ended.state.issuances.values()})
    assert 3 == len(list(town.tray.iterdir()))
    assert [(0, FEE_YEN, 0)] * 3 == hoppers(town)
    assert ([PIN], True) == (wire.city.pins, ended.counters_agree)
    assert Exit.DONE is exit_of_visit(ended.state, person, None)
    told = result_object(
        ended.state, person, refused=None, paper_of=Printer(town.tray).paper, counters_agree=True
    )
    assert "issuance" not in told
    ids = [one["issuance"] for one in told["issuances"]]
    assert [one.issuance_id.hex() for one in ended.state.issuances.values()] == ids
    assert {"quoted", "quoted-2", "quoted-3"} <= told["durations_ms"].keys()


@pytest.mark.parametrize("point", CancelPoint)
async def test_cancelling_before_the_release_costs_nothing(point: CancelPoint, town: Town) -> None:
    """The city hears of it, no coin and no ciphertext stays, nothing was printed."""
    wire, person = town.wire(), visitor(f"{WHOLE},cancel-at={point.value}")
    ended = await run(town, wire, person)

    issuances = list(ended.state.issuances.values())
    assert ([] if point is CancelPoint.MENU else [S.WITHDRAWN]) == [i.state for i in issuances]
    assert all(state is S.WITHDRAWN for state in wire.city.city.states.values())
    assert 0 == wire.city.city.fees_yen == sum(kept + earned for kept, earned, _ in hoppers(town))
    paid = FEE_YEN if point is CancelPoint.MONEY else 0
    assert paid == sum(returned for _, _, returned in hoppers(town))
    assert not [path for path in storage_files(town) if "spool" in path.parts]
    assert not town.tray.exists() or not list(town.tray.iterdir())
    result = exit_of_visit(ended.state, person, None)
    assert Exit.FAILED is result
    assert bool(paid) is ("お返ししました" in closing_words(result, ended.state, person))
    assert ended.counters_agree


@pytest.mark.parametrize("point", list(CancelPoint)[1:])
async def test_who_cancels_one_certificate_may_have_the_next(
    point: CancelPoint, town: Town
) -> None:
    """取消 withdraws one issuance; the visit goes on."""
    person = visitor(f"{WHOLE},cancel-at={point.value}", WHOLE)
    ended = await run(town, town.wire(), person)

    assert [S.WITHDRAWN, S.COMPLETED] == [one.state for one in ended.state.issuances.values()]
    assert 1 == len(list(town.tray.iterdir()))
    assert Exit.FAILED is exit_of_visit(ended.state, person, None)


async def test_a_refused_certificate_does_not_end_the_visit(town: Town) -> None:
    """The next one is asked for; the exit code tells of the refusal."""
    wire, person = town.wire(), visitor(WHOLE, WHOLE)
    wire.city.city.refusals[Step.APPLY] = [Refused(code=ReplyCode.CANNOT_BE_PRINTED)]
    ended = await run(town, wire, person)

    assert [S.WITHDRAWN, S.COMPLETED] == [one.state for one in ended.state.issuances.values()]
    refusals = [one.refusal and one.refusal.code for one in person.applications]
    assert [ReplyCode.CANNOT_BE_PRINTED, None] == refusals
    result = exit_of_visit(ended.state, person, None)
    assert Exit.REFUSED is result
    assert "2件のうち1件を交付しました (1 of 2 issued)" == closing_words(
        result, ended.state, person
    )
    told = result_object(
        ended.state, person, refused=None, paper_of=Printer(town.tray).paper, counters_agree=True
    )
    assert [
        "refused、-、none (state, fee, money)",
        "completed、300円、earned (state, fee, money)",
    ] == [outcome_words(one) for one in told["issuances"]]


async def test_after_the_visit_has_ended_nothing_more_is_applied_for(town: Town) -> None:
    """What was wanted and not applied for says why, and counts as refused."""
    wire, person = town.wire(), visitor(WHOLE, WHOLE)
    wire.city.city.refusals[Step.AUTHENTICATE] = [Refused(code=ReplyCode.CARD_LOCKED)]
    ended = await run(town, wire, person)

    told = result_object(
        ended.state, person, refused=None, paper_of=Printer(town.tray).paper, counters_agree=True
    )
    assert ["CARD_LOCKED"] * 2 == [one["refusal"]["name"] for one in told["issuances"]]
    assert Exit.REFUSED is exit_of_visit(ended.state, person, None)


def test_the_command_tells_of_each(
    town: Town,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A line for each certificate, a path for each paper, and an object each with ``--json``."""
    plain = run_opening

    async def over_wire(config: Any, in_front: Any, settings: Any) -> Any:
        return await plain(config, in_front, replace(settings, carrier=town.wire()))

    monkeypatch.setattr(program, "run_opening", over_wire)

    def issue(*more: str) -> int:
        return program.main(
            [
                *("issue", "--terminal", str(town.config.path), "--card", str(town.card)),
                *("--pin", PIN, "--out", str(town.tray)),
                *("--certificate", WHOLE, "--certificate", f"{WHOLE},cancel-at=held", *more),
            ]
        )

    assert Exit.FAILED == issue()
    said = capsys.readouterr()
    assert [str(path) for path in town.tray.iterdir()] == said.out.splitlines()
    assert "1 住民票の写し: completed、300円、earned" in said.err
    assert "2 住民票の写し: withdrawn、300円、none" in said.err
    assert "2件のうち1件を交付しました (1 of 2 issued)" == said.err.splitlines()[-1]

    assert Exit.FAILED == issue("--json")
    told = json.loads(capsys.readouterr().out)
    assert ["completed", "withdrawn"] == [one["state"] for one in told["issuances"]]
