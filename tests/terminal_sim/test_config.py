"""The terminal's file: what it may say, and what it must not."""

from pathlib import Path

import pytest

from protocol.errors import SetUpError
from terminal_sim.config import TerminalConfig, find_terminal
from tests.terminal_sim.conftest import LINE_ID, SETTINGS, Town


def written(folder: Path, text: str) -> Path:
    path = folder / "terminal.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    """A terminal's folder can be moved as a whole."""
    config = TerminalConfig.load(written(tmp_path, SETTINGS))

    assert (tmp_path / "keys", tmp_path / "storage") == (config.keys, config.storage)
    assert (LINE_ID, "見本店") == (config.line_id, config.store)


def test_chain_and_store_may_be_left_out(tmp_path: Path) -> None:
    """They are for people only."""
    text = "\n".join(SETTINGS.splitlines()[:-2])

    assert "" == TerminalConfig.load(written(tmp_path, text)).chain


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("colour = 1", "colour"),
        ('terminal = "a b"', "terminal"),
        ('city = "27203"', "city"),
        ('line_id = "xyz"', "line_id"),
        ("broker_port = 0", "broker_port"),
        ('keys = ""', "keys"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, named: str) -> None:
    """An unknown key and a value out of range are errors that say where."""
    key = line.split(" ", maxsplit=1)[0]
    kept = [other for other in SETTINGS.splitlines() if not other.startswith(f"{key} =")]

    with pytest.raises(SetUpError, match=named):
        TerminalConfig.load(written(tmp_path, "\n".join([*kept, line])))


@pytest.mark.parametrize("text", ["", "not = = toml"])
def test_a_file_without_its_keys_is_refused(tmp_path: Path, text: str) -> None:
    """Missing keys and broken TOML are told with the file's name."""
    with pytest.raises(SetUpError, match=r"terminal\.toml"):
        TerminalConfig.load(written(tmp_path, text))


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """A name typed in Shift_JIS is told, not shown as a traceback."""
    path = tmp_path / "terminal.toml"
    path.write_bytes('store = "見本"'.encode("shift_jis"))

    with pytest.raises(SetUpError, match="save it as UTF-8"):
        TerminalConfig.load(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """The text names the file."""
    with pytest.raises(SetUpError, match="cannot be read"):
        TerminalConfig.load(tmp_path / "terminal.toml")


def test_keys_of_another_terminal_are_refused(town: Town) -> None:
    """A folder that was mixed up does not open another's line."""
    text = SETTINGS.replace('terminal = "7-0001"', 'terminal = "7-0002"')
    config = TerminalConfig.load(written(town.config.path.parent, text))

    with pytest.raises(SetUpError, match="7-0001"):
        config.load_keys()
    assert "7-0001" == town.config.load_keys().terminal_id


def test_a_terminal_is_found_by_file_folder_and_id(town: Town) -> None:
    """All three name the same file."""
    path = town.config.path

    assert path == find_terminal(str(path), [])
    assert path == find_terminal(str(path.parent), [])
    assert path == find_terminal("7-0001", [town.folder / "nowhere", town.folder])


def test_a_terminal_that_is_not_there_names_those_that_are(town: Town) -> None:
    """The way out stands in the text."""
    with pytest.raises(SetUpError, match="there are: 7-0001"):
        find_terminal("7-9999", [town.folder])
    with pytest.raises(SetUpError, match="there are none"):
        find_terminal("7-9999", [town.folder / "nowhere"])
