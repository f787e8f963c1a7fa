"""The spool on a real disk."""

import os
from pathlib import Path

import pytest

from terminal_sim.spool import Spool
from tests.terminal_sim.world import number

SEALED = b"ciphertext" * 20_000


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """Return an empty spool."""
    return Spool(tmp_path)


def test_what_was_written_is_read(spool: Spool) -> None:
    """Whole, and readable by its owner alone."""
    spool.write(number(1), SEALED)

    assert SEALED == spool.read(number(1))
    assert 0o600 == spool.path(number(1)).stat().st_mode & 0o777


def test_nothing_is_spooled_twice(spool: Spool) -> None:
    """One issuance has one ciphertext."""
    spool.write(number(1), SEALED)

    with pytest.raises(FileExistsError):
        spool.write(number(1), b"another")


def test_an_erased_file_is_overwritten_and_gone(spool: Spool, tmp_path: Path) -> None:
    """A second name of the same file shows what became of its bytes."""
    spool.write(number(1), SEALED)
    os.link(spool.path(number(1)), tmp_path / "second-name")
    spool.erase(number(1))

    assert bytes(len(SEALED)) == (tmp_path / "second-name").read_bytes()
    assert not spool.path(number(1)).exists()


def test_erasing_what_is_not_there_is_done_already(spool: Spool) -> None:
    """A restart may erase again."""
    spool.erase(number(1))


def test_strays_are_erased_and_the_others_kept(spool: Spool) -> None:
    """What a crash left behind does not stay."""
    spool.write(number(1), SEALED)
    spool.write(number(2), SEALED)

    assert 1 == spool.erase_others(frozenset({number(2)}))
    assert SEALED == spool.read(number(2))
    assert not spool.path(number(1)).exists()
