"""What strangers send and what operators get wrong, against the running city."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import pytest

from issuance_server.desk_commands.set_up import sample_pin
from keys.authority import Authority
from keys.terminal_keys import load_terminal_keys
from protocol.envelope import HEADER_BYTES
from protocol.limits import ENVELOPE_BYTES_MAX
from protocol.topics import line_topic
from tests.processes.town import Town, wait_until

pytestmark = pytest.mark.processes

ALONE = "h001-m1"
CITY = "272035"
CANARY_PIN = "918273645546"


def _line_id(town: Town, terminal: str) -> bytes:
    return load_terminal_keys(town.folder / "terminals" / terminal / "keys").line_id


def _publish(town: Town, messages: list[tuple[str, bytes]]) -> None:
    async def publish() -> None:
        async with aiomqtt.Client("127.0.0.1", port=town.port) as client:
            for topic, message in messages:
                await client.publish(topic, message, qos=1)

    asyncio.run(publish())


def _dropped(town: Town) -> int:
    return sum(line["count"] for line in town.events("envelope.dropped"))


def test_garbage_on_the_broker_is_dropped_counted_and_changes_nothing(town: Town) -> None:
    """Short, long, unknown and foreign envelopes on a line, and strange topics; then business."""
    town.start()
    line_id = _line_id(town, "7E-0001")
    topic = line_topic(CITY, line_id, "up")
    header = bytes([1, 2, 0, 0]) + bytes(4) + line_id + bytes(8)
    garbage = {
        "empty": b"",
        "short": header[:-1],
        "long": header + bytes(ENVELOPE_BYTES_MAX),
        "version": bytes([9]) + header[1:] + bytes(64),
        "kind": header[:1] + bytes([7]) + header[2:] + bytes(64),
        "keys": header + bytes(64),
        "flight": bytes([1, 1, 0, 0]) + bytes(4) + line_id + bytes(8) + bytes(200),
        "noise": os.urandom(500),
    }
    assert len(header) == HEADER_BYTES
    strangers = line_topic(CITY, b"stranger", "up")

    _publish(town, [(topic, message) for message in garbage.values()])
    _publish(town, [(strangers, header), (topic + "/more", header)])
    wait_until(lambda: _dropped(town) >= len(garbage), "the drops are logged")

    reasons = {line["reason"] for line in town.events("envelope.dropped")}
    assert reasons >= {"envelope", "keys-unknown", "line-unknown"}
    assert town.issue("7E-0001", ALONE).wait() == 0
    assert "Traceback" not in town.log_text


def test_a_recorded_session_played_again_does_nothing(town: Town) -> None:
    """A stranger on the broker records a whole issuance and plays it again, forwards and back."""
    town.start()
    line_id = _line_id(town, "7E-0001")
    topic = line_topic(CITY, line_id, "up")
    recorded: list[tuple[str, bytes]] = []

    async def listen(ready: Callable[[], None], stop: asyncio.Event) -> None:
        async with aiomqtt.Client("127.0.0.1", port=town.port) as client:
            await client.subscribe(topic, qos=1)
            ready()
            async for message in client.messages:
                recorded.append((topic, bytes(message.payload)))
                if stop.is_set():
                    return

    async def record() -> int:
        stop, listening = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(listen(listening.set, stop))
        await listening.wait()
        terminal = town.issue("7E-0001", ALONE)
        status = await asyncio.to_thread(terminal.wait)
        stop.set()
        task.cancel()
        return status

    assert asyncio.run(record()) == 0
    before = (town.issuances(), len(town.events("pin.right")))
    assert len(recorded) > 10

    _publish(town, recorded)
    _publish(town, list(reversed(recorded)))
    wait_until(lambda: _dropped(town) >= len(recorded) // 2, "the drops are logged")

    assert (town.issuances(), len(town.events("pin.right"))) == before
    assert {line["reason"] for line in town.events("envelope.dropped")} <= {
        "replayed",
        "keys-unknown",
        "handshake-unknown",
    }
    assert town.issue("7E-0001", "h005-m1").wait() == 0


def test_a_forged_key_certificate_is_refused_and_logged(town: Town) -> None:
    """Right names, wrong authority: no line, no visit; another terminal goes on."""
    place = town.folder / "terminals" / "7E-0001" / "keys"
    now = datetime.now(UTC)
    forger = Authority.generate(CITY, not_before=now)
    forged = forger.issue_terminal("7E-0001", _line_id(town, "7E-0001"), not_before=now)
    for path in place.glob("terminal.*"):
        path.unlink()
    forged.save(place, "terminal")
    town.start()

    terminal = town.issue("7E-0001", ALONE, "--timeout", "6")

    assert terminal.wait() in {1, 5}
    assert "Traceback" not in "".join(terminal.said)
    refused = town.events("line.handshake_refused")
    assert refused
    assert {line["reason"] for line in refused} <= {
        "handshake",
        "handshake-rate",
        "handshake-unknown",
    }
    assert town.issuances() == []
    assert town.issue("LW-0001", ALONE).wait() == 0


def test_a_second_server_on_the_same_database_is_refused(town: Town) -> None:
    """It names the database, ends with 1, and the first goes on."""
    town.start()

    second = town.city("run")

    assert second.returncode == 1
    assert f"another server works on {town.folder}/data/city.db" in second.stderr
    assert "Traceback" not in second.stderr
    assert town.issue("7E-0001", ALONE).wait() == 0


def test_a_judge_whose_store_was_emptied_is_not_served_with(town: Town) -> None:
    """A new store would refuse every card; the server says what was lost, and ends with 1."""
    store = town.folder / "data" / "pin-judge.db"
    for path in store.parent.glob(f"{store.name}*"):
        path.unlink()

    refused = town.city("run")

    assert refused.returncode == 1
    assert "the PIN judge knows none of the city's cards" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda text: text + "\n[broker2]\nport = 1\n", "broker2"),
        (lambda text: text.replace("port =", "prot ="), "prot"),
        (lambda text: text.replace('code = "272035"', 'code = "27203"'), "city.code"),
        (lambda text: text.replace('code = "272035"', 'code = "131016"'), "131016"),
        (lambda text: text + "\n[[[", "not right"),
    ],
)
def test_a_wrong_configuration_names_the_key(
    town: Town, change: Callable[[str], str], named: str
) -> None:
    """An unknown key, a value out of range, another city's code, no TOML at all."""
    settings = town.folder / "server.toml"
    settings.write_text(change(settings.read_text()))

    for words in (("check-config",), ("run",)):
        done = town.city(*words)

        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
        assert named in done.stderr


def test_a_port_in_use_is_named(town: Town) -> None:
    """The embedded broker cannot listen: one clear sentence and exit 1."""
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", town.port))
        occupied.listen()

        done = town.city("run")

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert str(town.port) in done.stderr


def test_a_pin_typed_wrong_is_nowhere(town: Town) -> None:
    """A long PIN that could not stand anywhere by chance: not in logs, journal, judge or spool."""
    town.start()
    terminal = town.issue("7E-0001", ALONE, "--verbose", pins=(CANARY_PIN, sample_pin(ALONE)))
    assert terminal.wait() == 0
    assert town.server is not None
    town.server.stop()

    canary = CANARY_PIN.encode()
    files = [path for path in town.folder.rglob("*") if path.is_file()]
    assert [str(path) for path in files if canary in path.read_bytes()] == []
    assert CANARY_PIN not in "".join(terminal.said) + terminal.output


def test_the_demonstration_runs_twice_and_ends_well(tmp_path: Path) -> None:
    """``make demo``: every scene as it must be, exit 0, and once more over its own folder."""
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "issuance_server.demo"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "✗" not in done.stdout
    assert len(list((tmp_path / "var" / "demo" / "paper").glob("*.pdf"))) == 7


def test_the_sample_city_stays_up_until_ctrl_c(tmp_path: Path) -> None:
    """``make run``: the printed line works when pasted, and Ctrl-C stops in order."""
    stay = subprocess.Popen(
        [sys.executable, "-P", "-m", "issuance_server.demo", "--stay"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert stay.stdout is not None
    try:
        lines = iter(stay.stdout.readline, "")
        pasted = next(line for line in lines if "terminal-sim" in line or "terminal_sim" in line)
        done = subprocess.run(
            [*pasted.split(), "--json"], cwd=tmp_path, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        assert json.loads(done.stdout)["state"] == "completed"
    finally:
        stay.send_signal(signal.SIGINT)
    said = stay.stdout.read()
    assert stay.wait(60) == 0
    assert "閉局" in said
