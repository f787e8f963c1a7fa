"""What the judge has to report: kept in the store until the server has it in its journal."""

import msgspec

from issuance_server.adapters.pin_judge.store_file import Transaction
from issuance_server.core.pin_policy import JudgeEvent, JudgeEventName, Verdict, VerdictOutcome

EVENTS_PER_PAGE = 100


async def report_failures(t: Transaction, verdict: Verdict) -> None:
    """Report what people must hear of, even if nobody takes the verdict."""
    if verdict.outcome is VerdictOutcome.BURNED:
        await report(t, _event(JudgeEventName.TRY_BURNED, verdict))
    if verdict.locked_now:
        await report(t, _event(JudgeEventName.CARD_LOCKED, verdict))
    if verdict.frozen_now:
        await report(t, _event(JudgeEventName.TERMINAL_FROZEN, verdict))


async def report(t: Transaction, event: JudgeEvent) -> None:
    """Write an event; its number is given here, whatever it says."""
    await t.change(
        "INSERT INTO event (name, at_ms, card_ref, terminal, tries_left, operator)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        *(event.name.value, event.at_ms, event.card_ref, event.terminal),
        *(event.tries_left, event.operator),
    )


async def page(t: Transaction, collected_up_to: int) -> list[JudgeEvent]:
    """Forget the events up to a number, and return the next ones."""
    await t.change("DELETE FROM event WHERE number <= ?", collected_up_to)
    rows = await t.rows(
        "SELECT number, name, at_ms, card_ref, terminal, tries_left, operator"
        " FROM event ORDER BY number LIMIT ?",
        EVENTS_PER_PAGE,
    )
    fields = JudgeEvent.__struct_fields__
    return [msgspec.convert(dict(zip(fields, row, strict=True)), JudgeEvent) for row in rows]


def _event(name: JudgeEventName, verdict: Verdict) -> JudgeEvent:
    about_card = name is not JudgeEventName.TERMINAL_FROZEN
    return JudgeEvent(
        number=0,
        name=name,
        at_ms=verdict.at_ms,
        card_ref=verdict.card_ref if about_card else None,
        terminal=verdict.terminal,
        tries_left=verdict.tries_left if about_card else None,
    )
