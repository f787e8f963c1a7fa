"""``issuance-server status``, ``issuance stop`` and ``reopen``: what operators type and see."""

import json
from typing import Any

from issuance_server.control import wire
from issuance_server.core import records as r
from issuance_server.desk_commands import status
from tests.commands.desk import Commands
from tests.commands.test_days import TERMINAL, write

SERVES_NOT = "no server runs"


def shown(commands: Commands) -> Any:
    """Return what ``status`` says to a program."""
    return json.loads(commands.run("status", "--json").out)


def test_issuing_is_stopped_by_one_and_reopened_by_two(commands: Commands) -> None:
    """Whoever sees something wrong must not look for a colleague first; going on takes two."""
    stopped = commands.act("issuance", "stop")
    assert (0, "issuing is stopped; two operators reopen it: issuance reopen\n") == (
        stopped.status,
        stopped.err,
    )
    told = commands.run("status")
    assert 1 == told.status
    assert "issuing is stopped: by mado-1 (came to the counter) since" in told.out
    again = commands.act("issuance", "stop")
    assert (1, True) == (again.status, "is stopped already" in again.err)

    alone = commands.act("issuance", "reopen", "--second-operator", "mado-1")
    assert 0 != alone.status
    assert shown(commands)["status"]["stopped"] is not None
    reopened = commands.act_of_two("issuance", "reopen")
    assert (0, "issuing goes on\n") == (reopened.status, reopened.err)
    assert [SERVES_NOT] == shown(commands)["why_not"]
    twice = commands.act_of_two("issuance", "reopen")
    assert (1, True) == (twice.status, "issuing is not stopped" in twice.err)


def test_every_reason_is_told_with_its_way_out(commands: Commands) -> None:
    """The gate, two terminals: what was found, and where."""
    found = r.IssuingStopped(
        at_ms=1, reason=r.StopReason.SERVER_GATE, fault="number-missing", issuance_id=b"i" * 16
    )
    write(commands, [found])
    assert f"own gate found number-missing at {'69' * 16} since" in commands.run("status").out
    write(
        commands,
        [
            r.IssuingReopened(at_ms=2, operators=("mado-1", "mado-2")),
            r.IssuingStopped(
                at_ms=3,
                reason=r.StopReason.MISMATCH_REPORTS,
                fault="binding-mismatch",
                terminals=(TERMINAL, "LW-0001"),
            ),
        ],
    )

    told = commands.run("status").out
    assert f"{TERMINAL} and LW-0001 reported a mismatch since" in told
    assert "two operators: issuance reopen" in told


def test_a_running_server_tells_what_it_cannot_keep() -> None:
    """Each kind of evidence has a sentence that names the way out."""
    live = wire.Live(
        draining=True, evidence_lost=tuple(one.value for one in r.Evidence), open_issuances=3
    )
    rows = status._rows(wire.Status(live=live, stopped=None, declared=None))

    assert 1 + len(r.Evidence) == len(rows)
    assert ("evidence is not kept: log", status._WAYS_OUT["log"]) in rows
    assert {one.value for one in r.Evidence} == set(status._WAYS_OUT)
    quiet = wire.Live(draining=False, evidence_lost=(), open_issuances=3)
    assert [] == status._rows(wire.Status(live=quiet, stopped=None, declared=None))
