"""A city with a journal of some length, served, so that commands reach it as in service."""

import asyncio
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.desk_commands.set_up import init
from tests.audit.tampering import Tampered
from tests.commands.desk import Commands
from tests.core.made import line_closed

RECORDS = 60
BETWEEN_CHECKPOINTS_MAX = 5


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample city, made once, with its journal."""
    folder = tmp_path_factory.mktemp("sample") / "city"
    init(folder, sample="toyonaka")
    return folder


@pytest.fixture
def journaled(
    sample: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Commands:
    """A city whose journal has sixty records, signed after every few."""
    folder = tmp_path / "city"
    shutil.copytree(sample, folder, ignore=shutil.ignore_patterns("cards", "terminals"))
    commands = Commands(folder, capsys, monkeypatch)
    asyncio.run(_write(commands, random.Random(1)))
    return commands


@pytest.fixture
def tampered(journaled: Commands, tmp_path: Path) -> Iterator[Tampered]:
    """The same, with somebody at its database while it is served, and a witness outside."""
    witness = tmp_path / "witness.json"
    assert 0 == journaled.run("audit", "checkpoint", "--out", str(witness)).status
    with journaled.served():
        yield Tampered(journaled, witness)


async def _write(commands: Commands, drawn: random.Random) -> None:
    city = commands.city()
    store = await SqliteStore.open(commands.database)
    signed_at = 1
    for number in range(2, RECORDS + 1):
        async with store.transaction() as transaction:
            transaction.write(line_closed(number, f"T-{number}"))
        if number == RECORDS or number - signed_at >= drawn.randint(1, BETWEEN_CHECKPOINTS_MAX):
            sign = city.keys.checkpoint.sign
            await store.sign_tree(city=city.config.city.code, at_ms=number, sign=sign)
            signed_at = number
    await store.close()
