"""The command ``issuance-keys`` as people and programs meet it."""

import base64
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from keys.__main__ import main
from keys.cards import CardFile
from keys.operators import Operator
from protocol.secret import Secret

PASSPHRASE = "CANARY-correct-horse-battery"  # a canary, on purpose


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A city's key folder, made by the command."""
    root = tmp_path / "city"
    assert 0 == main(["create", str(root), "--city", "272035"])
    return root


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["create"],
        ["list"],
        ["export"],
        ["distribute"],
        ["rotate"],
        ["activate"],
        ["revoke"],
        ["destroy"],
        ["terminal"],
        ["terminal", "create"],
        ["terminal", "renew"],
        ["operator"],
        ["operator", "create"],
        ["operator", "renew"],
        ["operator", "revoke"],
        ["operator", "list"],
        ["card"],
        ["card", "create"],
    ],
)
def test_every_command_explains_itself(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """--help works everywhere, on standard output, with status 0; no arguments are status 2."""
    with pytest.raises(SystemExit) as helped:
        main([*command, "--help"])
    explained = capsys.readouterr()
    with pytest.raises(SystemExit) as misused:
        main(command)

    assert (0, 2) == (helped.value.code, misused.value.code)
    assert explained.out.startswith("usage: issuance-keys")
    assert "" == explained.err
    assert "usage: issuance-keys" in capsys.readouterr().err


def test_create_then_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The list has every kind of key; for programs it is JSON alone on standard output."""
    capsys.readouterr()

    assert 0 == main(["list", str(folder), "--json"])
    listed = capsys.readouterr()
    assert "" == listed.err
    kinds = ["authority", "server", "binding", "checkpoint", "pin-opening", "verdict"]
    kinds += ["pepper", "code", "back"]
    assert [(kind, "active") for kind in kinds] == [
        (row["kind"], row["state"]) for row in json.loads(listed.out)
    ]


def test_a_second_create_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1 and one sentence on standard error."""
    capsys.readouterr()

    assert 1 == main(["create", str(folder), "--city", "272035"])
    said = capsys.readouterr()
    assert "" == said.out
    assert "exists already" in said.err
    assert 1 == said.err.count("\n")


@pytest.mark.parametrize("city", ["272036", "27203", "toyonaka"])
def test_a_mistyped_city_is_wrong_usage(
    tmp_path: Path, city: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A code whose check digit does not hold is noticed before keys are made for it."""
    with pytest.raises(SystemExit) as caught:
        main(["create", str(tmp_path / "c"), "--city", city])

    assert 2 == caught.value.code
    assert not (tmp_path / "c").exists()


def test_terminal_create(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The row has what the server registers: id, line, fingerprint and public key."""
    capsys.readouterr()

    arguments = ["terminal", "create", "T-0001", str(folder), "--json", "--out"]
    assert 0 == main([*arguments, str(tmp_path / "t")])
    row = json.loads(capsys.readouterr().out)[0]
    assert ("terminal", "T-0001", 16, 64, 64) == (
        row["kind"],
        row["name"],
        len(row["line"]),
        len(row["identity"]),
        len(row["public_key"]),
    )
    assert 1 == main([*arguments, str(tmp_path / "t2")])


def test_export(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files, text and JSON have the same public keys and nothing else; files are made once."""
    capsys.readouterr()

    assert 0 == main(["export", str(folder), "--out", str(tmp_path / "e")])
    assert 1 == main(["export", str(folder), "--out", str(tmp_path / "e")])
    capsys.readouterr()
    assert 0 == main(["export", str(folder)])
    text = capsys.readouterr().out
    assert 0 == main(["export", str(folder), "--json"])
    values = json.loads(capsys.readouterr().out)

    assert ["authority.crt", "city.json", "public-keys.txt"] == sorted(
        path.name for path in (tmp_path / "e").iterdir()
    )
    assert (tmp_path / "e" / "public-keys.txt").read_text() in text
    assert (tmp_path / "e" / "public-keys.txt").read_text().splitlines() == values["public_keys"]
    assert "PRIVATE" not in text


def test_operator_create_from_standard_input(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operator is in the list, and the passphrase's line opens the key."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSPHRASE}\n"))
    assert 0 == main(["operator", "create", "hana", "--dir", str(folder), "--passphrase-stdin"])
    capsys.readouterr()

    assert 0 == main(["operator", "list", "--dir", str(folder), "--json"])
    row = json.loads(capsys.readouterr().out)[0]
    operator = Operator.unlock(folder / "operators" / "hana.key", Secret(PASSPHRASE.encode()))
    assert ("hana", operator.public_key.hex()) == (row["name"], row["public_key"])
    assert 1 == main(["operator", "create", "hana", "--dir", str(folder), "--passphrase-stdin"])


@pytest.mark.parametrize(("again", "status"), [(PASSPHRASE, 0), ("CANARY-typo", 1)])
def test_operator_create_asks_twice(
    folder: Path, monkeypatch: pytest.MonkeyPatch, again: str, status: int
) -> None:
    """Two equal answers make a key, two different ones make nothing."""
    answers = iter([PASSPHRASE, again])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))

    assert status == main(["operator", "create", "hana", "--dir", str(folder)])
    assert (folder / "operators" / "hana.key").exists() == (status == 0)


def test_giving_up_at_the_prompt(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An interrupted prompt is status 1 and a sentence, not a traceback."""

    def interrupted(prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("getpass.getpass", interrupted)

    assert 1 == main(["operator", "create", "hana", "--dir", str(folder)])
    assert "given up" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["list", "nowhere"],
        ["export", "nowhere"],
        ["terminal", "create", "T-1", "nowhere", "--out", "out"],
        ["terminal", "renew", "T-1", "nowhere", "--out", "out"],
        ["distribute", "nowhere", "--out", "out"],
        ["rotate", "binding", "nowhere"],
        ["activate", "binding", "nowhere"],
        ["revoke", "verdict", "nowhere"],
        ["destroy", "0123456789abcdef", "nowhere"],
        ["operator", "revoke", "hana", "--reason", "left", "--dir", "nowhere"],
        ["operator", "renew", "hana", "--dir", "nowhere"],
        ["operator", "create", "hana", "--dir", "nowhere"],
        ["operator", "list", "--dir", "nowhere"],
    ],
)
def test_a_folder_that_is_not_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Status 1 and one sentence, and nothing is made."""
    monkeypatch.chdir(tmp_path)

    assert 1 == main(command)
    assert 1 == capsys.readouterr().err.count("\n")
    assert [] == list(tmp_path.iterdir())


def test_no_secret_is_ever_printed(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Nothing of any key file or of the passphrase is in the output of any command."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSPHRASE}\n"))
    main(["operator", "create", "hana", "--dir", str(folder), "--passphrase-stdin"])
    main(["terminal", "create", "T-0001", str(folder), "--out", str(tmp_path / "t")])
    for purpose in ("server", "binding", "checkpoint", "pin-opening", "verdict", "pepper"):
        main(["rotate", purpose, str(folder)])
    for form in ([], ["--json"]):
        main(["list", str(folder), *form])
        main(["export", str(folder), *form])
        main(["operator", "list", "--dir", str(folder), *form])
    (folder / "storage" / "authority.key").chmod(0o644)
    assert 1 == main(["terminal", "create", "T-0002", str(folder), "--out", str(tmp_path / "u")])
    printed = "".join(capfd.readouterr())

    assert "chmod 600" in printed
    assert "CANARY" not in printed
    for path in [*folder.rglob("*.key"), *(tmp_path / "t").rglob("*.key")]:
        content = path.read_bytes()
        body = content.splitlines()[1].decode() if b"PRIVATE KEY" in content else content.hex()
        assert body not in printed
        assert base64.b64encode(content).decode() not in printed


@pytest.mark.slow
def test_it_runs_as_a_module(tmp_path: Path) -> None:
    """``python -m keys`` is the command."""
    done = subprocess.run(
        [sys.executable, "-m", "keys", "list", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 1 == done.returncode
    assert "issuance-keys: there is no" in done.stderr
    assert "Traceback" not in done.stderr


def test_card_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A private file that loads as a card; the same command again replaces nothing."""
    made = tmp_path / "new.card.json"
    make = ["card", "create", "--out", str(made), "--holder", "見本"]

    assert 0 == main([*make, "--json"])
    told = capsys.readouterr()
    assert {"card": str(made)} == json.loads(told.out)
    assert f"issuance-server card register begin --card {made}" in told.err
    card = CardFile.load(made)
    assert "見本" == card.holder
    assert 1 == main(make)
    assert card.number == CardFile.load(made).number
    assert card.signing_key.seed().reveal().hex() not in told.out + told.err
