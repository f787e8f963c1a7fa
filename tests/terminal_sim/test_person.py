"""What the person at the machine is shown of kinds that are not to be had."""

from datetime import datetime, timedelta, timezone

import pytest

from protocol.codes import ReplyCode
from protocol.kinds import Kind
from protocol.telegrams import Unavailable
from terminal_sim.person import why_not

OPENS_MS = int(datetime(2026, 12, 1, 9, 0, tzinfo=timezone(timedelta(hours=9))).timestamp()) * 1_000


@pytest.mark.parametrize(
    ("code", "opens_at_ms", "shown"),
    [
        (ReplyCode.OUT_OF_HOURS, OPENS_MS, "ただいまはサービス時間外です。12月1日(火) 9:00 から"),
        (ReplyCode.OUT_OF_HOURS, None, "ただいまはサービス時間外です。"),
        (ReplyCode.KIND_NOT_OFFERED, None, "この証明書はここでは交付できません。"),
    ],
)
def test_a_closed_kind_says_when_it_opens(
    code: ReplyCode, opens_at_ms: int | None, shown: str
) -> None:
    """The day and the minute in Japan, if one is foreseen."""
    assert shown == why_not(Unavailable(kind=Kind.KOSEKI_ZENBU, code=code, opens_at_ms=opens_at_ms))
