"""One process per database."""

import asyncio
import fcntl
import os
import stat
from pathlib import Path

import pytest

from issuance_server.adapters.file_lock import only_one
from protocol.errors import SetUpError


async def test_second_one_is_refused_and_told_why(tmp_path: Path) -> None:
    """The text names the database and the way out; after the first one the way is free."""
    path = tmp_path / "city.db"
    async with only_one(path):
        with pytest.raises(SetUpError, match=r"city\.db; stop it first"):
            await only_one(path, wait_ms=0).__aenter__()
    async with only_one(path, wait_ms=0):
        assert 0o600 == stat.S_IMODE(os.stat(f"{path}.lock").st_mode)  # noqa: PTH116  # not awaited


async def test_lock_is_on_the_open_file_not_on_its_name(tmp_path: Path) -> None:
    """A killed process leaves the file, and no lock: it goes with the process."""
    path = tmp_path / "city.db"
    async with only_one(path):
        pass
    other = os.open(f"{path}.lock", os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with pytest.raises(SetUpError):
        await only_one(path, wait_ms=0).__aenter__()
    os.close(other)
    async with only_one(path, wait_ms=0):
        pass


async def test_successor_waits_for_its_predecessor(tmp_path: Path) -> None:
    """A server that is just ending is waited for."""
    path = tmp_path / "city.db"
    entered = asyncio.Event()

    async def succeed() -> None:
        async with only_one(path):
            entered.set()

    async with only_one(path):
        successor = asyncio.create_task(succeed())
        await asyncio.sleep(0)
        assert not entered.is_set()
    await successor

    assert entered.is_set()


async def test_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A wrong path in the configuration is told in words."""
    with pytest.raises(SetUpError, match=r"none/city\.db cannot be locked: No such file"):
        await only_one(tmp_path / "none" / "city.db").__aenter__()
