"""The server's processes keep to themselves what they have in memory."""

from pathlib import Path

import pytest

from tests.processes import open_server
from tests.processes.town import Town

pytestmark = pytest.mark.processes

CORE = "Max core file size"


def test_processes_leave_no_core_file_and_let_nobody_look_in(town: Town) -> None:
    """Their files in /proc are root's, so a debugger of the same account is refused as well."""
    town.start()
    assert town.server is not None
    children = [town.child_process(module) for module in ("pin_judge", "adapters.renderer")]
    for process in (town.server.process.pid, *children):
        folder = Path(f"/proc/{process}")
        limits = (folder / "limits").read_text().splitlines()
        core = next(line for line in limits if line.startswith(CORE))

        assert ["0", "0"] == core.removeprefix(CORE).split()[:2]
        assert 0 == (folder / "mem").stat().st_uid


def test_open_server_is_the_same_program(capfd: pytest.CaptureFixture[str]) -> None:
    """What tests look into differs in nothing else, and stands outside of the package."""
    with pytest.raises(SystemExit, match="0"):
        open_server.run_open(["--version"])

    assert capfd.readouterr().out.startswith("konbini-kofu")
    assert "issuance_server" not in Path(open_server.command()[1]).parts
