"""Day keys wrap, survive crashes, and take everything with them when they are destroyed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys import file_store
from keys.day_keys import WRAPPED_KEY_BYTES, DayKeys
from keys.key_record import KeyRecord, Naming, Purpose, write_record
from keys.storage_key import StorageKey
from protocol.errors import KeyManagementError, Misuse
from protocol.secret import Secret
from tests.keys.dying_disk import DyingDisk, PowerCut

DAY = "2026-11-24"
DATA_KEY = Secret(bytes(range(32)))
STORAGE = StorageKey.generate()
FILE = f"day-{DAY}.key"


def record_of(key: bytes, day: str = DAY) -> KeyRecord:
    """A day's key record."""
    named = Naming(number=1, at=datetime.now(UTC), key_id=day)
    return KeyRecord.make(Purpose.DAY, Secret(key), STORAGE, named=named)


def test_rfc_3394_vector(tmp_path: Path) -> None:
    """RFC 3394 §4.6: 256 bits of key data under a 256-bit key."""
    kek = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    data_key = "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f"
    wrapped = "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"
    write_record(tmp_path, record_of(bytes.fromhex(kek)))
    keys = DayKeys(tmp_path, STORAGE)

    assert wrapped == keys.wrap(DAY, Secret(bytes.fromhex(data_key))).hex()
    assert Secret(bytes.fromhex(data_key)) == keys.unwrap(DAY, bytes.fromhex(wrapped))


def test_round_trip_across_a_restart(tmp_path: Path) -> None:
    """What one process wrapped, the next one unwraps; each day has a key of its own."""
    wrapped = DayKeys(tmp_path / "d", STORAGE).wrap(DAY, DATA_KEY)
    other = DayKeys(tmp_path / "d", STORAGE).wrap("2026-11-25", DATA_KEY)
    keys = DayKeys(tmp_path / "d", STORAGE)

    assert WRAPPED_KEY_BYTES == len(wrapped)
    assert wrapped != other
    assert DATA_KEY == keys.unwrap(DAY, wrapped)
    assert (DAY, "2026-11-25") == keys.days()
    assert 0o100600 == (tmp_path / "d" / FILE).stat().st_mode


def test_destroyed_is_gone(tmp_path: Path) -> None:
    """After its destruction a day's data keys cannot be unwrapped, not even under a new key."""
    keys = DayKeys(tmp_path, STORAGE)
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
    keys = DayKeys(tmp_path, STORAGE)
    wrapped = keys.wrap(DAY, DATA_KEY)
    (tmp_path / FILE).rename(tmp_path / f".{FILE}.erasing")

    with pytest.raises(KeyManagementError):
        keys.unwrap(DAY, wrapped)
    assert () == DayKeys(tmp_path, STORAGE).days()
    assert [] == list(tmp_path.iterdir())


def test_a_crash_while_making(tmp_path: Path) -> None:
    """Half a new key is never taken for one."""
    (tmp_path / f".{FILE}.0011223344556677.new").write_bytes(b"half")
    keys = DayKeys(tmp_path, STORAGE)

    assert () == keys.days()
    assert DATA_KEY == keys.unwrap(DAY, keys.wrap(DAY, DATA_KEY))


def test_two_processes_make_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second uses the first one's key."""
    first, second = DayKeys(tmp_path, STORAGE), DayKeys(tmp_path, STORAGE)
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
    keys = DayKeys(tmp_path, STORAGE)
    keys.wrap(DAY, DATA_KEY)

    with pytest.raises(KeyManagementError, match="not wrapped under") as caught:
        keys.unwrap(DAY, wrapped)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("day", ["", "2026-13-01", "20261124", "../2026-11-24", "2026-11-24\n"])
def test_a_day_is_a_day(tmp_path: Path, day: str) -> None:
    """What is no date names no key."""
    with pytest.raises(Misuse):
        DayKeys(tmp_path, STORAGE).wrap(day, DATA_KEY)


def test_damaged_and_open_keys_are_refused(tmp_path: Path) -> None:
    """A damaged key, or one that others can read, wraps nothing."""
    file_store.write_private(tmp_path / FILE, b"short")
    with pytest.raises(KeyManagementError, match="damaged"):
        DayKeys(tmp_path, STORAGE).wrap(DAY, DATA_KEY)

    (tmp_path / FILE).chmod(0o644)
    with pytest.raises(KeyManagementError, match="chmod 600"):
        DayKeys(tmp_path, STORAGE).wrap(DAY, DATA_KEY)


def test_the_key_of_one_day_is_no_key_of_another(tmp_path: Path) -> None:
    """A record in the place of another day's is refused, even with its name changed."""
    write_record(tmp_path, record_of(bytes(32), "2026-11-25"))
    record = (tmp_path / "day-2026-11-25.key").read_bytes()

    file_store.write_private(tmp_path / FILE, record)
    with pytest.raises(KeyManagementError, match="another key"):
        DayKeys(tmp_path, STORAGE).wrap(DAY, DATA_KEY)
    file_store.replace_private(tmp_path / FILE, record.replace(b"2026-11-25", DAY.encode()))
    with pytest.raises(KeyManagementError, match="does not open"):
        DayKeys(tmp_path, STORAGE).wrap(DAY, DATA_KEY)


def test_another_storage_key_opens_nothing(tmp_path: Path) -> None:
    """The folder alone, as on a stolen disk or in a backup, is worth nothing."""
    wrapped = DayKeys(tmp_path, STORAGE).wrap(DAY, DATA_KEY)

    with pytest.raises(KeyManagementError, match="storage key"):
        DayKeys(tmp_path, StorageKey.generate()).unwrap(DAY, wrapped)


@pytest.mark.parametrize("act", ["wrap", "destroy"])
def test_killed_at_every_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    """The next process has the day's key, whole, or can make it; a destroyed one never returns."""
    disk = DyingDisk(monkeypatch)
    for number in range(1, 100):
        folder = tmp_path / str(number)
        disk.revive()
        before = DayKeys(folder, STORAGE)
        wrapped = before.wrap(DAY, DATA_KEY) if act == "destroy" else b""
        disk.die_at(number)
        try:
            wrapped = before.wrap(DAY, DATA_KEY) if act == "wrap" else wrapped
            before.destroy(DAY) if act == "destroy" else None
        except PowerCut:
            disk.revive()
            after = DayKeys(folder, STORAGE)
            if act == "destroy":
                after.destroy(DAY)
                assert [] == list(folder.iterdir())
            assert DATA_KEY == after.unwrap(DAY, after.wrap(DAY, DATA_KEY))
            continue
        break

    assert number == len(disk.calls) + 1 > 5, "every call had its turn"
