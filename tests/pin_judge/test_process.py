"""The judge as a real child process, asked by the server's client."""

import asyncio
import contextlib
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from issuance_server.adapters.child_process import Child
from issuance_server.adapters.pin_judge.client import JudgeClient
from issuance_server.adapters.pin_judge.process import _why
from issuance_server.adapters.pin_judge.registration import NewCard, register_offline
from issuance_server.core.pin_policy import PinAttempt, VerdictOutcome
from keys.city_folder import CityFolder
from keys.city_keys import load_judge_keys
from keys.operators import Operator
from protocol.errors import AdapterError, KeyManagementError
from protocol.secret import Secret
from tests.pin_judge.judge_bench import CITY, RIGHT_PIN, WRONG_PIN, Card, JudgeBench, answered

pytestmark = [pytest.mark.processes, pytest.mark.slow]

RESTART_WAIT_S_MAX = 20


@contextlib.asynccontextmanager
async def _running(client: JudgeClient) -> AsyncIterator[JudgeClient]:
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


@pytest.fixture
async def card(bench: JudgeBench, city_keys: Path) -> Card:
    """A card registered while no judge runs."""
    await bench.close()
    card = bench.unregistered_card()
    new = NewCard(number=card.number, public_key=card.key.public_key, pin=Secret(RIGHT_PIN))
    (card.card_ref,) = await register_offline(bench.path, load_judge_keys(city_keys), [new])
    return card


@pytest.fixture
def client(bench: JudgeBench, city_keys: Path) -> JudgeClient:
    return JudgeClient.of_city(
        store=bench.path,
        keys=CityFolder.at(city_keys),
        city=CITY,
    )


@pytest.fixture
def double(
    bench: JudgeBench, city_keys: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[JudgeClient, Child]]:
    def make(wrong: str) -> tuple[JudgeClient, Child]:
        monkeypatch.setenv("JUDGE_DOUBLE", wrong)
        monkeypatch.setenv("JUDGE_DIED", str(bench.path.with_name("died")))
        arguments = ["--store", str(bench.path), "--keys", str(city_keys), "--city", CITY]
        child = Child(
            module="tests.pin_judge.judge_double",
            arguments=[*arguments, "--operators", str(bench.operators_folder)],
        )
        keys = [bench.keys.verdict.public_key]
        return JudgeClient(child, verdict_keys=lambda: keys, wait_ms_max=5_000), child

    return make


async def _attempt(
    client: JudgeClient, bench: JudgeBench, card: Card, pin: bytes, *, terminal: str = "t1"
) -> PinAttempt:
    visit_id = bench.visit_id()
    challenge = await client.challenge(terminal, visit_id, 1)
    assert challenge is not None
    return answered(
        card,
        pin,
        sealing_key=bench.keys.pin_opener.public_key,
        challenge=challenge,
        visit_id=visit_id,
        terminal=terminal,
    )


async def test_from_challenge_to_verdict(
    bench: JudgeBench, card: Card, client: JudgeClient, operators: tuple[Operator, Operator]
) -> None:
    """Wrong, locked, unlocked by two operators, right; events come until they are collected."""
    async with _running(client):
        outcomes = []
        for number in range(4):
            asked = await _attempt(client, bench, card, WRONG_PIN, terminal=f"t{number}")
            outcomes.append((await client.judge(asked)).outcome)
        assert await client.challenge("t3", asked.visit_id, 1) is None
        (locked,) = await client.card_states()
        said: dict[str, Any] = {
            "act": "card.unlock",
            "subject": card.card_ref,
            "reason": "came to the counter",
            "nonce": os.urandom(16),
            "expires_at_ms": (await client.judge(asked)).at_ms + 60_000,
        }
        act, other = (one.sign(**said) for one in operators)
        events = await client.collect_events()
        with pytest.raises(KeyManagementError, match="two operators"):
            await client.counter_act(act)
        await client.counter_act(act, other)
        with pytest.raises(KeyManagementError, match="done before"):
            await client.counter_act(act, other)
        with pytest.raises(KeyManagementError, match="another act"):
            await client.unfreeze(act)
        later = await client.collect_events()
        right = await client.judge(await _attempt(client, bench, card, RIGHT_PIN))
        assert await client.card_known(card.card_ref)
        assert () == await client.card_states()
        assert [] == await client.collect_events()

    assert [VerdictOutcome.WRONG] * 3 + [VerdictOutcome.LOCKED] == outcomes
    assert (card.card_ref, True) == (locked.card_ref, locked.locked)
    assert ["card.locked"] == [event.name.value for event in events]
    assert ["card.unlocked"] == [event.name.value for event in later]
    assert (VerdictOutcome.RIGHT, card.card_ref) == (right.outcome, right.card_ref)


async def test_killed_between_count_and_answer(
    bench: JudgeBench,
    card: Card,
    double: Callable[[str], tuple[JudgeClient, Child]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A judge killed at the comparison comes back, has burned the try, and says so."""
    client, child = double("dies")
    async with _running(client):
        asked = await _attempt(client, bench, card, RIGHT_PIN)
        with pytest.raises(AdapterError):
            await client.judge(asked)
        await asyncio.wait_for(child.running.wait(), RESTART_WAIT_S_MAX)
        burned = await client.judge(asked)
        events = await client.collect_events()
        right = await client.judge(await _attempt(client, bench, card, RIGHT_PIN))

    assert (VerdictOutcome.BURNED, 2) == (burned.outcome, burned.tries_left)
    assert ["card.try_burned"] == [event.name.value for event in events]
    assert (VerdictOutcome.RIGHT, 3) == (right.outcome, right.tries_left)
    assert ("", "") == capfd.readouterr()


async def test_bug_shows_its_name_only(
    bench: JudgeBench,
    card: Card,
    double: Callable[[str], tuple[JudgeClient, Child]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """An exception whose text holds a PIN leaves its class name on standard error, no more."""
    client, child = double("breaks")
    async with _running(client):
        asked = await _attempt(client, bench, card, RIGHT_PIN)
        with pytest.raises(AdapterError) as failed:
            await client.judge(asked)
        await asyncio.wait_for(child.running.wait(), RESTART_WAIT_S_MAX)

    assert ("", "pin judge: stopped by ValueError\n") == capfd.readouterr()
    assert RIGHT_PIN.decode() not in str(failed.value)


def test_store_that_refuses_is_named() -> None:
    """Whoever reads why the judge stopped knows which disk to look at."""
    refused = sqlite3.OperationalError("what a statement said")
    refused.sqlite_errorname = "SQLITE_FULL"

    said = _why(ExceptionGroup("of tasks", [refused]), Path("city/pin-judge.db"))

    assert said.startswith("city/pin-judge.db cannot be read or written (SQLITE_FULL)")
    assert "what a statement said" not in said


async def test_verdict_about_something_else(
    bench: JudgeBench, card: Card, double: Callable[[str], tuple[JudgeClient, Child]]
) -> None:
    """A verdict that the judge did sign, but for another attempt, is not taken."""
    client, _ = double("repeats")
    async with _running(client):
        await client.judge(await _attempt(client, bench, card, RIGHT_PIN))
        asked = await _attempt(client, bench, card, WRONG_PIN)
        with pytest.raises(AdapterError, match="another attempt"):
            await client.judge(asked)


async def test_judge_that_hangs(
    bench: JudgeBench, card: Card, double: Callable[[str], tuple[JudgeClient, Child]]
) -> None:
    """A judge that does not answer in time is as good as none."""
    client, _ = double("hangs")
    async with _running(client):
        asked = await _attempt(client, bench, card, RIGHT_PIN)
        client._wait_ms_max = 50
        with pytest.raises(AdapterError):
            await client.judge(asked)


async def test_verdict_of_another_judge(bench: JudgeBench, card: Card, city_keys: Path) -> None:
    """A verdict under another key than the city announced is not taken."""
    client = JudgeClient.of_city(store=bench.path, keys=CityFolder.at(city_keys), city=CITY)
    client._verdict_keys = lambda: [card.key.public_key]
    async with _running(client):
        asked = await _attempt(client, bench, card, RIGHT_PIN)
        with pytest.raises(AdapterError, match="signature"):
            await client.judge(asked)


async def test_process_is_hardened(bench: JudgeBench, card: Card, client: JudgeClient) -> None:
    """The process allows no core file and no look into its memory, and holds no PIN in clear."""
    async with _running(client):
        process = client._child._process
        assert process is not None
        asked = await _attempt(client, bench, card, RIGHT_PIN)
        await client.judge(asked)
        folder = Path("/proc") / str(process.pid)
        limits = (folder / "limits").read_text()
        command = (folder / "cmdline").read_bytes()

        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert ["0", "0"] == core.split()[4:6]
        assert 0 == (folder / "mem").stat().st_uid  # not dumpable: its files are root's
        assert RIGHT_PIN not in command


async def test_start_with_another_citys_keys(
    bench: JudgeBench, city_keys: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The judge says whose keys it was given and does not start."""
    await bench.close()
    client = JudgeClient.of_city(store=bench.path, keys=CityFolder.at(city_keys), city="131016")

    with pytest.raises(AdapterError):
        await client.start()

    assert "holds the keys of 272035, not 131016" in capfd.readouterr().err


async def test_damaged_request(bench: JudgeBench, client: JudgeClient) -> None:
    """Bytes that are no request get a code, and the judge goes on."""
    await bench.close()
    async with _running(client):
        answer = await client._child.ask(b"\xc1", 5_000)

        assert b"\xcd\x03\xe9" in answer  # 1001
        assert () == await client.card_states()


async def test_orphan_ends(bench: JudgeBench, client: JudgeClient) -> None:
    """A judge whose parent has gone ends and lets go of the store."""
    await bench.close()
    await client.start()
    await client.stop()

    await bench.open()

    assert [] == await bench.judge.card_states(None)


async def test_killed_judge_is_replaced(bench: JudgeBench, card: Card, client: JudgeClient) -> None:
    """A killed judge comes back with the same store; challenges that were out are void."""
    async with _running(client):
        asked = await _attempt(client, bench, card, RIGHT_PIN)
        process = client._child._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        with contextlib.suppress(AdapterError):
            await client.card_states()
        await asyncio.wait_for(client._child.running.wait(), RESTART_WAIT_S_MAX)

        assert VerdictOutcome.CHALLENGE_EXPIRED is (await client.judge(asked)).outcome
