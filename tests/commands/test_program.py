"""The program as a whole: exit statuses, sentences instead of tracebacks, readers that leave."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from issuance_server import config
from issuance_server.__main__ import COMMANDS, main
from issuance_server.adapters.file_lock import only_one
from tests.commands.desk import Commands


def test_explanation_has_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each, without a city at hand."""
    assert 0 == main(["check-config", "--explain"])
    lines = capsys.readouterr().out.splitlines()

    assert [key for key, _, _ in config.explanations()] == [line.split()[0] for line in lines[1:]]


@pytest.mark.parametrize(
    "arguments",
    [[], ["no-such-command"], ["init", "there"], ["issuance", "list", "--limit", "many"]],
)
def test_wrong_usage_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As argparse has it, with the usage on standard error."""
    with pytest.raises(SystemExit) as left:
        main(arguments)

    assert 2 == left.value.code
    assert "usage:" in capsys.readouterr().err


def add(city: Path, text: str) -> None:
    """Add to a city's configuration."""
    with (city / "server.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda city: (city / "server.toml").unlink(), "server.toml cannot be read"),
        (lambda city: (city / "server.toml").write_text("[city]\n"), "is not right"),
        (lambda city: (city / "data/city.db").unlink(), "issuance-server init"),
        (lambda city: (city / "data").rename(city / "elsewhere"), "cannot be locked"),
        (lambda city: (city / "keys").rename(city / "elsewhere"), "keys"),
        (lambda city: (city / "data/city.db").write_bytes(b"x" * 999), "cannot be opened"),
        (
            lambda city: add(city, '[rendering]\nfonts = ["gone.ttf"]'),
            "gone.ttf of rendering.fonts",
        ),
    ],
    ids=[
        *("no config", "half config", "no database", "no folder", "no keys", "no such database"),
        "no font",
    ],
)
def test_what_is_missing_is_told_in_one_sentence(
    commands: Commands, spoil: object, told: str
) -> None:
    """Never a traceback; the text names the file."""
    assert callable(spoil)
    spoil(commands.folder)
    ran = commands.run("issuance", "list")

    assert 1 == ran.status
    assert told in ran.err
    assert 1 == len(ran.err.splitlines())


def test_key_that_others_can_read_is_refused(commands: Commands) -> None:
    """With the command that helps."""
    key = next(commands.folder.glob("keys/server/server-*.key"))
    key.chmod(0o644)
    ran = commands.run("check-config")

    assert 1 == ran.status
    assert "chmod 600" in ran.err


def test_lock_of_another_process_is_told(commands: Commands) -> None:
    """A server that is starting or hanging answers no socket, and holds the lock."""

    async def locked() -> object:
        async with only_one(commands.database):
            return await asyncio.to_thread(commands.run, "issuance", "list")

    ran = asyncio.run(locked())
    assert "another server works on" in getattr(ran, "err", "")
    assert 1 == getattr(ran, "status", 0)


def test_interrupted_command_ends_quietly(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at a prompt is no error of the program."""

    def interrupt(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(config, "load", interrupt)
    ran = commands.run("issuance", "list")

    assert (130, "", "") == (ran.status, ran.out, ran.err)


def test_reader_that_leaves_is_no_error() -> None:
    """As with ``| head -1``: exit status 0, and nothing on standard error."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    ran = subprocess.run(
        [sys.executable, "-m", "issuance_server", "check-config", "--explain"],
        stdout=write_end,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write_end)

    assert (0, b"") == (ran.returncode, ran.stderr)


def test_the_explanation_is_there_for_programs_too(commands: Commands) -> None:
    """``check-config --explain --json`` lists what the table shows."""
    ran = commands.run("check-config", "--explain", "--json")

    rows = json.loads(ran.out)
    assert {"key", "default", "meaning"} == rows[0].keys()
    assert "18830" == next(row["default"] for row in rows if row["key"] == "broker.port")


def test_each_command_loads_only_its_own_module(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command of the list is there when it is named, and the list has no other."""
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = capsys.readouterr().out
    for name in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert 0 == ended.value.code
        assert f"usage: issuance-server {name}" in capsys.readouterr().out
    shown = re.findall(r"(?m)^    ([a-z-]+)(?:$| )", listed.partition("COMMAND\n")[2])
    assert list(COMMANDS) == shown
