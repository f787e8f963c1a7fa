"""``init``: the whole folder of a sample city, or nothing."""

import asyncio
import hashlib
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from issuance_server.__main__ import main
from issuance_server.adapters.pin_judge import registration
from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.desk_commands import set_up
from issuance_server.desk_commands.sample_mynumber import mynumber_holders, mynumber_pin
from issuance_server.desk_commands.set_up import card_holders, sample_pin
from issuance_server.sample.residents import sample_households
from issuance_server.sample.stores import sample_terminals
from keys.cards import CardFile, load_card
from keys.city_folder import CityFolder
from keys.city_keys import load_judge_keys, load_server_keys
from keys.jpki_check import CertificateFinding, JpkiCheck
from keys.mynumber_card import MyNumberCard
from keys.operators import Operator
from protocol.errors import KeyManagementError
from protocol.secret import Secret
from protocol.statements import certificate_proof
from tests.commands.desk import PASSPHRASE, Commands


def test_sample_city_is_complete(untouched: Commands) -> None:
    """Keys, cards, terminals, databases, a configuration that is right, and a README with PINs."""
    folder = untouched.folder
    households = sample_households()
    holders = card_holders(households)

    assert (
        "272035" == load_server_keys(folder / "keys").city == load_judge_keys(folder / "keys").city
    )
    certified = mynumber_holders(holders)
    assert {f"{name}.card.json" for name, _ in [*holders, *certified]} == {
        path.name for path in (folder / "cards").iterdir()
    }
    assert {one.terminal_id for one in sample_terminals()} == {
        path.name for path in (folder / "terminals").iterdir()
    }
    for name in set_up.OPERATORS:
        Operator.unlock(folder / f"keys/operators/{name}.key", Secret(PASSPHRASE.encode()))
    readme = (folder / "README.md").read_text(encoding="utf-8")
    for name, holder in holders:
        assert f"| cards/{name}.card.json | {sample_pin(name)} | {holder.name} |" in readme
    for name, holder in certified:
        assert f"| cards/{name}.card.json | {mynumber_pin(name)} | {holder.name} |" in readme
    listed = json.loads(untouched.run("card", "list", "--json").out)
    assert [True] == sorted({f" | {row['card_ref']} |" in readme for row in listed})
    assert all(f" | {holder.resident_id} | card-" in readme for _, holder in holders)
    assert "| h017-m1 | juminhyo, kisaijiko, inkan, kazei, fuhyo | text-too-long | " in readme
    assert PASSPHRASE in readme
    ran = untouched.run("check-config")
    assert (0, "") == (ran.status, ran.err)
    assert "is right: city 272035" in ran.out


def test_terminals_keys_are_those_of_the_list(untouched: Commands) -> None:
    """Each terminal's line and report key are what the city registered."""

    async def listed() -> dict[str, bytes]:
        store = await SqliteStore.open(untouched.database)
        try:
            return {one.terminal: one.line_id for one in await store.terminals(0)}
        finally:
            await store.close()

    for terminal, line_id in asyncio.run(listed()).items():
        settings = untouched.folder / "terminals" / terminal / "terminal.toml"
        assert f'line_id = "{line_id.hex()}"' in settings.read_text(encoding="utf-8")


def test_card_with_a_certificate_is_good(untouched: Commands) -> None:
    """It takes its PIN, and the city's own check finds its certificate good, a year long."""
    name, _ = mynumber_holders(card_holders(sample_households()))[0]
    card = load_card(untouched.folder / "cards" / f"{name}.card.json")
    assert isinstance(card, MyNumberCard)
    assert card.present(Secret(mynumber_pin(name).encode()))
    bound: dict[str, Any] = {
        "challenge": bytes(32),
        "visit_id": bytes(16),
        "attempt": 1,
        "terminal": "7E-0001",
        "city": "272035",
    }
    signature = card.sign(**bound)
    proof = certificate_proof(**bound, certificate=card.certificate)
    check = JpkiCheck(CityFolder.at(untouched.folder / "keys").jpki)

    for later in (timedelta(minutes=1), timedelta(days=365)):
        found = check.check(
            card.certificate,
            signature=signature,
            statement=proof,
            now=datetime.now(UTC) + later,
        )
        assert CertificateFinding.GOOD is found.finding


def test_children_have_no_card(untouched: Commands) -> None:
    """Who is under fifteen on the sample's first day is in the register and has none."""
    names = {name for name, _ in card_holders(sample_households())}

    assert "h000-m3" in names
    assert not names & {"h000-m4", "h000-m5"}
    assert not (untouched.folder / "cards" / "h000-m4.card.json").exists()


def test_cards_and_pins_are_the_same_in_every_sample(untouched: Commands) -> None:
    """They stand in documents, so they never change."""
    card = CardFile.load(untouched.folder / "cards" / "h000-m1.card.json")
    number = hashlib.sha256(b"kofu sample card number h000-m1").digest()[:16]

    assert number == card.number
    assert sample_pin("h000-m1") == sample_pin("h000-m1")
    assert 4 == len(sample_pin("h000-m1"))
    assert len({sample_pin(name) for name, _ in card_holders(sample_households())}) > 100


def test_nobody_else_can_read_the_keys(untouched: Commands) -> None:
    """Folders of keys and of personal data are the owner's."""
    for name in (".", "keys", "data", "cards", "terminals"):
        mode = stat.S_IMODE((untouched.folder / name).stat().st_mode)
        assert 0o700 == mode, name


def test_folder_in_use_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in it is touched; a file is no folder."""
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "letter.txt").write_text("dear")
    (tmp_path / "file").write_text("dear")
    for name in ("used", "file"):
        assert 1 == main(["init", str(tmp_path / name), "--sample", "toyonaka"])
        assert "give a new folder" in capsys.readouterr().err

    assert ["file", "used"] == sorted(path.name for path in tmp_path.iterdir())
    assert ["letter.txt"] == [path.name for path in (tmp_path / "used").iterdir()]


def test_folder_that_one_stands_in_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would be replaced under one's feet; by any of its names."""
    monkeypatch.chdir(tmp_path)
    for name in (".", str(tmp_path)):
        assert 1 == main(["init", name, "--sample", "toyonaka"])
        assert "the folder that you are in" in capsys.readouterr().err

    assert tmp_path.is_dir()


def test_empty_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever made the folder beforehand meant it."""
    monkeypatch.setattr(set_up, "_fill", lambda made, _port: (made / "filled").touch())
    (tmp_path / "city").mkdir()

    assert 0 == main(["init", str(tmp_path / "city"), "--sample", "toyonaka"])
    assert ["filled"] == [path.name for path in (tmp_path / "city").iterdir()]


@pytest.mark.parametrize("fault", [KeyManagementError("no"), OSError(28, "No space left")])
def test_failure_on_the_way_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: Exception,
) -> None:
    """Keys were made, cards were being registered: the folder is not there, not even in part."""

    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(registration, "card_row", fail)
    assert 1 == main(["init", str(tmp_path / "city"), "--sample", "toyonaka"])

    assert [] == list(tmp_path.iterdir())
    assert "issuance-server: " in capsys.readouterr().err


def test_port_is_written_for_both_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Server and terminals find the same broker."""
    holders = card_holders(sample_households())
    cards = [(f"card-{name}", holder.resident_id) for name, holder in holders]
    certified = [
        (f"card-{name}", holder.resident_id, name) for name, holder in mynumber_holders(holders)
    ]
    monkeypatch.setattr(set_up, "_make_cards", lambda *_: cards)  # real ones take seconds
    monkeypatch.setattr(set_up, "make_mynumber_cards", lambda *_: certified)
    arguments = ["init", str(tmp_path / "city"), "--sample", "toyonaka", "--broker-port", "18999"]
    assert 0 == main(arguments)

    settings = [tmp_path / "city/server.toml", *tmp_path.glob("city/terminals/*/terminal.toml")]
    assert len(settings) > 5
    assert all("port = 18999" in path.read_text(encoding="utf-8") for path in settings)
