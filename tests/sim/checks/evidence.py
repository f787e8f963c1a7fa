"""29: the city's record only ever grows, and no witness finds anything else."""

from terminal_sim.core import records as here
from tests.sim.checks.witness import Witness


class Evidence(Witness):
    """Listens to the terminals, which keep the city's signed checkpoints."""

    def on_terminal_records(self, terminal: str, records: list[here.AnyRecord]) -> None:
        """Nobody puts the city's record back in here."""
        for record in records:
            if isinstance(record, here.DoubtRaised):
                self.broken(29, f"{terminal} doubts the city's record: {record.doubt.value}")
