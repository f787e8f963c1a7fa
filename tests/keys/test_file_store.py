"""Key files are private, whole, and never overwritten."""

import stat
from pathlib import Path

import pytest

from keys import file_store
from protocol.errors import KeyManagementError
from protocol.secret import Secret

CANARY = b"CANARY-key-bytes-4711"


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """A key comes back as it went in, as a Secret."""
    file_store.write_private(tmp_path / "a.key", CANARY)

    assert Secret(CANARY) == file_store.read_private(tmp_path / "a.key")


def test_modes(tmp_path: Path) -> None:
    """Key files are for their owner alone, public files for everybody, key folders closed."""
    folder = file_store.private_folder(tmp_path / "deep" / "folder")
    file_store.write_private(folder / "a.key", CANARY)
    file_store.write_public(folder / "a.pub", b"public")

    assert 0o700 == mode_of(folder)
    assert 0o600 == mode_of(folder / "a.key")
    assert 0o644 == mode_of(folder / "a.pub")


@pytest.mark.parametrize("write", [file_store.write_private, file_store.write_public])
def test_nothing_is_overwritten(tmp_path: Path, write: object) -> None:
    """A second write under a name is refused, and the first file and no other is left."""
    assert callable(write)
    write(tmp_path / "a", b"first")

    with pytest.raises(KeyManagementError, match="exists already"):
        write(tmp_path / "a", CANARY)

    assert b"first" == (tmp_path / "a").read_bytes()
    assert ["a"] == [path.name for path in tmp_path.iterdir()]


def test_replace_takes_the_place(tmp_path: Path) -> None:
    """A replaced key file is private and holds the new bytes only."""
    file_store.replace_private(tmp_path / "a", b"old")
    file_store.replace_private(tmp_path / "a", CANARY)

    assert Secret(CANARY) == file_store.read_private(tmp_path / "a")
    assert 0o600 == mode_of(tmp_path / "a")
    assert ["a"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The message names the command that makes the file private, and shows nothing of it."""
    path = tmp_path / "my keys.key"
    file_store.write_private(path, CANARY)
    path.chmod(mode)

    with pytest.raises(KeyManagementError) as caught:
        file_store.read_private(path)

    assert f"chmod 600 '{path}'" in str(caught.value)
    assert CANARY.decode() not in repr(caught.value)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a folder and a file of any length are errors with the path in them."""
    file_store.write_private(tmp_path / "long", bytes(file_store.KEY_FILE_BYTES_MAX + 1))

    for name in ("missing", ".", "long"):
        with pytest.raises(KeyManagementError, match=str(tmp_path)):
            file_store.read_private(tmp_path / name)


def test_writing_where_there_is_no_folder(tmp_path: Path) -> None:
    """A folder that is not there is an error that says so."""
    with pytest.raises(KeyManagementError, match="cannot be written"):
        file_store.write_private(tmp_path / "none" / "a", CANARY)


def test_erase_overwrites_before_it_removes(tmp_path: Path) -> None:
    """Another name of the same file shows zeros after the erasure, and erasing twice is fine."""
    file_store.write_private(tmp_path / "a", CANARY)
    (tmp_path / "other").hardlink_to(tmp_path / "a")

    file_store.erase(tmp_path / "a")
    file_store.erase(tmp_path / "a")

    assert bytes(len(CANARY)) == (tmp_path / "other").read_bytes()
    assert ["other"] == [path.name for path in tmp_path.iterdir()]


def test_an_interrupted_erasure_is_finished(tmp_path: Path) -> None:
    """What a crash left between renaming and removing is gone after the next start."""
    (tmp_path / ".a.erasing").write_bytes(CANARY)

    file_store.finish_erasures(tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_a_folder_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    """If filling fails, neither the folder nor its beginnings are left."""

    def fill(folder: Path) -> None:
        file_store.write_private(folder / "a", CANARY)
        raise KeyManagementError("stopped half-way")

    with pytest.raises(KeyManagementError, match="half-way"):
        file_store.create_folder_whole(tmp_path / "keys", fill)

    assert [] == list(tmp_path.iterdir())


def test_what_a_dead_process_left_of_a_folder_is_removed(tmp_path: Path) -> None:
    """The next call for the same folder clears it away, and nothing else."""
    (tmp_path / ".keys.00.new" / "deep").mkdir(parents=True)
    (tmp_path / ".keys.00.new" / "deep" / "a").write_bytes(CANARY)
    (tmp_path / ".others.00.new").mkdir()

    file_store.create_folder_whole(tmp_path / "keys", lambda _: None)

    assert [".others.00.new", "keys"] == sorted(path.name for path in tmp_path.iterdir())


def test_a_folder_that_another_process_fills_is_left_alone(tmp_path: Path) -> None:
    """Two calls for one folder: one makes it, the other is told that it is there."""

    def fill(folder: Path) -> None:
        file_store.write_private(folder / "a", CANARY)

    def fill_slowly(folder: Path) -> None:
        file_store.create_folder_whole(tmp_path / "keys", fill)
        fill(folder)

    with pytest.raises(KeyManagementError, match="cannot be made"):
        file_store.create_folder_whole(tmp_path / "keys", fill_slowly)

    assert ["keys"] == [path.name for path in tmp_path.iterdir()]


def test_leftovers_of_a_key_take_nothing_with_them(tmp_path: Path) -> None:
    """A second name of a key that is there goes without touching the key's bytes."""
    file_store.write_private(tmp_path / "a", CANARY)
    (tmp_path / ".a.00.new").hardlink_to(tmp_path / "a")
    (tmp_path / ".b.00.new").write_bytes(CANARY)

    file_store.clear_leftovers(tmp_path)

    assert Secret(CANARY) == file_store.read_private(tmp_path / "a")
    assert ["a"] == [path.name for path in tmp_path.iterdir()]
