"""A city's folder of keys: made whole, loaded by those who hold each part, enough for a line."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys.authority import Authority
from keys.city_folder import CityFolder
from keys.city_keys import (
    create_city_keys,
    load_back_secrets,
    load_code_key,
    load_judge_keys,
    load_server_keys,
)
from keys.key_record import Purpose
from keys.life_cycle import destroy, revoke, rotate
from keys.line_tls import LineTls
from keys.pin_sealing import PinSealer
from keys.terminal_keys import admitted_terminals, create_terminal_keys, load_terminal_keys
from keys.trust import CityTrust, TerminalTrust
from protocol.errors import KeyManagementError
from protocol.handshake_port import Role
from protocol.secret import Secret

CITY = "272035"


def test_what_was_made_is_enough_for_a_line(city_folder: Path, tmp_path: Path) -> None:
    """Server and terminal, each from its own folder, shake hands and know each other."""
    server_keys, terminal_keys = (
        load_server_keys(city_folder),
        load_terminal_keys(tmp_path / "terminal"),
    )
    server = LineTls(Role.SERVER, server_keys.line, server_keys.trust.authority_certificate).start()
    terminal = LineTls(
        Role.TERMINAL,
        terminal_keys.line,
        terminal_keys.trust.authority_certificate,
        expected_city=terminal_keys.trust.city,
    ).start()
    server.step(terminal.step(server.step(terminal.step(b""))))

    assert terminal.export(b"") == server.export(b"")
    assert ("T-0001", bytes(range(8))) == (server.peer().name, server.peer().line_id)
    assert ("T-0001", bytes(range(8))) == (terminal_keys.terminal_id, terminal_keys.line_id)
    assert terminal_keys.line.public_key == terminal_keys.report_key.public_key
    assert CITY == server_keys.city == terminal.peer().name


def test_a_terminal_seals_to_the_judge(city_folder: Path, tmp_path: Path) -> None:
    """A PIN sealed with what the terminal was told opens with what the judge holds."""
    trust, judge = TerminalTrust.load(tmp_path / "terminal"), load_judge_keys(city_folder)
    block = PinSealer(trust.pin_sealing_key).seal(Secret(b"1234"), b"info")

    assert Secret(b"1234") == judge.pin_opener.open(block, b"info")
    assert CITY == judge.city
    assert 32 == len(judge.peppers.newest().secret)


def test_what_is_announced_is_what_is_held(city_folder: Path, tmp_path: Path) -> None:
    """The public keys in the trust are those of the private keys, and a terminal is told them."""
    server, judge = load_server_keys(city_folder), load_judge_keys(city_folder)
    told = TerminalTrust.load(tmp_path / "terminal")

    assert server.trust.newest(Purpose.BINDING) == server.binding.public_key
    assert server.trust.newest(Purpose.CHECKPOINT) == server.checkpoint.public_key
    assert server.trust.newest(Purpose.VERDICT) == judge.verdict.public_key
    assert server.trust == judge.trust
    assert ((server.binding.public_key,), (server.checkpoint.public_key,)) == (
        told.binding_keys,
        told.checkpoint_keys,
    )
    assert told.pin_sealing_key == judge.pin_opener.public_key


def test_the_code_key_is_announced_and_counts_until_it_is_revoked(city_folder: Path) -> None:
    """Whoever verifies sheets knows the key that signs them, and forgets it when it is revoked."""
    code = load_code_key(city_folder)
    first = code.public_key
    city = CityFolder.at(city_folder)

    assert (first,) == CityTrust.load(city.trust).code_keys()
    rotate(city, Purpose.CODE, now=datetime.now(UTC) + timedelta(hours=1))
    second = load_code_key(city_folder).public_key
    assert (first, second) == CityTrust.load(city.trust).code_keys()
    revoke(city, Purpose.CODE, now=datetime.now(UTC) + timedelta(hours=2))
    assert (second,) == CityTrust.load(city.trust).code_keys()


def test_a_secret_of_backs_reads_them_until_it_is_revoked(city_folder: Path) -> None:
    """The new one takes over at once; the old one stays good without end, and is not destroyed."""
    (first,) = load_back_secrets(city_folder).accepted()
    city, now = CityFolder.at(city_folder), datetime.now(UTC)
    rotate(city, Purpose.BACK, now=now)
    held = load_back_secrets(city_folder)

    assert (held.newest(), first) == held.accepted()
    assert first != held.newest()
    years_later = now + timedelta(days=3_000)
    with pytest.raises(KeyManagementError, match="compared with their backs only while"):
        destroy(city, city.records(Purpose.BACK)[0].key_id, now=years_later)
    revoke(city, Purpose.BACK, now=years_later)
    assert (held.newest(),) == load_back_secrets(city_folder).accepted()
    destroy(city, city.records(Purpose.BACK)[0].key_id, now=years_later)


def test_nobody_is_told_of_the_secret_of_backs(city_folder: Path) -> None:
    """Nothing that is public names it: who had it could make backs for altered faces."""
    assert () == CityTrust.load(CityFolder.at(city_folder).trust).of(Purpose.BACK)


def test_a_city_from_before_there_were_backs_makes_its_first_secret(city_folder: Path) -> None:
    """The same command as for any other; only where the renderer's folder is kept."""
    city = CityFolder.at(city_folder)
    for record in city.of(Purpose.BACK.holder).glob("back-*.key"):
        record.unlink()
    with pytest.raises(KeyManagementError, match="issuance-keys rotate back"):
        load_back_secrets(city_folder)
    rotate(city, Purpose.BACK, now=datetime.now(UTC))
    assert 1 == len(load_back_secrets(city_folder).accepted())

    shutil.rmtree(city.of(Purpose.BACK.holder))
    with pytest.raises(KeyManagementError, match="where the holder's folder is kept"):
        rotate(city, Purpose.BACK, now=datetime.now(UTC))


def test_server_and_judge_need_no_authority(city_folder: Path) -> None:
    """Without the authority's folder both work, and without each other's too."""
    shutil.rmtree(city_folder / "authority")
    judge_folder = city_folder / "judge"
    judge_folder.rename(city_folder / "elsewhere")
    load_server_keys(city_folder)
    (city_folder / "elsewhere").rename(judge_folder)
    shutil.rmtree(city_folder / "server")

    load_judge_keys(city_folder)


def test_every_key_file_is_private(city_folder: Path, tmp_path: Path) -> None:
    """All files that end in .key are for their owner alone; so is every folder."""
    keys = [*city_folder.rglob("*.key"), *(tmp_path / "terminal").rglob("*.key")]

    assert 9 + 4 + 1 == len(keys), "of the city, their storage keys, the terminal's"
    assert {0o100600} == {path.stat().st_mode for path in keys}
    assert {0o40700} == {path.stat().st_mode for path in city_folder.rglob("*") if path.is_dir()}


def test_nothing_is_overwritten(city_folder: Path, tmp_path: Path) -> None:
    """Neither a city nor a terminal is made twice, and nothing changes when it is tried."""
    before = {p: p.read_bytes() for p in city_folder.rglob("*") if p.is_file()}
    now = datetime.now(UTC)

    with pytest.raises(KeyManagementError, match="exists already"):
        create_city_keys(city_folder, CITY, now)
    with pytest.raises(KeyManagementError, match="admitted before"):
        create_terminal_keys(city_folder, "T-0001", tmp_path / "other", bytes(8), now)
    with pytest.raises(KeyManagementError, match="already"):
        create_terminal_keys(city_folder, "T-0002", tmp_path / "terminal", bytes(8), now)

    assert before == {p: p.read_bytes() for p in city_folder.rglob("*") if p.is_file()}
    assert not (tmp_path / "other").exists()


def test_a_bad_city_makes_nothing(tmp_path: Path) -> None:
    """A code without six digits leaves no folder."""
    with pytest.raises(KeyManagementError, match="six digits"):
        create_city_keys(tmp_path / "keys", "27203", datetime.now(UTC))

    assert [] == list(tmp_path.iterdir())


def test_admitted_terminals_are_recorded(city_folder: Path, tmp_path: Path) -> None:
    """The authority keeps the certificate of every terminal that it admitted."""
    line = load_terminal_keys(tmp_path / "terminal").line

    assert {"T-0001": [line.certificate_pem]} == admitted_terminals(city_folder)


def test_exchanged_keys_are_noticed(city_folder: Path, tmp_path: Path) -> None:
    """Keys that are not the announced ones are refused on loading."""
    create_city_keys(tmp_path / "other", CITY, datetime.now(UTC))
    for name in ("server", "judge", "storage"):
        shutil.rmtree(city_folder / name)
        shutil.copytree(tmp_path / "other" / name, city_folder / name)

    with pytest.raises(KeyManagementError, match="other keys than"):
        load_server_keys(city_folder)
    with pytest.raises(KeyManagementError, match="other keys than"):
        load_judge_keys(city_folder)


@pytest.mark.parametrize("holder", ["server", "judge"])
def test_a_stolen_folder_is_worth_nothing(city_folder: Path, holder: str) -> None:
    """Without its storage key nothing opens, with another holder's neither, and it says so."""
    key = city_folder / "storage" / f"{holder}.key"
    key.write_bytes((city_folder / "storage" / "authority.key").read_bytes())
    load = load_server_keys if holder == "server" else load_judge_keys

    with pytest.raises(KeyManagementError, match="the storage key at hand does not open it"):
        load(city_folder)
    key.unlink()
    with pytest.raises(KeyManagementError, match="KOFU_STORAGE_KEYS"):
        load(city_folder)


def test_storage_keys_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By argument or by the environment; then the city's folder has none."""
    root, elsewhere = tmp_path / "keys", tmp_path / "stick"
    create_city_keys(root, CITY, datetime.now(UTC), storage=elsewhere)

    assert ["authority.key", "judge.key", "renderer.key", "server.key"] == sorted(
        path.name for path in elsewhere.iterdir()
    )
    assert not (root / "storage").exists()
    load_judge_keys(root, storage=elsewhere)
    monkeypatch.setenv("KOFU_STORAGE_KEYS", str(elsewhere))
    load_server_keys(root)


def test_a_record_cannot_pass_for_another(city_folder: Path) -> None:
    """Neither by its file's name nor by its content: the secret is bound to purpose and id."""
    server = city_folder / "server"
    (binding,), (checkpoint,) = server.glob("binding-*"), server.glob("checkpoint-*")
    text = binding.read_text()
    binding.write_text(checkpoint.read_text())
    with pytest.raises(KeyManagementError, match="another key"):
        load_server_keys(city_folder)

    binding.write_text(text)
    posing = checkpoint.with_name(binding.name.replace("binding", "checkpoint"))
    posing.touch(mode=0o600)
    posing.write_text(text.replace('"binding"', '"checkpoint"').replace(": 1,", ": 2,"))
    with pytest.raises(KeyManagementError, match="does not open"):
        load_server_keys(city_folder)


def test_a_server_is_no_terminal(city_folder: Path, tmp_path: Path, authority: Authority) -> None:
    """A folder with a server's key certificate in the terminal's place is refused."""
    folder = tmp_path / "wrong"
    folder.mkdir()
    load_server_keys(city_folder).line.save(folder, "terminal")
    TerminalTrust.load(tmp_path / "terminal").save(folder)

    with pytest.raises(KeyManagementError, match="of a server"):
        load_terminal_keys(folder)


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'{"city": "x"}'])
def test_damaged_trust(tmp_path: Path, text: bytes) -> None:
    """A damaged trust file is refused, a missing one says what makes it."""
    with pytest.raises(KeyManagementError, match="issuance-keys makes it"):
        TerminalTrust.load(tmp_path)
    (tmp_path / "trust.json").write_bytes(text)

    with pytest.raises(KeyManagementError, match="damaged"):
        TerminalTrust.load(tmp_path)


def test_no_secret_is_shown(city_folder: Path, tmp_path: Path) -> None:
    """The reprs of all three holders have nothing of any key file."""
    shown = repr(
        (
            load_server_keys(city_folder),
            load_judge_keys(city_folder),
            load_terminal_keys(tmp_path / "terminal"),
        )
    )

    for path in [*city_folder.rglob("*.key"), *(tmp_path / "terminal").rglob("*.key")]:
        content = path.read_bytes()
        assert repr(content)[2:-1] not in shown
        assert content.hex() not in shown
