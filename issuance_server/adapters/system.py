"""The real clock, the business clock beside it, and the operating system's entropy."""

import secrets
import time
from datetime import datetime

from issuance_server.core.calendar import JST
from issuance_server.core.facts import Now
from protocol.errors import SetUpError
from protocol.secret import Secret

SAMPLE_START = "2026-11-30T10:00:00"
"""The sample city's business clock starts here: a Monday at 10:00 in Japan."""


class SystemClock:
    """Real time for deadlines and keys; business time for hours, dates and ages.

    The two run equally fast. A city in operation has the same time in both; a sample city starts
    its business clock at a given moment, so that it is open whenever somebody tries it.
    """

    def __init__(self, business_start_ms: int | None = None) -> None:
        """Start the clock.

        Args:
            business_start_ms: business time at this moment; None for the real time.
        """
        real_ms = _real_ms()
        self._ahead_ms = 0 if business_start_ms is None else business_start_ms - real_ms

    def now(self) -> Now:
        """Return both times."""
        real_ms = _real_ms()
        return Now(real_ms=real_ms, business_ms=real_ms + self._ahead_ms)


class SystemEntropy:
    """The operating system's random numbers."""

    def draw(self, count: int) -> Secret:
        """Return so many random bytes."""
        return Secret(secrets.token_bytes(count))


def business_start_ms(text: str) -> int | None:
    """Read a start of the business clock.

    Args:
        text: ``system`` for the real time (None), or a time such as ``2026-11-30T23:30:00``, in
            Japan unless it names another zone.

    Raises:
        SetUpError: it is neither.
    """
    if text == "system":
        return None
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise SetUpError(
            f"the business clock cannot start at {text!r}: write system, or a time such as"
            f" {SAMPLE_START}"
        ) from None
    if start.tzinfo is None:
        start = start.replace(tzinfo=JST)
    return int(start.timestamp() * 1_000)


def _real_ms() -> int:
    return time.time_ns() // 1_000_000
