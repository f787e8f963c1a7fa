"""The control socket: answers, refusals, long paths, and what a dead server leaves."""

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from issuance_server.adapters import frames
from issuance_server.adapters.control_socket import ask_control, serve_control
from protocol.errors import AdapterError, KeyManagementError

UNIX_PATH_BYTES_MAX = 107


async def answer(request: bytes) -> bytes:
    """Answer as a desk might."""
    if request == b"refuse":
        raise KeyManagementError("this operator is not known here")
    if request == b"too much":
        return bytes(frames.FRAME_BYTES_MAX)
    return b"answer to " + request


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """In a folder that is not there yet."""
    return tmp_path / "run" / "control.sock"


@pytest.fixture
async def served(path: Path) -> AsyncIterator[Path]:
    """A socket that is served."""
    async with serve_control(path, answer):
        yield path


async def test_request_is_answered(served: Path) -> None:
    """One after the other and many at once."""
    asked = [b"%d" % number for number in range(40)]
    answers = await asyncio.gather(*(ask_control(served, one) for one in asked))

    assert [b"answer to " + one for one in asked] == answers


async def test_refusal_keeps_its_sentence(served: Path) -> None:
    """The text goes to the command, and the server serves on."""
    with pytest.raises(AdapterError, match="this operator is not known here"):
        await ask_control(served, b"refuse")
    with pytest.raises(AdapterError, match="too long"):
        await ask_control(served, b"too much")

    assert b"answer to more" == await ask_control(served, b"more")


async def test_only_the_owner_may_connect(served: Path) -> None:
    """The socket is the owner's, and so is the folder that was made for it."""
    assert 0o600 == _mode(served)
    assert 0o700 == _mode(served.parent)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_path_may_be_longer_than_the_kernel_takes(tmp_path: Path) -> None:
    """More than 107 bytes: reached through the folder's descriptor, by both sides."""
    path = tmp_path.joinpath(*["a folder with a long name"] * 6) / "control.sock"
    assert len(os.fsencode(path)) > UNIX_PATH_BYTES_MAX + 1
    assert await ask_control(path, b"nobody") is None
    async with serve_control(path, answer):
        assert b"answer to long" == await ask_control(path, b"long")

    assert await ask_control(path, b"gone") is None


async def test_nobody_serves(path: Path) -> None:
    """No folder, no socket, or the socket of a server that was killed: there is no server."""
    assert await ask_control(path, b"no folder") is None
    _leave_a_dead_socket(path)
    assert await ask_control(path, b"dead") is None
    async with serve_control(path, answer):
        assert b"answer to new" == await ask_control(path, b"new")

    assert not _there(path)


def _leave_a_dead_socket(path: Path) -> None:
    path.parent.mkdir()
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()


def _there(path: Path) -> bool:
    return path.exists()


async def test_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """A name that is too long even in its own folder is told with its path."""
    path = tmp_path / ("n" * 120)
    with pytest.raises(AdapterError, match="cannot be made"):
        await serve_control(path, answer).__aenter__()
    with pytest.raises(AdapterError, match="cannot be used"):
        await ask_control(path, b"")


async def test_client_that_talks_nonsense_is_left(served: Path) -> None:
    """Damaged frames close that connection, and nobody else's."""
    reader, writer = await asyncio.open_unix_connection(str(served))
    writer.write(b"\x00\x00\x00\x04nope")
    assert b"" == await reader.read()
    writer.close()

    assert b"answer to others" == await ask_control(served, b"others")


async def test_server_that_says_nothing_is_not_waited_for(path: Path) -> None:
    """A handler that hangs is left after the time that the command allows."""

    async def hang(_request: bytes) -> bytes:
        await asyncio.Event().wait()
        return b""

    async with serve_control(path, hang):
        with pytest.raises(AdapterError, match="did not answer"):
            await ask_control(path, b"anything", wait_ms=20)


async def test_server_that_closes_is_told(path: Path) -> None:
    """It may have done what was asked, so that is an error and not an absence."""
    _make_folder(path)
    server = await asyncio.start_unix_server(_close_at_once, str(path))
    async with server:
        with pytest.raises(AdapterError, match="closed its control socket"):
            await ask_control(path, b"anything")


def _make_folder(path: Path) -> None:
    path.parent.mkdir()


async def _close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await frames.read(reader)
    writer.close()
