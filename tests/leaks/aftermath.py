"""What real processes leave behind after a day with canaries: every byte that anybody could find.

The day has a certificate for a household, one after a wrong PIN, one whose name cannot be printed
or can, a card that is locked and unlocked, a card that judges its PIN itself, a slip of the finger,
a terminal without power before the release, a server that is killed, a settlement, a log in both
forms, and traces of telegrams and cores on both sides.
"""

import asyncio
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from issuance_server.adapters.control_socket import ask_control
from issuance_server.control import wire
from issuance_server.demo.stage import Server
from tests.leaks import aviary
from tests.leaks.database_pages import rows_outside, without_tables
from tests.leaks.process_memory import memory_of
from tests.processes import open_server
from tests.processes.town import Terminal, Town, wait_until

REGISTER_TABLES = {"household", "resident", "register_record", "register_record_holder"}
"""The copy of the registers: it is what the database is for."""
KNOWN_PLACES = {
    "city/README.md": "lists the sample's cards, PINs and passphrase for who tries the sample",
    "city/cards/": "the cards themselves, with the holder's name as a note",
    "city/jpki/": "the simulated authority, which keeps the certificates that it gave",
    "city/paper/": "the certificates in the trays, which their holders take away",
}
"""Files that hold canaries on purpose, and why; folders end with a slash."""
DIED = 137


@dataclass(slots=True, kw_only=True)
class Aftermath:
    """What was found, by where.

    Attributes:
        files: of the city's folder, the working folder and the folder for temporary files.
        tables: of the city's database without the register: rows, and pages of nobody.
        register: the register's pages; they prove that the scanner would find something.
        said: what all programs wrote on their outputs.
        socket: the control socket's answers.
        carried: topics and messages at the broker.
        memory: of the broker and the server, while they ran.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    tables: dict[str, bytes] = field(default_factory=dict)
    register: dict[str, bytes] = field(default_factory=dict)
    said: dict[str, bytes] = field(default_factory=dict)
    socket: dict[str, bytes] = field(default_factory=dict)
    carried: dict[str, bytes] = field(default_factory=dict)
    memory: dict[str, list[bytes]] = field(default_factory=dict)


def live_through(town: Town, base: Path, left: Aftermath) -> None:
    """Let the day happen.

    Args:
        town: the canaries' city, in the folder ``city`` of ``base``.
        base: everything that the processes write is somewhere in it.
        left: takes what is left behind.
    """
    town.start(*_traces(town, "server"))
    with overheard(town.port, left):
        _visit_all_at_once(town)
        _unlock(town, left)
        pins = (aviary.WRONG_PIN, aviary.pin(aviary.CERTIFIED))
        _ends(town.issue("7E-0001", aviary.CERTIFIED, "--verbose", pins=pins), 0)
        _ends(_visit(town, "LW-0001", aviary.KANJI, "--die-at", "held"), DIED)
        _ask_everything(town, left)
        _look_into_memory(town, left)
        _collect_files(base, left, "with an issuance under way")
    town.kill()
    _take_database_apart(town.folder / "data" / "city.db", base / "scratch", left)
    _collect_files(base, left, "after the kill")
    server = _start_with_readable_log(town)
    with overheard(town.port, left):
        assert town.settle("LW-0001") == 0
        _ends(_visit(town, "7E-0002", aviary.KANJI, *_traces(town, "terminal")), 0)
    assert server.stop() == 0
    _collect_files(base, left, "in the evening")
    for number, terminal in enumerate(town.terminals):
        lines = "\n".join([*terminal.said, terminal.output])
        left.said[f"terminal {number}"] = lines.encode()


def _traces(town: Town, name: str) -> list[str]:
    """Return the options that record both traces."""
    stem = town.folder / "log" / name
    return ["--trace", f"{stem}-lines.trace", "--core-trace", f"{stem}-core.trace"]


def _start_with_readable_log(town: Town) -> Server:
    log_file = town.folder / "log" / "server.txt"
    settings = str(town.folder / "server.toml")
    command = [*open_server.command(), "run", "--config", settings, "--log-format", "console"]
    command += _traces(town, "server")
    with log_file.open("ab") as log:
        process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL)
    town.server = Server(process=process, log_file=log_file)
    wait_until(lambda: "server.started" in log_file.read_text(), "the server has started")
    return town.server


def _visit_all_at_once(town: Town) -> None:
    pin, wrong = aviary.pin, aviary.WRONG_PIN
    household = ("--option", "scope=household", "--option", "items=relationship,domicile")
    visits = [
        _visit(town, "7E-0001", aviary.KANJI, *household, "--verbose"),
        town.issue("7E-0002", aviary.LATIN, "--verbose", pins=(wrong, pin(aviary.LATIN))),
        _visit(town, "LW-0001", aviary.HALF_WIDTH, "--verbose"),
        town.issue("LW-0002", aviary.SECOND, "--verbose", pins=(wrong, wrong, wrong)),
        town.issue("LW-0002", aviary.KANJI, pins=(aviary.SLIP,)),
    ]
    for visit, status in zip(visits, (0, 0, None, 3, 2), strict=True):
        _ends(visit, status)


def _ends(visit: Terminal, status: int | None) -> None:
    """Wait for the end of a visit; its exit status is as given, or may be any."""
    assert visit.wait() == status or status is None, visit.said


def _visit(town: Town, terminal: str, card: str, *options: str) -> Terminal:
    """Begin a visit with the card's right PIN."""
    return town.issue(terminal, card, *options, pins=(aviary.pin(card),))


def _unlock(town: Town, left: Aftermath) -> None:
    listed = _asked(town, left, "card", "list", "--locked", "--json")
    card_ref = json.loads(listed)[0]["card_ref"]
    words = ("card", "unlock", card_ref, "--operator", "mado-1", "--second-operator", "mado-2")
    done = town.city(
        *(*words, "--passphrase-stdin", "--reason", "proof of identity"),
        typed=f"{aviary.PASSPHRASE}\n" * 2,
    )
    assert done.returncode == 0, done.stderr


def _ask_everything(town: Town, left: Aftermath) -> None:
    """Ask as operators do, and once more as a program that speaks with the socket."""
    listed = json.loads(_asked(town, left, "issuance", "list", "--json"))
    ids = [row["issuance"] for row in listed]
    for words in (
        ("issuance", "list"),
        ("issuance", "show", ids[0]),
        ("issuance", "show", ids[0], "--json"),
        ("card", "list"),
        ("audit", "verify"),
    ):
        _asked(town, left, *words)
    requests: list[wire.Request] = [
        wire.ListIssuances(limit=100),
        wire.ListCards(),
        wire.ReadJournal(after=0),
        wire.ReadCheckpoints(after=0),
        *(wire.ShowIssuance(issuance_id=bytes.fromhex(issuance)) for issuance in ids),
    ]
    socket = town.folder / "run" / "control.sock"
    for request in requests:
        answer = asyncio.run(ask_control(socket, wire.encode(request)))
        left.socket[repr(request)] = answer or b""


def _asked(town: Town, left: Aftermath, *words: str) -> str:
    done = town.city(*words)
    assert done.returncode == 0, done.stderr
    left.said[" ".join(words)] = (done.stdout + done.stderr).encode()
    return done.stdout


def _look_into_memory(town: Town, left: Aftermath) -> None:
    assert town.server is not None
    processes = {
        "server": town.server.process.pid,
        "broker": town.child_process("embedded_broker"),
    }
    for name, process in processes.items():
        left.memory[name] = list(memory_of(process))


def _collect_files(base: Path, left: Aftermath, moment: str) -> None:
    """Take every file as it is now, unless it is as it was at the moment before."""
    before = set(left.files.values())
    for path in sorted(base.rglob("*")):
        if path.is_file() and (content := path.read_bytes()) not in before:
            left.files[f"{path.relative_to(base)} {moment}"] = content


def _take_database_apart(database: Path, scratch: Path, left: Aftermath) -> None:
    scratch.mkdir()
    apart = without_tables(database, REGISTER_TABLES, scratch)
    left.tables = {f"{name}, pages": content for name, content in apart.items()}
    rows = rows_outside(scratch / database.name, REGISTER_TABLES)
    left.tables |= {f"table {table}": content for table, content in rows.items()}
    left.register = {"database": database.read_bytes()}
    shutil.rmtree(scratch)


@contextmanager
def overheard(port: int, left: Aftermath) -> Iterator[None]:
    """Listen to everything at the broker while the block runs, as anybody on its host could."""
    heard: list[bytes] = []
    subscribed = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"spy-{os.getpid()}")

    def on_connect(*_: object) -> None:
        client.subscribe([("#", 0), ("$SYS/#", 0)])

    def on_message(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        heard.extend((message.topic.encode(), bytes(message.payload)))

    client.on_connect = on_connect
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        wait_until(subscribed.is_set, "the spy hears everything")
        yield
    finally:
        client.disconnect()
        client.loop_stop()
        left.carried[f"broker {len(left.carried)}"] = b"\n".join(heard)
