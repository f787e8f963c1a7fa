"""Whether the register copy may be relied on now: how old it is, and who works on an entry.

An old copy refuses everything, unless two operators have declared stand-in operation
(基幹システム障害時): then what is there is used until the declared end. An entry that staff has
open for editing (排他, 標準仕様書 §10.3) refuses in any case.
"""

from dataclasses import dataclass

from issuance_server.core.facts import HolderFacts
from protocol.codes import ReplyCode

CLOCK_STEP_MS_MAX = 60_000
"""A copy from further in the future than this cannot show how fresh it is."""
STAND_IN_MS_MAX = 24 * 60 * 60 * 1_000
"""Stand-in operation ends so long after it was declared at the latest."""


def freshness_refusal(holder: HolderFacts, register_age_ms_max: int) -> ReplyCode | None:
    """Return why nothing may be issued from the copy now, or None.

    Args:
        holder: as of the deciding transaction.
        register_age_ms_max: an older copy refuses, unless stand-in operation is declared.
    """
    if holder.under_edit:
        return ReplyCode.RECORD_UNDER_EDIT
    oldest_ms = holder.register_age_ms if holder.stand_in else register_age_ms_max
    if -CLOCK_STEP_MS_MAX <= holder.register_age_ms <= oldest_ms:
        return None
    return ReplyCode.REGISTER_STALE


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyState:
    """How the copy stands.

    Attributes:
        watermark_ms: as of when it is, Unix time in milliseconds.
        sequence: number of the last change that it holds.
        gap: number that was expected and number that came, while changes are missing.
        gap_at_ms: when that was seen.
        stand_in_since_ms: when stand-in operation was declared; None: it is not.
        stand_in_until_ms: when it ends by itself.
    """

    watermark_ms: int
    sequence: int = 0
    gap: tuple[int, int] | None = None
    gap_at_ms: int | None = None
    stand_in_since_ms: int | None = None
    stand_in_until_ms: int | None = None

    def age_ms(self, now_ms: int) -> int:
        """Return how old the copy is."""
        return now_ms - self.watermark_ms

    def is_stale(self, now_ms: int, age_ms_max: int) -> bool:
        """Tell whether the copy alone, without stand-in operation, refuses."""
        return not -CLOCK_STEP_MS_MAX <= self.age_ms(now_ms) <= age_ms_max

    def stands_in(self, now_ms: int) -> bool:
        """Tell whether stand-in operation is declared and has not ended by itself."""
        return self.stand_in_until_ms is not None and now_ms < self.stand_in_until_ms
