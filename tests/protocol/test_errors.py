"""The error tree: who is to blame, and the exact texts."""

import pytest

from protocol import errors
from protocol.errors import (
    AdapterError,
    CounterReplayed,
    EnvelopeError,
    HandshakeFailed,
    JournalFailed,
    KeyManagementError,
    KofuError,
    MalformedTelegram,
    Misuse,
    PeerRefused,
    SealError,
    SetUpError,
    TelegramError,
)


@pytest.mark.parametrize(
    ("error", "text", "parent"),
    [
        (
            MalformedTelegram("$.copies"),
            "telegram does not fit the table at $.copies",
            TelegramError,
        ),
        (EnvelopeError("too short"), "too short", TelegramError),
        (SealError(), "the seal does not open", TelegramError),
        (CounterReplayed(7), "counter 7 was used before or is too old", TelegramError),
        (HandshakeFailed("wrong city"), "wrong city", TelegramError),
        (PeerRefused("not listed"), "not listed", HandshakeFailed),
        (KeyManagementError("no such key"), "no such key", KofuError),
        (SetUpError("run init"), "run init", KofuError),
        (AdapterError("no broker"), "no broker", KofuError),
        (JournalFailed("disk full"), "disk full", AdapterError),
        (TelegramError("whatever"), "whatever", KofuError),
        (Misuse("a bug"), "a bug", RuntimeError),
    ],
)
def test_texts_and_places_in_the_tree(error: Exception, text: str, parent: type[Exception]) -> None:
    """Each error has this text and hangs below this one."""
    assert text == str(error)
    assert parent is type(error).__bases__[0]


def test_our_own_bugs_are_no_part_of_the_tree() -> None:
    """Whoever handles ``KofuError`` does not swallow a ``Misuse``."""
    assert not issubclass(Misuse, KofuError)


def test_what_an_error_carries_can_be_read() -> None:
    """Field path and counter are attributes."""
    assert "$.copies" == MalformedTelegram("$.copies").field
    assert 7 == CounterReplayed(7).counter


def test_the_tree_in_the_docstring_is_whole() -> None:
    """Every error class is drawn at the top of its module."""
    classes = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    undrawn = [name for name in classes if name not in (errors.__doc__ or "")]

    assert [] == undrawn
