"""What terminals are told: signed, numbered, and taken only if it is newer."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from keys import life_cycle
from keys.city_folder import CityFolder
from keys.city_keys import create_city_keys
from keys.distribution import distribute, take_trust
from keys.key_certificate import read_certificate
from keys.key_record import Purpose
from keys.terminal_keys import (
    admitted_terminals,
    create_terminal_keys,
    load_terminal_keys,
    renew_terminal_keys,
)
from keys.trust import TerminalTrust
from protocol.errors import KeyManagementError

NOW = datetime.now(UTC)


@pytest.fixture
def city(city_folder: Path) -> CityFolder:
    """A city with terminal T-0001, whose folder is ``terminal`` beside it."""
    return CityFolder.at(city_folder)


def test_the_number_rises_when_the_content_changes(city: CityFolder, tmp_path: Path) -> None:
    """The same content keeps its number, whenever and wherever it is written."""
    first = distribute(city, tmp_path / "a", NOW)
    same = distribute(city, tmp_path / "b", NOW + timedelta(days=1))
    life_cycle.rotate(city, Purpose.BINDING, now=NOW)
    second = distribute(city, tmp_path / "a", NOW)

    assert (1, first) == (first.serial, same)
    assert (2, second) == (second.serial, TerminalTrust.load(tmp_path / "a"))
    assert second.issued_at.tzinfo is not None


def test_a_terminal_takes_a_newer_one_once(city: CityFolder, tmp_path: Path) -> None:
    """Again it says that it knows it; an older one is refused."""
    old = distribute(city, tmp_path / "old", NOW)
    life_cycle.rotate(city, Purpose.PIN_OPENING, now=NOW)
    new = distribute(city, tmp_path / "new", NOW)
    terminal = tmp_path / "terminal"

    assert old == load_terminal_keys(terminal).trust
    assert (new, True) == take_trust(terminal, tmp_path / "new")
    assert (new, False) == take_trust(terminal, tmp_path / "new")
    assert new == load_terminal_keys(terminal).trust
    with pytest.raises(KeyManagementError, match="number 1, and this terminal knows 2"):
        take_trust(terminal, tmp_path / "old")
    (city.trust / "trust.json").unlink()
    with pytest.raises(KeyManagementError, match="cannot replace"):
        distribute(city, tmp_path / "new", NOW)


def test_another_authority_is_not_believed(city: CityFolder, tmp_path: Path) -> None:
    """Neither one that calls itself the same city's, nor one of another city."""
    for name, code in (("same", "272035"), ("other", "131016")):
        create_city_keys(tmp_path / name, code, NOW)
        forged = CityFolder.at(tmp_path / name)
        life_cycle.rotate(forged, Purpose.BINDING, now=NOW)
        distribute(forged, tmp_path / f"{name}-out", NOW)
    before = TerminalTrust.load(tmp_path / "terminal")

    with pytest.raises(KeyManagementError, match="not signed by the authority"):
        take_trust(tmp_path / "terminal", tmp_path / "same-out")
    with pytest.raises(KeyManagementError, match="of city 131016"):
        take_trust(tmp_path / "terminal", tmp_path / "other-out")
    assert before == TerminalTrust.load(tmp_path / "terminal")


@pytest.mark.parametrize(
    "changes",
    [
        {"serial": 9},
        {"binding_keys": (bytes(32),)},
        {"checkpoint_keys": (bytes(32),)},
        {"pin_sealing_key": bytes(1216)},
        {"signature": bytes(64)},
    ],
)
def test_every_part_is_signed(city: CityFolder, tmp_path: Path, changes: dict[str, object]) -> None:
    """A file in which anything was changed is refused, by the terminal as by its loader."""
    told = distribute(city, tmp_path / "out", NOW)
    msgspec.structs.replace(told, **changes).save(tmp_path / "out")  # type: ignore[arg-type]

    with pytest.raises(KeyManagementError, match="not signed by its authority"):
        take_trust(tmp_path / "terminal", tmp_path / "out")


def test_a_terminal_is_renewed_on_its_line(city: CityFolder, tmp_path: Path) -> None:
    """Another key, the same id and line; the authority keeps both certificates."""
    old = load_terminal_keys(tmp_path / "terminal")
    made = renew_terminal_keys(city.root, "T-0001", tmp_path / "renewed", NOW + timedelta(days=1))

    assert (old.terminal_id, old.line_id) == (made.terminal_id, made.line_id)
    assert old.line.public_key != made.line.public_key
    assert [old.line.certificate_pem, made.line.certificate_pem] == (
        admitted_terminals(city.root)["T-0001"]
    )
    names = [path.stem for path in (city.terminals / "T-0001").iterdir()]
    assert {old.line.fingerprint.hex(), made.line.fingerprint.hex()} == {*names}


def test_a_renewal_that_cannot_be(city: CityFolder, tmp_path: Path) -> None:
    """A terminal that was never admitted, a folder with keys, a second admission: all refused."""
    with pytest.raises(KeyManagementError, match="no terminal T-0002"):
        renew_terminal_keys(city.root, "T-0002", tmp_path / "x", NOW)
    with pytest.raises(KeyManagementError, match="give another folder"):
        renew_terminal_keys(city.root, "T-0001", tmp_path / "terminal", NOW)
    with pytest.raises(KeyManagementError, match="issuance-keys terminal renew"):
        create_terminal_keys(city.root, "T-0001", tmp_path / "y", bytes(8), NOW)
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "y").exists()


def test_a_folder_filled_for_another_city_is_not_finished(city: CityFolder, tmp_path: Path) -> None:
    """Keys of the same terminal id under another authority are not taken for a beginning."""
    create_city_keys(tmp_path / "other", "272035", NOW)
    create_terminal_keys(tmp_path / "other", "T-0002", tmp_path / "t", bytes(8), NOW)

    with pytest.raises(KeyManagementError, match="keys already"):
        create_terminal_keys(city.root, "T-0002", tmp_path / "t", bytes(8), NOW)
    line = load_terminal_keys(tmp_path / "t").line
    authority = TerminalTrust.load(tmp_path / "terminal").authority_certificate
    assert read_certificate(authority) is not None
    assert not line.issued_by(authority)
