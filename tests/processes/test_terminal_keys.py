"""The life of a terminal's keys with real processes: admitted, renewed, revoked."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.town import Town, wait_until

pytestmark = pytest.mark.processes

ALONE = "h001-m1"
FAMILY = "h000-m1"
NEW = "FM-0042"
ISSUANCE_KEYS = (sys.executable, "-m", "keys")


def keys(town: Town, *words: str) -> None:
    """Run ``issuance-keys`` on the city's key folder."""
    command = [*ISSUANCE_KEYS, "terminal", *words, str(town.folder / "keys")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr


def act(town: Town, *words: str) -> str:
    """Have an operator do something that must succeed; return what is said."""
    operator = ("--operator", "mado-1", "--reason", "planned", "--passphrase-stdin")
    done = town.city("terminal", *words, *operator, typed="toyonaka-sample\n")
    assert 0 == done.returncode, done.stderr
    return done.stderr


def certificates(town: Town, terminal: str) -> set[Path]:
    """Return the key certificates that the authority keeps of a terminal."""
    return set((town.folder / "keys" / "authority" / "terminals" / terminal).glob("*.crt"))


def use_keys(town: Town, terminal: str, folder: str) -> None:
    """Let a terminal use the keys in one of its folders."""
    settings = town.folder / "terminals" / terminal / "terminal.toml"
    text = re.sub(r'(?m)^keys = ".*"$', f'keys = "{folder}"', settings.read_text())
    settings.write_text(text)


def settle(town: Town, terminal: str, folder: str) -> int:
    """Open the line with the keys in one folder, and close it; return the exit status."""
    use_keys(town, terminal, folder)
    return town.settle(terminal)


def _refusals(town: Town) -> set[str]:
    return {line["reason"] for line in town.events("line.handshake_refused")}


@pytest.mark.slow
def test_a_terminal_comes_and_changes_its_key_while_the_city_works(town: Town) -> None:
    """Registered and renewed under a running server: it opens with either key, then the new one."""
    town.start()
    place = town.folder / "terminals" / NEW
    keys(town, "create", "--out", str(place / "keys"), NEW)
    (first,) = certificates(town, NEW)
    pattern = (town.folder / "terminals" / "FM-0001" / "terminal.toml").read_text()
    line_id = next(row for row in pattern.splitlines() if row.startswith("line_id"))
    act(town, "register", str(first), "--chain", "FamilyMart", "--store", "駅前", "--in-city")
    (row,) = (r for r in town.terminals_listed() if r["terminal"] == NEW)
    settings = pattern.replace("FM-0001", NEW).replace(line_id, f'line_id = "{row["line"]}"')
    (place / "terminal.toml").write_text(settings)
    assert 0 == settle(town, NEW, "keys")

    keys(town, "renew", "--out", str(place / "new-keys"), NEW)
    (second,) = certificates(town, NEW) - {first}
    assert "for 1 hours" in act(town, "renew", str(second), "--overlap-hours", "1")
    for certified in ("keys", "new-keys"):
        assert 0 == settle(town, NEW, certified)
    assert 0 == town.issue(NEW, ALONE).wait()

    keys(town, "renew", "--out", str(place / "newest-keys"), NEW)
    (third,) = certificates(town, NEW) - {first, second}
    act(town, "renew", str(third), "--overlap-hours", "0")
    assert 0 == settle(town, NEW, "newest-keys")
    use_keys(town, NEW, "new-keys")
    town.issue(NEW, ALONE)
    wait_until(lambda: "peer-refused" in _refusals(town), "the old key is refused")
    assert 0 == town.city("audit", "verify").returncode


@pytest.mark.slow
def test_a_terminal_is_revoked_in_the_middle_of_a_visit(town: Town) -> None:
    """Nothing is issued, the card comes back with a word, and no line opens any more."""
    town.start()
    terminal = town.issue("LW-0001", FAMILY, "--option", "scope=household")
    wait_until(lambda: bool(town.events("issuance.applied")), "the application")
    terminal.process.send_signal(signal.SIGSTOP)
    assert "its line is closed" in act(town, "revoke", "LW-0001")
    (closed,) = town.events("line.closed")
    assert ("LW-0001", "terminal-revoked") == (closed["terminal"], closed["reason"])
    terminal.process.send_signal(signal.SIGCONT)

    assert 3 == terminal.wait(), terminal.said
    assert "LINE_STOPPED" == terminal.result["refusal"]["name"]
    assert any("This terminal is stopped" in line for line in terminal.said)
    assert ["withdrawn"] == [row["state"] for row in town.issuances()]
    assert [] == list(town.paper.glob("*.pdf"))
    again = town.issue("LW-0001", ALONE)
    assert 1 == again.wait()
    assert any("is this terminal admitted?" in line for line in again.said)
    assert 0 == town.issue("7E-0001", ALONE).wait(), "another terminal goes on"
