"""What the devices of a terminal and the people in front of it do, and what paper tells of it."""

from dataclasses import replace
from functools import lru_cache

from protocol.kinds import Kind, Options
from protocol.visit import VisitState
from terminal_sim.core import inputs as into
from tests.explorer.terminal_side import Sheet, Terminal, TerminalSide, Word
from tests.explorer.tokens import resident_on, sealed_digest

FEE_YEN = 200


@lru_cache(maxsize=1_024)
def chosen(terminal: Terminal, visit_id: bytes, wish: int) -> into.CertificateChosen:
    """Return what a person wishes."""
    visit = int(visit_id.rstrip(b"-").rsplit(b" ", 1)[1])
    return into.CertificateChosen(
        visit_id=visit_id,
        issuance_id=terminal.issuance_id(visit, wish),
        kind=Kind.JUMINHYO,
        options=Options(),
        copies=1,
    )


def say(  # noqa: PLR0911  # one for each kind of word
    terminal: Terminal, side: TerminalSide, word: Word
) -> tuple[TerminalSide, into.Input]:
    """Let a device act or the person do something; return what the core is told of it.

    What is physical has happened in the state that is returned, before any record of it.
    """
    side = replace(side, words=side.words - {word})
    subject = word.subject
    match word.kind:
        case "pin":
            return side, into.PinEntered(visit_id=subject)
        case "take card":
            return side, into.CardTaken(visit_id=subject)
        case "choose":
            return side, chosen(terminal, subject, word.number)
        case "pay":
            coins = tuple(sorted({**dict(side.coins), subject: "in"}.items()))
            paid = into.MoneyInserted(issuance_id=subject, amount_yen=FEE_YEN)
            return replace(side, coins=coins), paid
        case "store":
            content = dict(side.pieces)[subject]
            side = replace(
                side,
                pieces=side.pieces - {(subject, content)},
                spool=side.spool | {(subject, content)},
            )
            digest = sealed_digest(content)
            return side, into.CiphertextStored(issuance_id=subject, sealed_digest=digest)
        case "ready":
            return side, into.PrinterReady(issuance_id=subject)
        case "lay":
            content = dict(side.opened).get(subject, b"nothing|-1|0")
            paper = tuple(sorted((*side.paper, Sheet(subject, word.number, content))))
            sheet = into.SheetOut(issuance_id=subject, sheet=word.number)
            return replace(side, paper=paper), sheet
        case "erase":
            side = replace(
                side,
                pieces=frozenset(one for one in side.pieces if one[0] != subject),
                opened=frozenset(one for one in side.opened if one[0] != subject),
                spool=frozenset(one for one in side.spool if one[0] != subject),
            )
            return side, into.Erased(issuance_id=subject)
    return side, into.CloseAsked()


def refuse(side: TerminalSide, word: Word) -> tuple[TerminalSide, into.Input] | None:
    """Let a device refuse instead, if it can."""
    side = replace(side, words=side.words - {word})
    match word.kind:
        case "store":
            return side, into.CiphertextStored(issuance_id=word.subject, sealed_digest=None)
        case "ready" | "lay":
            return side, into.PrinterFailed(issuance_id=word.subject)
    return None


def may_begin(terminal: Terminal, side: TerminalSide) -> bool:
    """Tell whether the next person can put in a card."""
    visit = side.core.visit
    free = visit is None or visit.state is VisitState.ENDED
    return free and side.core.opening is not None and side.visits < len(terminal.plans)


def fault_of_paper(terminal: Terminal, side: TerminalSide) -> str | None:
    """Look at the sheets that came out of a machine: whose, which, how often."""
    laid: set[tuple[bytes, int]] = set()
    for sheet in side.paper:
        if resident_on(sheet.content) != terminal.plan_of(sheet.issuance_id).resident:
            return "1: a sheet of somebody else came out"
        if sheet.number > side.core.issuances[sheet.issuance_id].sheets_started:
            return "9: a sheet came out that no record speaks of"
        if (sheet.issuance_id, sheet.number) in laid:
            return "11: a sheet came out twice"
        laid.add((sheet.issuance_id, sheet.number))
    for issuance_id, where in side.coins:
        issuance = side.core.issuances.get(issuance_id)
        if where == "earned" and (issuance is None or not all_out(side, issuance_id)):
            return "10: the fee was earned before the last sheet was out"
    return None


def all_out(side: TerminalSide, issuance_id: bytes) -> bool:
    """Tell whether every sheet of an issuance came out."""
    quoted = side.core.issuances[issuance_id].quoted
    out_here = sum(1 for sheet in side.paper if sheet.issuance_id == issuance_id)
    return quoted is not None and out_here == quoted.sheets
