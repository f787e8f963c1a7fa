"""Terminals are witnesses: a city whose database was put back, or that wrote it anew, is found."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from issuance_server.demo.stage import TERMINAL_SIM
from tests.processes.town import Town

pytestmark = pytest.mark.processes

ONE, OTHER = "LW-0001", "7E-0001"
ALONE = "h001-m1"


def witness(town: Town, terminal: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run ``terminal-sim witness``."""
    place = town.folder / "terminals" / terminal / "terminal.toml"
    command = [*TERMINAL_SIM, "witness", "--terminal", str(place), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def kept(town: Town, terminal: str) -> dict[str, Any]:
    """Return what a terminal keeps."""
    return json.loads(witness(town, terminal, "--json").stdout)


def verified(town: Town, file: Path) -> "subprocess.CompletedProcess[str]":
    """Let the city hold its record against a witness."""
    return town.city("audit", "verify", "--witness", str(file))


def test_a_city_that_was_put_back_is_found_by_its_terminals(town: Town, tmp_path: Path) -> None:
    """By one at its next opening, by another though the record has grown beyond what it saw."""
    data, earlier = town.folder / "data", tmp_path / "earlier"
    files = {terminal: tmp_path / f"{terminal}.json" for terminal in (ONE, OTHER)}
    town.start()
    assert 0 == town.settle(ONE)
    town.end()
    shutil.copytree(data, earlier)
    town.start()
    assert 0 == town.issue(OTHER, ALONE).wait()
    assert 0 == town.settle(ONE)
    for terminal, file in files.items():
        assert 0 == witness(town, terminal, "--out", str(file)).returncode
        assert 0 == verified(town, file).returncode
    town.end()
    shutil.rmtree(data)
    shutil.copytree(earlier, data)

    town.start()
    doubting = town.issue(ONE, ALONE)
    assert 1 == doubting.wait()
    assert "put-back" == kept(town, ONE)["doubt"]
    assert any("put back to an earlier state" in line for line in doubting.said)
    assert [] == [row for row in town.issuances() if row["terminal"] == ONE]
    assert "a witness saw" in verified(town, files[ONE]).stderr
    assert 1 == town.settle(ONE), "it stays so"
    assert 1 == witness(town, ONE, "--out", str(tmp_path / "again.json")).returncode
    assert files[ONE].read_bytes() == (tmp_path / "again.json").read_bytes()

    assert 0 == witness(town, ONE, "--dismiss", "restored from the backup").returncode
    while kept(town, ONE)["kept"]["size"] <= kept(town, OTHER)["kept"]["size"]:
        assert 0 == town.issue(ONE, ALONE).wait()
    assert 1 == town.settle(OTHER)
    assert "rewritten" == kept(town, OTHER)["doubt"]
    assert 1 == verified(town, files[OTHER]).returncode
    assert 0 == town.settle(ONE)
