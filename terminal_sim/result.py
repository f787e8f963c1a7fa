"""What an ``issue`` came to: the exit code, the words for a person, the object for a program."""

from collections.abc import Callable
from enum import IntEnum
from itertools import pairwise
from pathlib import Path
from typing import Any

from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.telegrams import Refused
from terminal_sim.core.state import Issuance, TerminalState
from terminal_sim.person import Application, Person


class Exit(IntEnum):
    """Exit codes of the programs."""

    DONE = 0  # the paper is out and the deletion is confirmed
    SET_UP = 1  # files, broker or city are not as needed
    USAGE = 2
    REFUSED = 3  # the city refused
    UNKNOWN = 4  # something is still to be settled; the next opening does
    FAILED = 5  # failed, withdrawn or cancelled; money that was put in is returned


_WORST_FIRST = (Exit.UNKNOWN, Exit.REFUSED, Exit.FAILED, Exit.DONE)
_NOT_CONFIRMED = frozenset({ReplyCode.UNKNOWN.name.lower()})


def exit_of(issuance: Issuance | None, refusal: Refused | None) -> Exit:
    """Return the exit code for an issuance, or for a visit that never came to one."""
    if issuance is not None and not issuance.ended:
        return Exit.UNKNOWN
    if issuance is not None and issuance.state is IssuanceState.COMPLETED:
        return Exit.DONE if deletion_confirmed(issuance) else Exit.UNKNOWN
    return Exit.REFUSED if refusal is not None else Exit.FAILED


def deletion_confirmed(issuance: Issuance) -> bool:
    """Tell whether the city has recorded the deletion, or has ended the issuance otherwise."""
    answer = issuance.deletion_answer
    return answer is not None and answer not in _NOT_CONFIRMED


def exit_of_visit(state: TerminalState, person: Person, refused: Refused | None) -> Exit:
    """Return the exit code for all that was wanted of a visit: done only if everything is.

    Args:
        state: the terminal's state at the end.
        person: who had the visit.
        refused: what the city refused before any visit began.
    """
    exits = {
        exit_of(
            state.issuances.get(wanted.issuance_id or b""),
            wanted.refusal or _before(wanted, person, refused),
        )
        for wanted in person.applications
    }
    return next(one for one in _WORST_FIRST if one in exits)


def closing_words(result: Exit, state: TerminalState, person: Person) -> str:
    """Return the last line that a person reads.

    Args:
        result: the exit code of the visit.
        state: the terminal's state at the end.
        person: who had the visit.
    """
    wanted = person.applications
    ends = [state.issuances.get(one.issuance_id or b"") for one in wanted]
    out = sum(end is not None and end.state is IssuanceState.COMPLETED for end in ends)
    if out and result in (Exit.REFUSED, Exit.FAILED):
        return f"{len(wanted)}件のうち{out}件を交付しました ({out} of {len(wanted)} issued)"
    if result is Exit.FAILED and person.returned_yen:
        return "中止しました。お預かりした手数料はお返ししました (not issued, money returned)"
    return _CLOSING_WORDS[result]


_CLOSING_WORDS = {
    Exit.DONE: "完了しました (done: paper out, deletion confirmed)",
    Exit.REFUSED: "交付できませんでした (refused)",
    Exit.UNKNOWN: "結果は次の開局で確定します (outcome unknown until the next opening)",
    Exit.FAILED: "中止しました (not issued)",
}


def outcome_words(told: dict[str, Any]) -> str:
    """Return how one of several certificates ended.

    Args:
        told: its object of ``result_object``.
    """
    if told["state"] is None:
        return "申請していません (not applied for)"
    state = told["state"] if told["refusal"] is None else "refused"
    fee = "-" if told["fee_yen"] is None else f"{told['fee_yen']}円"
    return f"{state}、{fee}、{told['money']} (state, fee, money)"


def result_object(
    state: TerminalState,
    person: Person,
    *,
    refused: Refused | None,
    paper_of: Callable[[bytes], Path],
    counters_agree: bool | None,
) -> dict[str, Any]:
    """Return the object that ``--json`` prints.

    What belongs to one issuance stands in ``issuances``, an object for each certificate that was
    wanted, and, where only one was wanted, beside the visit as well.

    Args:
        state: the terminal's state at the end.
        person: who had the visit.
        refused: what the city refused before any visit began.
        paper_of: where the paper of an issuance would lie.
        counters_agree: whether both sides counted the same; None if they could not be compared.
    """
    issuances = [_issuance_object(state, wanted, paper_of) for wanted in person.applications]
    for wanted, told in zip(person.applications, issuances, strict=True):
        told["refusal"] = refusal_object(wanted.refusal or _before(wanted, person, refused))
    alone = issuances[0] if len(issuances) == 1 else {"refusal": refusal_object(refused)}
    return {
        "terminal": state.profile.terminal,
        "visit": None if person.visit_id is None else person.visit_id.hex(),
        **alone,
        "counters_agree": counters_agree,
        "durations_ms": durations_ms(person.marks),
        "issuances": issuances,
    }


def _before(wanted: Application, person: Person, refused: Refused | None) -> Refused | None:
    """Return why it was not even applied for, as far as the city said so."""
    return (refused or person.visit_refusal) if wanted.issuance_id is None else refused


def _issuance_object(
    state: TerminalState, wanted: Application, paper_of: Callable[[bytes], Path]
) -> dict[str, Any]:
    issuance = state.issuances.get(wanted.issuance_id or b"")
    quoted = None if issuance is None else issuance.quoted
    failure = None if issuance is None else issuance.failure
    paper = None if issuance is None else paper_of(issuance.issuance_id)
    return {
        "issuance": None if issuance is None else issuance.issuance_id.hex(),
        "kind": None if issuance is None else issuance.applied.kind.value,
        "sheets": None if quoted is None else quoted.sheets,
        "fee_yen": None if quoted is None else quoted.fee_yen,
        "state": None if issuance is None else issuance.state.value,
        "money": None if issuance is None else issuance.money.value,
        "sheets_out": None if issuance is None else issuance.sheets_laid,
        "sheets_unknown": failure is not None and failure.sheets_unknown,
        "failure": None if failure is None else failure.cause.value,
        "mismatch": failure.mismatch.value if failure and failure.mismatch else None,
        "deletion_confirmed": issuance is not None and deletion_confirmed(issuance),
        "paper": str(paper) if paper is not None and paper.exists() else None,
    }


def durations_ms(marks: list[tuple[str, int]]) -> dict[str, int]:
    """Return how long each stretch took, named by what it led to, and the total."""
    durations = {name: at_ms - before_ms for (_, before_ms), (name, at_ms) in pairwise(marks)}
    return {**durations, "total": marks[-1][1] - marks[0][1]}


def refusal_object(refusal: Refused | None) -> dict[str, Any] | None:
    """Return how a refusal is told to a program."""
    if refusal is None:
        return None
    return {
        "code": refusal.code.value,
        "name": refusal.code.name,
        "sentence": refusal.code.sentence(),
        "tries_left": refusal.tries_left,
    }
