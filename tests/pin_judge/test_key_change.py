"""What a judge does while its keys change: nobody at a terminal notices."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from issuance_server.adapters.pin_judge.client import JudgeClient
from issuance_server.adapters.pin_judge.registration import NewCard, register_offline
from issuance_server.core.pin_policy import VerdictOutcome
from keys import life_cycle
from keys.city_folder import CityFolder
from keys.city_keys import create_city_keys, load_judge_keys
from keys.key_record import Purpose
from keys.key_ring import Times
from keys.pepper_use import cards_under
from protocol.errors import KeyManagementError
from protocol.secret import Secret
from tests.pin_judge.judge_bench import CITY, RIGHT_PIN, WRONG_PIN, Card, JudgeBench, answered

RIGHT, WRONG = VerdictOutcome.RIGHT, VerdictOutcome.WRONG


@pytest.fixture
def city(tmp_path: Path) -> CityFolder:
    """Keys of a city for one test alone, for it changes them."""
    create_city_keys(tmp_path / "keys", CITY, datetime.now(UTC))
    return CityFolder.at(tmp_path / "keys")


@pytest.fixture
async def judging(city: CityFolder, tmp_path: Path) -> AsyncIterator[JudgeBench]:
    """A judge whose rings look at their folder before every use."""
    (tmp_path / "judge").mkdir()
    looks = iter(range(0, 1_000_000, 60))
    bench = JudgeBench(
        path=tmp_path / "judge" / "judge.db",
        keys=load_judge_keys(city.root, times=Times(monotonic_s=lambda: float(next(looks)))),
        operators_folder=city.operators,
    )
    await bench.open()
    yield bench
    await bench.close()


def rotate(city: CityFolder, purpose: Purpose) -> None:
    life_cycle.rotate(city, purpose, now=datetime.now(UTC))


def pepper_ids(bench: JudgeBench) -> list[str]:
    with closing(sqlite3.connect(bench.path)) as file:
        return [row[0] for row in file.execute("SELECT pepper FROM card ORDER BY rowid")]


async def test_a_right_pin_moves_a_card_under_the_new_pepper(
    judging: JudgeBench, city: CityFolder
) -> None:
    """A wrong one counts as before and moves nothing; the card keeps its reference."""
    card, other = await judging.card(), await judging.card()
    rotate(city, Purpose.PEPPER)
    old, new = (record.key_id for record in city.records(Purpose.PEPPER))
    assert [old, old] == pepper_ids(judging)

    assert WRONG is await judging.outcome(card, WRONG_PIN)
    assert ([old, old], 2) == (pepper_ids(judging), await judging.tries_left(card))
    first = await judging.try_pin(card, RIGHT_PIN)
    assert (RIGHT, card.card_ref) == (first.verdict.outcome, first.verdict.card_ref)
    assert ([new, old], 1) == (pepper_ids(judging), cards_under(judging.path, old))
    second = await judging.try_pin(card, RIGHT_PIN)
    assert (RIGHT, card.card_ref) == (second.verdict.outcome, second.verdict.card_ref)
    assert WRONG is await judging.outcome(card, WRONG_PIN)
    assert RIGHT is await judging.outcome(other, RIGHT_PIN)


async def test_an_old_pepper_is_destroyed_when_no_card_needs_it(
    judging: JudgeBench, city: CityFolder
) -> None:
    """Not a card earlier; afterwards the judge starts again and the PIN is still right."""
    card = await judging.card()
    rotate(city, Purpose.PEPPER)
    old = city.records(Purpose.PEPPER)[0].key_id
    now = datetime.now(UTC)
    with pytest.raises(KeyManagementError, match="1 cards still need pepper"):
        life_cycle.destroy(city, old, now=now, pin_store=judging.path)

    await judging.outcome(card, RIGHT_PIN)
    life_cycle.destroy(city, old, now=now, pin_store=judging.path)

    await judging.restart()
    assert RIGHT is await judging.outcome(card, RIGHT_PIN)


async def test_a_card_under_the_old_pepper_is_registered_already(
    judging: JudgeBench, city: CityFolder
) -> None:
    """Else one card would have two sets of tries."""
    card = await judging.card()
    rotate(city, Purpose.PEPPER)
    new = NewCard(number=card.number, public_key=card.key.public_key, pin=Secret(RIGHT_PIN))

    with pytest.raises(KeyManagementError, match="registered already"):
        await judging.judge.register_cards([new])


async def test_cards_under_a_revoked_pepper_are_registered_anew(
    judging: JudgeBench, city: CityFolder
) -> None:
    """They are refused like unknown ones, the judge starts all the same, and takes them again."""
    card = await judging.card()
    rotate(city, Purpose.PEPPER)
    life_cycle.revoke(city, Purpose.PEPPER, now=datetime.now(UTC))
    await judging.restart()

    assert VerdictOutcome.NOT_ACCEPTED is await judging.outcome(card, RIGHT_PIN)
    new = NewCard(number=card.number, public_key=card.key.public_key, pin=Secret(RIGHT_PIN))
    await judging.judge.register_cards([new])
    assert RIGHT is await judging.outcome(card, RIGHT_PIN)


async def test_a_pin_sealed_to_the_old_key_is_judged(judging: JudgeBench, city: CityFolder) -> None:
    """A terminal that was not told yet sees no difference until the old key's time is over."""
    card = await judging.card()
    old_key, visit_id = judging.keys.pin_opener.public_key, judging.visit_id()
    rotate(city, Purpose.PIN_OPENING)
    challenge = await judging.challenge("t1", visit_id)
    asked = answered(card, RIGHT_PIN, sealing_key=old_key, challenge=challenge, visit_id=visit_id)

    assert old_key != judging.keys.pin_opener.public_key
    assert RIGHT is (await judging.judge.judge(asked)).verdict.outcome


async def _ask(client: JudgeClient, bench: JudgeBench, card: Card) -> VerdictOutcome:
    visit_id = bench.visit_id()
    challenge = await client.challenge("t1", visit_id, 1)
    assert challenge is not None
    key = bench.keys.pin_opener.public_key
    asked = answered(card, RIGHT_PIN, sealing_key=key, challenge=challenge, visit_id=visit_id)
    return (await client.judge(asked)).outcome


@pytest.mark.slow
@pytest.mark.processes
async def test_the_server_believes_the_new_verdict_key(
    judging: JudgeBench, city: CityFolder
) -> None:
    """Before and after a running judge takes it up."""
    await judging.close()
    card = judging.unregistered_card()
    new = NewCard(number=card.number, public_key=card.key.public_key, pin=Secret(RIGHT_PIN))
    await register_offline(judging.path, load_judge_keys(city.root), [new])
    rotate(city, Purpose.VERDICT)
    client = JudgeClient.of_city(store=judging.path, keys=city, city=CITY)

    await client.start()
    try:
        assert RIGHT is await _ask(client, judging, card)
        rotate(city, Purpose.VERDICT)
        assert RIGHT is await _ask(client, judging, card), "whichever of the two keys signs"
    finally:
        await client.stop()
