"""1, 6 and 30: in a city where nobody tampers, no gate and no terminal ever has to stop a document.

A document of somebody else that is stopped at the last moment is no wrong paper, and is a bug all
the same: in 2023 such alarms were closed as harmless.
"""

from typing import Any

from protocol.terminal_statements import FailureCause
from terminal_sim.core import records as here
from tests.sim.checks.witness import Witness

_OF_LIARS = frozenset({"never-released", "failed-prints"})
"""Reasons that a terminal alone can bring about, with a false report."""


class Alarms(Witness):
    """Listens to the honest terminals and to the server's log."""

    def on_terminal_records(self, terminal: str, records: list[here.AnyRecord]) -> None:
        """Nothing that a terminal got may be anything but what it asked for."""
        for record in records:
            if not isinstance(record, here.PrintFailed | here.Withdrawn):
                continue
            if record.cause is FailureCause.BINDING_MISMATCH:
                mismatch = getattr(record, "mismatch", None)
                what = "its ciphertext" if mismatch is None else mismatch.value
                name = record.issuance_id.hex()[:8]
                self.broken(1, f"{terminal} had to stop {name}: {what} is not what was promised")

    def on_log(self, event: str, fields: dict[str, Any]) -> None:
        """The city's own gate never finds another document than was ordered."""
        if event == "integrity.alarm" and fields["reason"] not in _OF_LIARS:
            name = str(fields["issuance"])[:8]
            self.broken(6, f"the city raised an alarm about {name}: {fields['reason']}")
