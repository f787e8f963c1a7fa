"""All keys are changed while the city runs, with the real programs and the real clock."""

import subprocess
from pathlib import Path

import pytest

from issuance_server.demo.stage import TERMINAL_SIM, program
from keys.city_folder import CityFolder
from keys.key_record import Purpose
from keys.pepper_use import cards_under
from tests.processes.town import Town

pytestmark = [pytest.mark.processes, pytest.mark.slow]

ISSUANCE_KEYS = program("issuance-keys", "keys")
ALONE = "h001-m1"


def ran(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr


def test_nobody_at_a_terminal_notices_that_keys_change(town: Town, tmp_path: Path) -> None:
    """Told or not yet told, before and after a restart; then the old keys are destroyed."""
    keys, told = town.folder / "keys", str(tmp_path / "told")
    terminals = str(town.folder / "terminals")
    town.start()
    assert town.issue("7E-0001", ALONE).wait() == 0
    for purpose in ("checkpoint", "pin-opening", "verdict", "pepper", "server", "binding"):
        ran(*ISSUANCE_KEYS, "rotate", purpose, str(keys))
    ran(*ISSUANCE_KEYS, "distribute", str(keys), "--out", told)
    for terminal in ("7E-0001", "LW-0001"):
        ran(
            *TERMINAL_SIM, "trust", "--terminal", terminal, "--terminals", terminals, "--from", told
        )
    for purpose in ("binding", "checkpoint"):
        ran(*ISSUANCE_KEYS, "activate", purpose, str(keys))

    assert town.issue("7E-0001", ALONE).wait() == 0
    town.end()
    town.start()
    assert town.issue("LW-0001", ALONE).wait() == 0
    old = {
        p: CityFolder.at(keys).records(p)[0].key_id for p in (Purpose.PEPPER, Purpose.CHECKPOINT)
    }
    assert cards_under(town.folder / "data" / "pin-judge.db", old[Purpose.PEPPER]) > 0
    for purpose in ("checkpoint", "pin-opening", "verdict"):
        ran(*ISSUANCE_KEYS, "revoke", purpose, str(keys))
    ran(*ISSUANCE_KEYS, "destroy", old[Purpose.CHECKPOINT], str(keys))
    verified = town.city("audit", "verify")
    assert 0 == verified.returncode, verified.stderr
    assert town.issue("7E-0001", ALONE).wait() == 0, "under the new pepper"
