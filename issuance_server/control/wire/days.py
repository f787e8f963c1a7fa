"""What commands say and ask about business days, and the acts of two operators that go with them.

All that these acts need stands in the subject that their operators sign; nothing comes with them.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from issuance_server.adapters.sqlite.day_accounts import AccountRow, LateReport
from issuance_server.core.day_counts import Counts
from protocol.telegrams import Counters

ACT_DAY_CLOSE = "day.close"
ACT_DAY_CARRY_OVER = "day.carry-over"
ACT_DAY_SETTLE = "day.settle"
ACT_ISSUANCE_CLOSE = "issuance.close"
ACT_TERMINAL_REOPEN = "terminal.reopen"

_Day = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class ReadDay(msgspec.Struct, frozen=True, kw_only=True, tag="read-day"):
    """How a day stands; None: the first that is not closed and has business."""

    day: _Day | None = None


class ReadAccounts(msgspec.Struct, frozen=True, kw_only=True, tag="read-accounts"):
    """A page of the issuances that count in a day."""

    day: _Day
    after: int


class CountsRow(msgspec.Struct, frozen=True, kw_only=True):
    """A sum, and what it is of: a chain, a kind, or both."""

    chain: str | None = None
    kind: str | None = None
    counts: Counts


class LineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal on a day: how its line stands, and its sums.

    Attributes:
        terminal: its id.
        chain: who runs the store.
        store: the store's name.
        line: one of ``LineState``.
        ours: what the server counted in the last opening that was closed on the day.
        theirs: what the terminal said.
        counts: sums.
    """

    terminal: str
    chain: str
    store: str
    line: str
    ours: Counters | None
    theirs: Counters | None
    counts: Counts


class BlockerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that keeps a day open: a reason, and what it is about."""

    reason: str
    terminal: str | None
    issuances: tuple[str, ...]
    text: str


class DayStatus(msgspec.Struct, frozen=True, kw_only=True, tag="day-status"):
    """How a day stands.

    Attributes:
        day: which; None: no day that is not closed has any business.
        over: nothing can be applied for on it any more.
        closed_at_ms: since when it is closed; None: it is open.
        closed_by: by whom.
        city: sums of the city.
        chains: sums by chain.
        kinds: sums by chain and kind.
        lines: every terminal with business or an opening on the day.
        blockers: what keeps it open.
        late_reports: words of terminals, come on the day, about what two operators had closed.
    """

    day: str | None
    over: bool = False
    closed_at_ms: int | None = None
    closed_by: str | None = None
    city: Counts = Counts()  # a frozen value
    chains: tuple[CountsRow, ...] = ()
    kinds: tuple[CountsRow, ...] = ()
    lines: tuple[LineRow, ...] = ()
    blockers: tuple[BlockerRow, ...] = ()
    late_reports: tuple[LateReport, ...] = ()


class Accounts(msgspec.Struct, frozen=True, kw_only=True, tag="accounts"):
    """A page; empty at the end."""

    rows: tuple[AccountRow, ...]
