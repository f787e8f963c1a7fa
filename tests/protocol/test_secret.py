"""A secret shows itself only when asked by name."""

import copy
import pickle
import traceback
from collections.abc import Callable

import pytest

from protocol.secret import Secret
from tests.protocol.samples import CONTENT_KEY, SAMPLES

CANARY = b"canary-7193-canary"
SECRET = Secret(CANARY)


@pytest.mark.parametrize(
    "shown",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET!s:>20}".strip(),
        f"{SECRET:>20}",
        "%s" % SECRET,  # noqa: UP031 - the old way is shown on purpose
        str([SECRET])[1:-1],
    ],
)
def test_every_way_of_showing_shows_stars(shown: str) -> None:
    """``repr``, ``str``, ``format`` and containers give the same stars."""
    assert "Secret(***)" == shown


@pytest.mark.parametrize(
    "write", [pickle.dumps, copy.copy, copy.deepcopy, hash, lambda secret: {secret: 1}]
)
def test_writing_copying_and_hashing_are_refused(write: Callable[[Secret], object]) -> None:
    """Nothing makes a second one behind the holder's back."""
    with pytest.raises(TypeError) as caught:
        write(SECRET)
    assert "7193" not in "".join(traceback.format_exception(caught.value))


def test_a_secret_equals_a_secret_of_the_same_bytes() -> None:
    """Equality compares contents, and bytes are no secret."""
    assert Secret(CANARY) == SECRET
    assert Secret(b"another") != SECRET
    assert SECRET != CANARY


def test_it_can_be_revealed_and_measured() -> None:
    """``reveal`` gives the bytes, ``len`` their number."""
    assert CANARY == SECRET.reveal()
    assert len(CANARY) == len(SECRET)


def test_it_keeps_bytes_of_its_own() -> None:
    """Changing the source afterwards changes nothing."""
    source = bytearray(CANARY)
    secret = Secret(source)  # type: ignore[arg-type]  # whatever holds bytes
    source[0] = 0

    assert CANARY == secret.reveal()


def test_a_telegram_shows_its_key_as_stars() -> None:
    """The ``repr`` of every telegram is free of the content key."""
    shown = " ".join(map(repr, SAMPLES))

    assert "Secret(***)" in shown
    assert repr(CONTENT_KEY.reveal())[2:-1] not in shown
