"""The ways of a key by command, as the help tells them."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from keys.__main__ import main
from keys.former_operators import former_operators
from keys.operators import Operator, OperatorRing
from keys.trust import CityTrust
from protocol.errors import KeyManagementError
from protocol.secret import Secret

PASSPHRASE = "CANARY-correct-horse"

Run = Callable[..., list[dict[str, str]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A city's key folder."""
    assert 0 == main(["create", str(tmp_path / "city"), "--city", "272035"])
    return tmp_path / "city"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that succeeds, and return its rows."""

    def run(*words: object) -> list[dict[str, str]]:
        capsys.readouterr()
        assert 0 == main([*(str(word) for word in words), "--json"])
        rows: list[dict[str, str]] = json.loads(capsys.readouterr().out)
        return rows

    return run


def test_a_stolen_key(folder: Path, run: Run) -> None:
    """Rotated, revoked, destroyed; the list shows each step, and the key ids stay the same."""
    first, second = run("rotate", "verdict", folder)
    assert ("retiring", "active") == (first["state"], second["state"])
    assert first["until"].endswith("Z")
    (revoked,) = run("revoke", "verdict", folder)
    assert (first["key_id"], "revoked") == (revoked["key_id"], revoked["state"])
    (destroyed,) = run("destroy", first["key_id"], folder)
    assert "destroyed" == destroyed["state"]
    listed = [row for row in run("list", folder) if row["kind"] == "verdict"]

    assert [("destroyed", first["key_id"]), ("active", second["key_id"])] == [
        (row["state"], row["key_id"]) for row in listed
    ]
    assert first["public_key"] == listed[0]["public_key"]


def test_a_binding_key_by_its_four_commands(
    folder: Path, tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rotate, distribute, activate; each says what comes next."""
    assert ["active", "next"] == [row["state"] for row in run("rotate", "binding", folder)]
    assert 0 == main(["rotate", "binding", str(folder)])
    said = capsys.readouterr().err
    assert "not finished" in said
    assert f"issuance-keys distribute {folder}" in said
    assert 1 == main(["activate", "binding", str(folder)])
    assert 0 == main(["distribute", str(folder), "--out", str(tmp_path / "told")])
    assert "terminal-sim trust" in capsys.readouterr().err
    done = run("activate", "binding", folder, "--overlap-hours", 1)
    assert ["retiring", "active"] == [row["state"] for row in done]


def test_storage_keys_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By option or environment; without them the text says both."""
    city, stick = str(tmp_path / "c"), str(tmp_path / "stick")
    assert 0 == main(["create", city, "--city", "272035", "--storage", stick])
    assert 0 == main(["rotate", "verdict", city, "--storage", stick])
    assert 0 == main(["list", city])
    capsys.readouterr()
    assert 1 == main(["rotate", "verdict", city])
    said = capsys.readouterr().err
    assert "--storage DIR" in said
    assert "$KOFU_STORAGE_KEYS" in said
    monkeypatch.setenv("KOFU_STORAGE_KEYS", stick)

    assert 0 == main(["rotate", "verdict", city])


@pytest.mark.parametrize(
    "command",
    [
        ["rotate", "authority", "c"],
        ["rotate", "day", "c"],
        ["activate", "verdict", "c"],
        ["rotate", "verdict", "c", "--overlap-hours", "0"],
        ["rotate", "verdict", "c", "--overlap-hours", "9000"],
        ["rotate", "verdict", "c", "--overlap-hours", "١"],
        ["operator", "revoke", "hana", "--dir", "c"],
    ],
)
def test_wrong_usage(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, and standard error says what may be given."""
    with pytest.raises(SystemExit) as misused:
        main(command)

    assert 2 == misused.value.code
    assert "usage: issuance-keys" in capsys.readouterr().err


def test_help_tells_the_ways_of_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command that it names is one."""
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out

    words = "create list export distribute rotate activate revoke destroy terminal operator"
    assert all(f"    {word}" in said for word in words.split())
    assert "exit status: 0 done, 1 refused, 2 wrong usage" in said


@pytest.fixture
def hana(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An operator, whose passphrase is on standard input for every command after this."""

    class Endless(io.StringIO):
        def readline(self, *_: object) -> str:
            return f"{PASSPHRASE}\n"

    monkeypatch.setattr(sys, "stdin", Endless())
    assert 0 == main(["operator", "create", "hana", "--dir", str(folder), "--passphrase-stdin"])
    return Operator.unlock(folder / "operators" / "hana.key", Secret(PASSPHRASE.encode()))


def test_a_person_leaves(folder: Path, hana: Operator, run: Run) -> None:
    """Out of the ring with a reason; the public half is kept; twice is as good as once."""
    for _ in range(2):
        rows = run("operator", "revoke", "hana", "--reason", "left the office", "--dir", folder)
    (former,) = former_operators(folder / "operators")

    assert [("hana", "revoked")] == [(row["name"], row["state"]) for row in rows]
    assert ("left the office", hana.public_key) == (former.reason, former.public)
    assert {} == OperatorRing.load(folder / "operators", CityTrust.load(folder / "trust")).operators
    assert ["former"] == [path.name for path in (folder / "operators").iterdir()]


def test_a_new_key_for_a_person(folder: Path, hana: Operator, run: Run) -> None:
    """The old one is obeyed no more, and both are in the list."""
    rows = run("operator", "renew", "hana", "--dir", folder, "--passphrase-stdin")
    again = Operator.unlock(folder / "operators" / "hana.key", Secret(PASSPHRASE.encode()))

    assert [("active", again.public_key.hex()), ("revoked", hana.public_key.hex())] == [
        (row["state"], row["public_key"]) for row in rows
    ]
    assert {"hana": again.public_key} == OperatorRing.load(
        folder / "operators", CityTrust.load(folder / "trust")
    ).operators


def test_operator_of_an_older_version_is_signed(folder: Path, hana: Operator, run: Run) -> None:
    """The list shows who is not, and the authority's signature makes an operator of them."""
    path = folder / "operators" / "hana.pub"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    assert ["unsigned"] == [row["state"] for row in run("operator", "list", "--dir", folder)]
    authority = folder / "storage" / "authority.key"
    kept = authority.read_bytes()
    authority.unlink()
    assert 1 == main(["operator", "sign", "hana", "--dir", str(folder)])
    assert ["unsigned"] == [row["state"] for row in run("operator", "list", "--dir", folder)]
    authority.write_bytes(kept)
    authority.chmod(0o600)
    rows = run("operator", "sign", "hana", "--dir", folder)

    assert [("active", hana.public_key.hex())] == [
        (row["state"], row["public_key"]) for row in rows
    ]
    trust = CityTrust.load(folder / "trust")
    assert {"hana": hana.public_key} == OperatorRing.load(folder / "operators", trust).operators
    assert 1 == main(["operator", "sign", "taro", "--dir", str(folder)])


def test_a_revoked_key_does_not_come_back(folder: Path, hana: Operator, run: Run) -> None:
    """Not even when its public half is put into the folder again."""
    public = (folder / "operators" / "hana.pub").read_bytes()
    run("operator", "revoke", "hana", "--reason", "stolen", "--dir", folder)
    (folder / "operators" / "hana.pub").write_bytes(public)

    assert {} == OperatorRing.load(folder / "operators", CityTrust.load(folder / "trust")).operators
    (folder / "operators" / "former" / "hana-x.json").write_bytes(b"{")
    with pytest.raises(KeyManagementError, match="damaged"):
        OperatorRing.load(folder / "operators", CityTrust.load(folder / "trust"))


@pytest.mark.parametrize(
    "words",
    [
        ["revoke", "taro", "--reason", "left"],
        ["revoke", "hana", "--reason", " "],
        ["renew", "taro", "--passphrase-stdin"],
    ],
)
def test_what_an_operator_command_refuses(
    folder: Path, hana: Operator, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, and the ring is as it was."""
    capsys.readouterr()

    assert 1 == main(["operator", *words, "--dir", str(folder)])
    assert 1 == capsys.readouterr().err.count("\n")
    assert {"hana": hana.public_key} == OperatorRing.load(
        folder / "operators", CityTrust.load(folder / "trust")
    ).operators
