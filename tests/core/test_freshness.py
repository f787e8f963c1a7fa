"""Freshness of the copy: its age, stand-in operation, and entries that staff has open."""

from dataclasses import replace

import pytest

from issuance_server.core.freshness import CopyState, freshness_refusal
from protocol.codes import ReplyCode
from tests.core.made import HOLDER

MAX_MS = 600_000


@pytest.mark.parametrize(
    ("age_ms", "stand_in", "under_edit", "code"),
    [
        (0, False, False, None),
        (MAX_MS, False, False, None),
        (MAX_MS + 1, False, False, ReplyCode.REGISTER_STALE),
        (MAX_MS + 1, True, False, None),
        (10**9, True, False, None),
        (-60_000, False, False, None),
        (-60_001, False, False, ReplyCode.REGISTER_STALE),
        (-60_001, True, False, ReplyCode.REGISTER_STALE),
        (0, False, True, ReplyCode.RECORD_UNDER_EDIT),
        (MAX_MS + 1, True, True, ReplyCode.RECORD_UNDER_EDIT),
    ],
)
def test_old_copy_refuses_unless_stand_in_is_declared(
    age_ms: int, stand_in: bool, under_edit: bool, code: ReplyCode | None
) -> None:
    """A copy from the future shows nothing, and an open entry refuses in any case."""
    holder = replace(HOLDER, register_age_ms=age_ms, stand_in=stand_in, under_edit=under_edit)

    assert code == freshness_refusal(holder, MAX_MS)


def test_stand_in_ends_by_itself() -> None:
    """At its end it is over, whoever forgot it."""
    state = CopyState(watermark_ms=0, stand_in_since_ms=10, stand_in_until_ms=100)

    assert [True, False] == [state.stands_in(99), state.stands_in(100)]
    assert not CopyState(watermark_ms=0).stands_in(0)


@pytest.mark.parametrize(("now_ms", "stale"), [(0, False), (600_000, False), (600_001, True)])
def test_staleness_does_not_ask_for_stand_in(now_ms: int, stale: bool) -> None:
    """The alarm tells of the copy, not of what is done about it."""
    state = CopyState(watermark_ms=0, stand_in_since_ms=0, stand_in_until_ms=10**9)

    assert stale is state.is_stale(now_ms, MAX_MS)
