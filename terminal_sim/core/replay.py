"""What of the terminal's core stands in a core trace, and that core as a trace plays it again.

The core is given no PIN, no key, no name and no body (``requests``), so there is little to hide.
The city's signatures are shown, with the public keys that check them: the core checks them itself,
and they name nobody but the city.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from protocol.secret import Secret
from protocol.trace.entries import Header, Recorder, Stepped
from protocol.trace.hiding import Hider
from protocol.trace.replaying import Effects, ReplayImpossible
from protocol.trace.values import Mark, Values
from terminal_sim.core.effects import Leaving, Record
from terminal_sim.core.inputs import Input
from terminal_sim.core.records import AnyRecord
from terminal_sim.core.state import Profile, TerminalState, evolve
from terminal_sim.core.terminal import step

_SHOWN = (
    "answer binding_keys binding_signature call_centre challenge checkpoint_keys city file_digest"
    " issuance_id pages proof request_digest request_id sealed_digest software subject terminal"
    " visit_id"
)
MARKS: Mapping[str, Mark] = {
    **dict.fromkeys(_SHOWN.split(), Mark.SHOWN),
    "Checkpoint.signature": Mark.SHOWN,  # the city's
    "DoubtDismissed.reason": Mark.PERSON,  # an operator's words
}
"""By ``Class.field``, or for all classes by ``field``. What telegrams hold their own types say."""
_PROFILE = "profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOfBefore:
    """A record of the journal as it was when the process began."""

    record: AnyRecord


def values_of_core(key: Secret | None) -> Values:
    """Return what codes the values of the core.

    Args:
        key: of the pseudonyms, 32 random bytes; None: of a trace that was recorded before.
    """
    kinds = [*get_args(Input), Record, *get_args(Leaving), Profile, RecordOfBefore]
    return Values(kinds, MARKS, Hider(key))


class StepCoder:
    """Makes entries of a trace out of what a terminal's core was given and what it decided."""

    def __init__(self, key: Secret) -> None:
        self._values = values_of_core(key)

    def settings(self, profile: Profile) -> dict[str, Any]:
        """Return what the header says of the core."""
        return {_PROFILE: self._values.fields(profile)}

    def before(self, record: AnyRecord) -> Stepped:
        """Return the entry of a record that was folded."""
        given = self._values.named(RecordOfBefore(record=record))
        return Stepped(at_ms=0, now={}, given=given)

    def step(self, input_: Input, now_ms: int, effects: list[Any]) -> Stepped:
        """Return the entry of a step."""
        self._values.begin_step()
        return Stepped(
            at_ms=0,
            now={"now_ms": now_ms},
            given=self._values.named(input_),
            effects=tuple([self._values.named(effect) for effect in effects]),
        )


class ReplayedTerminal:
    """The core of this version, as a trace plays it."""

    def __init__(self, header: Header) -> None:
        """Begin with an empty journal.

        Raises:
            ReplayImpossible: the trace is not of a terminal, or not one of this version.
        """
        if header.recorder is not Recorder.TERMINAL:
            raise ReplayImpossible("a server recorded this; see: issuance-server trace replay FILE")
        self._values = values_of_core(None)
        try:
            profile = self._values.value("Profile", header.settings[_PROFILE])
        except (KeyError, ValueError) as error:
            why = f"the trace has no profile that fits this version: {error}"
            raise ReplayImpossible(why) from None
        self._state = TerminalState(profile=profile)

    def take(self, step_: Stepped) -> Effects:
        """Take one step.

        Raises:
            ValueError: this version knows no such input.
        """
        given = self._values.value(*step_.given)
        if isinstance(given, RecordOfBefore):
            evolve(self._state, given.record)
            return []
        effects = step(self._state, given, step_.now["now_ms"])
        return [self._values.named(effect) for effect in effects]
