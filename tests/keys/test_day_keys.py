"""Day keys wrap, survive crashes, and take everything with them when they are destroyed."""

from pathlib import Path

import pytest

from keys import file_store
from keys.day_keys import WRAPPED_KEY_BYTES, DayKeys
from protocol.errors import KeyManagementError, Misuse
from protocol.secret import Secret

DAY = "2026-11-24"
DATA_KEY = Secret(bytes(range(32)))


def test_rfc_3394_vector(tmp_path: Path) -> None:
    """RFC 3394 §4.6: 256 bits of key data under a 256-bit key."""
    kek = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    data_key = "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f"
    wrapped = "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"
    file_store.write_private(tmp_path / f"{DAY}.key", bytes.fromhex(kek))
    keys = DayKeys(tmp_path)

    assert wrapped == keys.wrap(DAY, Secret(bytes.fromhex(data_key))).hex()
    assert Secret(bytes.fromhex(data_key)) == keys.unwrap(DAY, bytes.fromhex(wrapped))


def test_round_trip_across_a_restart(tmp_path: Path) -> None:
    """What one process wrapped, the next one unwraps; each day has a key of its own."""
    wrapped = DayKeys(tmp_path / "d").wrap(DAY, DATA_KEY)
    other = DayKeys(tmp_path / "d").wrap("2026-11-25", DATA_KEY)
    keys = DayKeys(tmp_path / "d")

    assert WRAPPED_KEY_BYTES == len(wrapped)
    assert wrapped != other
    assert DATA_KEY == keys.unwrap(DAY, wrapped)
    assert (DAY, "2026-11-25") == keys.days()
    assert 0o100600 == (tmp_path / "d" / f"{DAY}.key").stat().st_mode


def test_destroyed_is_gone(tmp_path: Path) -> None:
    """After its destruction a day's data keys cannot be unwrapped, not even under a new key."""
    keys = DayKeys(tmp_path)
    wrapped = keys.wrap(DAY, DATA_KEY)
    keys.destroy(DAY)
    keys.destroy(DAY)

    assert () == keys.days()
    with pytest.raises(KeyManagementError, match="destroyed, or never made"):
        keys.unwrap(DAY, wrapped)
    keys.wrap(DAY, DATA_KEY)
    with pytest.raises(KeyManagementError, match="not wrapped under"):
        keys.unwrap(DAY, wrapped)


def test_a_crash_while_destroying(tmp_path: Path) -> None:
    """A key that had lost its name is no key any more, and the next start removes it."""
    keys = DayKeys(tmp_path)
    wrapped = keys.wrap(DAY, DATA_KEY)
    (tmp_path / f"{DAY}.key").rename(tmp_path / f".{DAY}.key.erasing")

    with pytest.raises(KeyManagementError):
        keys.unwrap(DAY, wrapped)
    assert () == DayKeys(tmp_path).days()
    assert [] == list(tmp_path.iterdir())


def test_a_crash_while_making(tmp_path: Path) -> None:
    """Half a new key is never taken for one."""
    (tmp_path / f".{DAY}.key.0011223344556677.new").write_bytes(b"half")
    keys = DayKeys(tmp_path)

    assert () == keys.days()
    assert DATA_KEY == keys.unwrap(DAY, keys.wrap(DAY, DATA_KEY))


def test_two_processes_make_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second uses the first one's key."""
    first, second = DayKeys(tmp_path), DayKeys(tmp_path)
    write = file_store.write_private

    def write_after_the_other(path: Path, data: bytes) -> None:
        monkeypatch.setattr(file_store, "write_private", write)
        first.wrap(DAY, DATA_KEY)
        write(path, data)

    monkeypatch.setattr(file_store, "write_private", write_after_the_other)
    wrapped = second.wrap(DAY, DATA_KEY)

    assert DATA_KEY == first.unwrap(DAY, wrapped)


@pytest.mark.parametrize("wrapped", [b"", bytes(8), bytes(40), bytes(41)])
def test_garbage_does_not_unwrap(tmp_path: Path, wrapped: bytes) -> None:
    """Bytes of any length that were not wrapped are refused without a cause."""
    keys = DayKeys(tmp_path)
    keys.wrap(DAY, DATA_KEY)

    with pytest.raises(KeyManagementError, match="not wrapped under") as caught:
        keys.unwrap(DAY, wrapped)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("day", ["", "2026-13-01", "20261124", "../2026-11-24", "2026-11-24\n"])
def test_a_day_is_a_day(tmp_path: Path, day: str) -> None:
    """What is no date names no key."""
    with pytest.raises(Misuse):
        DayKeys(tmp_path).wrap(day, DATA_KEY)


def test_damaged_and_open_keys_are_refused(tmp_path: Path) -> None:
    """A key of another length, or one that others can read, wraps nothing."""
    file_store.write_private(tmp_path / f"{DAY}.key", b"short")
    with pytest.raises(KeyManagementError, match="no day key"):
        DayKeys(tmp_path).wrap(DAY, DATA_KEY)

    (tmp_path / f"{DAY}.key").chmod(0o644)
    with pytest.raises(KeyManagementError, match="chmod 600"):
        DayKeys(tmp_path).wrap(DAY, DATA_KEY)
