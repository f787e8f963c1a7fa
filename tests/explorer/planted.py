"""Bugs planted into the shipped cores and their surroundings, to see that the explorer sees.

``python -m tests.explorer.planted`` prints each with the rule that it breaks and the length of the
shortest way there.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import issuance_desk as server_issuances
from issuance_server.core.settling_desk import SettlingDesk
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from terminal_sim.core import endings, line_desk, printing, release
from terminal_sim.core import terminal as terminal_core
from terminal_sim.core.effects import LaySheet
from terminal_sim.core.records import SheetLaid, SpoolErased
from terminal_sim.core.requests import KeyGiven, Step
from terminal_sim.core.state import Issuance
from terminal_sim.core.turn import Turn
from tests.explorer import judge_side, server_side, tokens
from tests.explorer.configuration import GUESSING, TWO_PEOPLE, Configuration, Trouble
from tests.explorer.search import Found, Search
from tests.explorer.server_moves import ServerMoves, ServerStep

Plant = Callable[[pytest.MonkeyPatch], None]
STATES_MAX = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedBug:
    """A bug, and where it is to be found.

    Attributes:
        name: what was done wrong.
        plant: puts it in, until the patch is undone.
        breaks: how the fault that is found begins: a rule of the domain, or a word.
        visits: who comes.
        troubles: what else goes wrong.
    """

    name: str
    plant: Plant
    breaks: str
    visits: Any = None
    troubles: dict[Trouble, int]


def search(bug: PlantedBug) -> Found:
    """Plant a bug, explore, and take it out again."""
    with pytest.MonkeyPatch.context() as patch:
        bug.plant(patch)
        visits = {} if bug.visits is None else {"visits": bug.visits}
        about = f"planted: {bug.name}"
        configuration = Configuration(name=bug.name, about=about, troubles=bug.troubles, **visits)
        return Search(configuration, STATES_MAX).run()


def no_check_at_release(patch: pytest.MonkeyPatch) -> None:
    """The register was looked at upon the application, so why again."""
    patch.setattr(server_issuances.IssuanceDesk, "_release_refusal", lambda *_: None)


def ended_instead_of_out_of_order(patch: pytest.MonkeyPatch) -> None:
    """A repeated release of what is unconfirmed has ended, hasn't it."""
    shipped = server_issuances.IssuanceDesk._release_again

    def again(self: Any, issuance: Any, ref: Any, asked: Any, out: Any) -> None:
        if issuance.state is IssuanceState.UNCONFIRMED:
            out.refuse(issuance.terminal, ref, ReplyCode.ENDED)
        else:
            shipped(self, issuance, ref, asked, out)

    patch.setattr(server_issuances.IssuanceDesk, "_release_again", again)


def answer_to_who_waited_last(patch: pytest.MonkeyPatch) -> None:
    """Renderings are answered by order, and not by what they are about."""
    shipped = server_issuances.IssuanceDesk.rendered

    def rendered(self: Any, made: Any, now: Any, out: Any) -> None:
        if self._waiting:
            self._waiting[made.issuance_id] = self._waiting.popitem()[1]
        shipped(self, made, now, out)

    patch.setattr(server_issuances.IssuanceDesk, "rendered", rendered)


def renderings_by_order(patch: pytest.MonkeyPatch) -> None:
    """The renderer takes whichever resident is first in its folder."""
    shipped = server_side.Server.made

    def made(self: Any, state: Any, issuance_id: bytes) -> Any:
        waiting = [one for one in state.issuances if one.state is IssuanceState.APPLIED]
        found = shipped(self, state, issuance_id)
        if found is None or not waiting:
            return found
        resident = self._residents[waiting[0].applied.resident_id]
        content = tokens.content_of(issuance_id, resident, 0)
        return i.Rendered(
            issuance_id=issuance_id,
            register_version=found.register_version,
            sheets=found.sheets,
            file_digest=tokens.file_digest(content),
            pages=tokens.pages(content, found.sheets),
            sealed_bytes=found.sealed_bytes,
            sealed_digest=tokens.sealed_digest(content),
            key_day=found.key_day,
            wrapped_key=content,
        )

    patch.setattr(server_side.Server, "made", made)


def key_kept_after_deletion(patch: pytest.MonkeyPatch) -> None:
    """The deletion is confirmed at once, and the key row goes some day."""
    shipped = SettlingDesk.deleted

    def deleted(self: Any, came: Any, facts: Any, now: Any, out: Any) -> None:
        shipped(self, came, facts, now, out)
        dropped = [one for one in out.effects if isinstance(one, e.DropKey)]
        out.effects[:] = [one for one in out.effects if one not in dropped]
        ids = tuple(one.issuance_id for one in dropped)
        self.keys_destroyed(i.KeysDestroyed(issuance_ids=ids), now, out)

    patch.setattr(SettlingDesk, "deleted", deleted)


def answer_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """Answers leave while the transaction is still being written."""
    shipped = ServerMoves._twins

    def twins(self: Any, before: int, taken: Any, *rest: Any) -> Iterator[ServerStep]:
        yield from shipped(self, before, taken, *rest)
        if taken.records and taken.told:
            again, costs = self.restarted(before).after, (Trouble.SERVER_CRASH,)
            label = f"{rest[0]}; answered, and the server dies before the commit"
            yield ServerStep(label, again, taken.told, costs=costs, dies=True)

    patch.setattr(ServerMoves, "_twins", twins)


def compared_before_counted(patch: pytest.MonkeyPatch) -> None:
    """The judge counts a wrong PIN when it knows that it is wrong."""
    patch.setattr(judge_side, "COUNT_BEFORE_COMPARING", False)


def fee_before_the_paper(patch: pytest.MonkeyPatch) -> None:
    """The fee is earned as the last sheet starts."""
    shipped = printing.printer_ready

    def ready(turn: Turn, issuance_id: bytes) -> None:
        shipped(turn, issuance_id)
        issuance = turn.issuance(issuance_id)
        if issuance.quoted and issuance.sheets_started == issuance.quoted.sheets:
            sheet = issuance.sheets_started
            turn.record(SheetLaid(issuance_id=issuance_id, sheet=sheet, at_ms=turn.now_ms))
            endings.complete(turn, issuance_id)

    patch.setattr(printing, "printer_ready", ready)


def prints_after_never(patch: pytest.MonkeyPatch) -> None:
    """A key that comes after *never prints* is used after all."""
    shipped = Turn.forget
    shipped_answer = terminal_core._ON_ANSWER[Step.RELEASE]

    def forget(turn: Turn, subject: bytes) -> None:
        kept = {one for one in turn.state.asked if one.step is Step.RELEASE}
        turn.state.asked -= kept
        shipped(turn, subject)
        turn.state.asked |= kept

    def answered(turn: Turn, request: Any, answer: Any) -> None:
        failed = turn.issuance(request.subject).state is IssuanceState.PRINT_FAILED
        if failed and isinstance(answer, KeyGiven):
            turn.do(LaySheet(issuance_id=request.subject, sheet=1, sheets=1))
        else:
            shipped_answer(turn, request, answer)

    patch.setattr(Turn, "forget", forget)
    patch.setitem(terminal_core._ON_ANSWER, Step.RELEASE, answered)


def silent_after_no_answer(patch: pytest.MonkeyPatch) -> None:
    """Without an answer to the release, the money goes back and nobody is told."""

    def withdrawn(turn: Turn, issuance_id: bytes, **_: Any) -> None:
        endings.withdraw(turn, issuance_id, tell=False)

    patch.setattr(release, "fail", withdrawn)


def erased_before_erasing(patch: pytest.MonkeyPatch) -> None:
    """The erasure is put on record together with the printing."""
    shipped = endings.complete

    def complete(turn: Turn, issuance_id: bytes) -> None:
        shipped(turn, issuance_id)
        turn.record(SpoolErased(issuance_id=issuance_id, at_ms=turn.now_ms))

    patch.setattr(printing, "complete", complete)


def printing_goes_on_after_power(patch: pytest.MonkeyPatch) -> None:
    """A sheet that was started before the power failed is laid again."""
    shipped = endings.end_after_restart

    def ended(turn: Turn, issuance: Issuance) -> None:
        started = issuance.state is IssuanceState.RELEASED and issuance.sheets_started
        if started and issuance.sheets_laid < issuance.sheets_started:
            sheet = issuance.sheets_started
            turn.do(LaySheet(issuance_id=issuance.issuance_id, sheet=sheet, sheets=sheet))
        else:
            shipped(turn, issuance)

    patch.setattr(line_desk, "end_after_restart", ended)


T = Trouble
CRASH, POWER = {T.SERVER_CRASH: 1}, {T.TERMINAL_CRASH: 1}
TIMES = {T.SERVER_TIME: 1, T.TERMINAL_TIME: 1}
GUESSES = ((GUESSING,),)

PLANTED = (
    PlantedBug(
        name="released without looking at the register again",
        plant=no_check_at_release,
        breaks="13:",
        troubles={T.SUPPRESSION: 1},
    ),
    PlantedBug(
        name="*ended* where an unconfirmed release is repeated",
        plant=ended_instead_of_out_of_order,
        breaks="8:",
        troubles=TIMES,
    ),
    PlantedBug(
        name="a rendering answers whoever waited last",
        plant=answer_to_who_waited_last,
        breaks="2:",
        visits=TWO_PEOPLE,
        troubles={},
    ),
    PlantedBug(
        name="renderings by order",
        plant=renderings_by_order,
        breaks="1:",
        visits=TWO_PEOPLE,
        troubles={},
    ),
    PlantedBug(
        name="key kept after the deletion", plant=key_kept_after_deletion, breaks="22:", troubles={}
    ),
    PlantedBug(
        name="answered before the commit",
        plant=answer_before_the_commit,
        breaks="11:",
        troubles=CRASH,
    ),
    PlantedBug(
        name="compared before counted",
        plant=compared_before_counted,
        breaks="20:",
        visits=GUESSES,
        troubles={T.JUDGE_CRASH: 1},
    ),
    PlantedBug(
        name="fee earned before the paper", plant=fee_before_the_paper, breaks="10:", troubles={}
    ),
    PlantedBug(
        name="printed after *never prints*", plant=prints_after_never, breaks="9:", troubles=TIMES
    ),
    PlantedBug(
        name="silent after no answer", plant=silent_after_no_answer, breaks="8:", troubles=TIMES
    ),
    PlantedBug(
        name="erasure recorded before erasing",
        plant=erased_before_erasing,
        breaks="22:",
        troubles={},
    ),
    PlantedBug(
        name="printing goes on after a power failure",
        plant=printing_goes_on_after_power,
        breaks="10:",
        troubles=POWER,
    ),
)


def main() -> int:
    """Print what finds each bug; 1 if one is not found."""
    missed = 0
    for bug in PLANTED:
        found = search(bug)
        fault = found.fault or "not found"
        missed += not fault.startswith(bug.breaks)
        steps = len(found.trace)
        print(f"{bug.name:<50}{steps:>4} steps {found.states:>7} states  {fault}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
