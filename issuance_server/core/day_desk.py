"""Closes days, and what has to be decided before: in the transaction that records it."""

from issuance_server.core import records as r
from issuance_server.core.day_blockers import (
    Blocker,
    BlockReason,
    blockers,
    blockers_of_lines,
    is_over,
    sentence,
    with_commissions,
)
from issuance_server.core.day_changes import CarryOver, CloseDay, OfDay, SettleDifference
from issuance_server.core.day_counts import Counts, by_chain_and_kind, total, totals_by
from issuance_server.core.day_facts import DayFacts
from issuance_server.core.facts import Now
from issuance_server.core.outcome import Outcome
from issuance_server.core.state import SwitchState
from protocol.kinds import Kind

_CARRIED = frozenset({BlockReason.ISSUANCE_OPEN, BlockReason.LINE_OPEN})


class DayDesk:
    """The part of the switch that closes days (日次締め)."""

    def __init__(self, state: SwitchState) -> None:
        self._state = state

    def decide(
        self, change: OfDay, operators: tuple[str, str], facts: DayFacts, now: Now, out: Outcome
    ) -> str | None:
        """Do what operators want of a day, or refuse it.

        Args:
            change: what they want.
            operators: who; the second is empty where it takes one.
            facts: the day, as of this very transaction.
            now: the two times.
            out: takes records and log.

        Returns:
            Why it is refused; None if it is done.
        """
        if change.day <= self._state.closed_through:
            through = self._state.closed_through
            return (
                f"{change.day} is closed, as is every day up to {through}; what ends from now on"
                " counts in a later day"
            )
        match change:
            case CloseDay():
                return self._close(change, operators[0], facts, now, out)
            case CarryOver():
                return self._carry_over(change, operators, facts, now, out)
            case SettleDifference():
                return self._settle(change, operators, facts, now, out)

    def _close(
        self, change: CloseDay, operator: str, facts: DayFacts, now: Now, out: Outcome
    ) -> str | None:
        found = blockers(facts, over=self._over(change.day, now))
        if found:
            out.log(
                "day.blocked",
                day=change.day,
                operator=operator,
                count=len(found),
                reason=",".join(dict.fromkeys(one.reason.value for one in found)),
            )
            return sentence(change.day, found)
        if not (self._state.closed_through or facts.ended or facts.openings or facts.carried_over):
            return (
                f"the city had no business up to {change.day}, so there is nothing to close; the"
                " first day that needs a close is named by: day status"
            )
        ended = with_commissions(facts.ended, self._state.tables, change.day)
        totals = totals_by(by_chain_and_kind, ended)
        out.write(
            r.DayClosed(
                at_ms=now.real_ms,
                day=change.day,
                operator=operator,
                totals=tuple(_recorded(key, totals[key]) for key in sorted(totals, key=_order)),
            )
        )
        sums = total(ended)
        out.log(
            "day.closed",
            day=change.day,
            operator=operator,
            issuances=len(ended),
            copies=sums.copies,
            earned_yen=sums.earned_yen,
            commission_yen=sums.commission_yen,
            carried_over=len(facts.carried_over),
        )
        return None

    def _carry_over(
        self,
        change: CarryOver,
        operators: tuple[str, str],
        facts: DayFacts,
        now: Now,
        out: Outcome,
    ) -> str | None:
        if not self._over(change.day, now):
            return f"{change.day} is not over: terminal {change.terminal} can still close by itself"
        open_ = [one for one in self._of_line(facts, change.terminal) if one.reason in _CARRIED]
        if not open_:
            return (
                f"nothing of terminal {change.terminal} keeps {change.day} open that could be"
                f" carried over; see: day status {change.day}"
            )
        out.write(
            r.LineCarriedOver(
                at_ms=now.real_ms,
                terminal=change.terminal,
                day=change.day,
                operators=operators,
            )
        )
        out.log(
            "day.line_carried_over",
            day=change.day,
            terminal=change.terminal,
            operator=operators[0],
            second=operators[1],
            unfinished=sum(len(one.issuance_ids) for one in open_),
        )
        return None

    def _settle(
        self,
        change: SettleDifference,
        operators: tuple[str, str],
        facts: DayFacts,
        now: Now,
        out: Outcome,
    ) -> str | None:
        found = self._of_line(facts, change.terminal)
        if not any(one.reason is BlockReason.COUNTERS_DIFFER for one in found):
            return (
                f"the counters of terminal {change.terminal} on {change.day} do not differ, or"
                f" that was settled; see: day status {change.day}"
            )
        out.write(
            r.DifferenceSettled(
                at_ms=now.real_ms,
                terminal=change.terminal,
                day=change.day,
                operators=operators,
            )
        )
        out.log(
            "day.difference_settled",
            day=change.day,
            terminal=change.terminal,
            operator=operators[0],
            second=operators[1],
        )
        return None

    def _over(self, day: str, now: Now) -> bool:
        return is_over(day, self._state.tables, now.business_ms)

    def _of_line(self, facts: DayFacts, terminal: str) -> list[Blocker]:
        return [one for one in blockers_of_lines(facts) if one.terminal == terminal]


def _order(key: tuple[str, Kind]) -> tuple[str, int]:
    chain, kind = key
    return chain, list(Kind).index(kind)


def _recorded(key: tuple[str, Kind], counts: Counts) -> r.DayTotal:
    chain, kind = key
    return r.DayTotal(
        chain=chain,
        kind=kind,
        completed=counts.completed,
        reversed=counts.reversed,
        withdrawn=counts.withdrawn,
        closed=counts.closed,
        copies=counts.copies,
        collected_yen=counts.collected_yen,
        returned_yen=counts.returned_yen,
        earned_yen=counts.earned_yen,
        commission_yen=counts.commission_yen,
    )
