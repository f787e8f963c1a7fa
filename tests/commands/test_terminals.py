"""``terminal list | register | renew | revoke``: the list of terminals in an operator's hands."""

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keys.terminal_keys import create_terminal_keys, renew_terminal_keys
from tests.commands.desk import Commands, Ran

NEW = "FM-0042"
OLD = "7E-0001"
PLACE = ("--chain", "FamilyMart", "--store", "豊中駅前店")


def made(commands: Commands, terminal: str) -> Path:
    """Have a terminal certified as ``issuance-keys terminal create`` does; return the kept file."""
    keys, out = commands.folder / "keys", commands.folder / f"given-{terminal}"
    create_terminal_keys(keys, terminal, out, secrets.token_bytes(8), datetime.now(UTC))
    (kept,) = (keys / "authority" / "terminals" / terminal).glob("*.crt")
    return kept


def renewed(commands: Commands, terminal: str) -> Path:
    """Have a new key certified as ``issuance-keys terminal renew`` does; return the kept file."""
    keys, out = commands.folder / "keys", commands.folder / f"given-again-{terminal}"
    line = renew_terminal_keys(keys, terminal, out, datetime.now(UTC)).line
    return keys / "authority" / "terminals" / terminal / f"{line.fingerprint.hex()}.crt"


def rows(commands: Commands) -> dict[str, Any]:
    """Return what ``terminal list --json`` says, by terminal."""
    ran = commands.run("terminal", "list", "--json")
    assert (0, "") == (ran.status, ran.err)
    return {row["terminal"]: row for row in json.loads(ran.out)}


def refused(ran: Ran, text: str) -> None:
    """A refusal is one sentence on standard error and exit status 1."""
    assert (1, "") == (ran.status, ran.out)
    assert text in ran.err
    assert ran.err.startswith("issuance-server: ")
    assert 1 == ran.err.count("\n")


def test_list_shows_each_terminal_with_its_key(untouched: Commands) -> None:
    """A table for people, with short fingerprints; everything for programs."""
    ran = untouched.run("terminal", "list")
    head, *lines = ran.out.splitlines()
    listed = rows(untouched)

    assert head.split("  ")[0] == "terminal"
    assert len(lines) == len(listed)
    row = listed[OLD]
    (certificate,) = row["certificates"]
    assert ("allowed", "accepted") == (row["state"], certificate["state"])
    assert 64 == len(certificate["fingerprint"])
    (line,) = (line for line in lines if line.startswith(OLD))
    for word in (row["line"], "allowed", certificate["fingerprint"][:16], row["store"]):
        assert word in line


@pytest.mark.processes
def test_terminal_comes_changes_its_key_and_goes(commands: Commands) -> None:
    """With a running server: registered, renewed, revoked; each told, and all of it on record."""
    certificate = made(commands, NEW)
    with commands.served() as log:
        ran = commands.act("terminal", "register", str(certificate), *PLACE, "--in-city")
        assert Ran(0, "", f"{NEW} is registered and may open its line\n") == ran
        row = rows(commands)[NEW]
        assert ("allowed", "FamilyMart", "豊中駅前店", True) == (
            row["state"],
            row["chain"],
            row["store"],
            row["in_city"],
        )
        new = renewed(commands, NEW)
        ran = commands.act("terminal", "renew", str(new), "--overlap-hours", "2")
        assert (0, "") == (ran.status, ran.out)
        assert "the older ones are accepted for 2 hours" in ran.err
        latest, first = rows(commands)[NEW]["certificates"]
        assert ("accepted", "accepted") == (latest["state"], first["state"])
        assert first["until_ms"] < latest["until_ms"]
        ran = commands.act("terminal", "revoke", NEW)
        assert (0, "") == (ran.status, ran.out)
        assert "is revoked: its line is closed" in ran.err
        assert "revoked" == rows(commands)[NEW]["state"]
        events = [json.loads(line)["event"] for line in log.getvalue().splitlines()]

    assert [
        *("terminal.registered", "control.act_done"),
        *("terminal.renewed", "control.act_done"),
        *("terminal.revoked", "control.act_done"),
    ] == events
    assert "holds: 10 records" in commands.run("audit", "verify").out


def test_list_changes_without_a_server(commands: Commands) -> None:
    """The command holds the city's lock meanwhile; the PIN judge is not started for it."""
    certificate = made(commands, NEW)
    assert 0 == commands.act("terminal", "register", str(certificate), *PLACE).status
    assert not rows(commands)[NEW]["in_city"]
    assert 0 == commands.act("terminal", "revoke", OLD).status

    assert "revoked" == rows(commands)[OLD]["state"]
    assert "holds: 7 records, 3 signed checkpoints" in commands.run("audit", "verify").out
    refused(commands.act("terminal", "revoke", OLD), "that is for ever")
    refused(commands.act("terminal", "register", str(certificate), *PLACE), "registered already")


def test_file_that_is_no_certificate_is_refused(commands: Commands, tmp_path: Path) -> None:
    """Missing, a key, too long, of a server; and an overlap out of range."""
    refused(
        commands.act("terminal", "register", str(tmp_path / "none"), *PLACE),
        "none cannot be read: No such file",
    )
    made(commands, NEW)
    key = commands.folder / f"given-{NEW}" / "terminal.key"
    refused(commands.act("terminal", "renew", str(key)), "holds no certificate")
    (tmp_path / "long").write_bytes(bytes(10_000))
    refused(commands.act("terminal", "renew", str(tmp_path / "long")), "too long")
    certificate = certificate_of(commands)
    for hours in ("-1", "745"):
        ran = commands.act("terminal", "renew", certificate, "--overlap-hours", hours)
        refused(ran, "--overlap-hours goes from 0 to 744")
    long = ("--chain", "x" * 65, "--store", "y")
    refused(
        commands.act("terminal", "register", certificate, *long),
        "--chain has 1 to 64 characters",
    )


def certificate_of(commands: Commands) -> str:
    """Return one of the certificate files of the new terminal."""
    return str(next((commands.folder / "keys/authority/terminals" / NEW).glob("*.crt")))


def test_reason_is_asked_for(untouched: Commands, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody revokes a terminal without saying why."""
    with pytest.raises(SystemExit) as ended:
        untouched.run("terminal", "revoke", OLD, "--operator", "mado-1")

    assert 2 == ended.value.code
    assert "--reason" in capsys.readouterr().err
