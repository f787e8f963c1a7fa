"""A terminal whose prints fail too often is stopped for inspection (design §2)."""

import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.day_facts import MACHINE_FAULTS, PrintFacts
from issuance_server.core.facts import Facts
from protocol.issuance import IssuanceState
from protocol.terminal_statements import FailureCause
from tests.core.desk import Desk
from tests.core.made import TERMINAL, as_input, failed_report, signed


def stops(before: PrintFacts, cause: FailureCause = FailureCause.PRINTER) -> bool:
    """Tell whether one more failed print stops a terminal that has printed like this."""
    desk = Desk()
    desk.reach(IssuanceState.RELEASED)
    telegram = signed(failed_report(cause=cause))
    input_ = as_input(telegram, desk.ref(telegram), TERMINAL)
    assert isinstance(input_, i.Reported)
    assert TERMINAL == desk.switch.needs(input_, desk.now).prints_of
    effects = desk.switch.step(input_, desk.now, Facts(prints=before))
    records = [one.record for one in effects if isinstance(one, e.Write)]
    stopped = [one for one in records if isinstance(one, r.LineStopped)]
    assert bool(stopped) == (TERMINAL in desk.state.stopped_terminals)
    return bool(stopped)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (PrintFacts(), False),
        (PrintFacts(failed_in_day=2, failed=2, reported=2), False),
        (PrintFacts(failed_in_day=3, failed=3, reported=3), True),
        (PrintFacts(failed_in_day=0, failed=1, reported=48), False),  # 49 are too few to tell
        (PrintFacts(failed_in_day=0, failed=0, reported=49), False),  # 1 of 50: 2 %
        (PrintFacts(failed_in_day=0, failed=1, reported=49), True),  # 2 of 50: 4 %
        (PrintFacts(failed_in_day=0, failed=19, reported=999), False),  # 20 of 1,000: 2 %
        (PrintFacts(failed_in_day=0, failed=20, reported=999), True),
    ],
)
def test_more_than_three_in_a_day_or_two_percent_stop(
    before: PrintFacts, *, expected: bool
) -> None:
    """Both bounds may be reached, and not passed."""
    assert expected == stops(before)


@pytest.mark.parametrize("cause", list(FailureCause))
def test_only_faults_of_the_machine_count(cause: FailureCause) -> None:
    """A lost answer says nothing about the printer; a wrong page stops it at once anyway."""
    if cause is FailureCause.NONE:
        return
    many = PrintFacts(failed_in_day=9, failed=9, reported=9)

    assert (cause in MACHINE_FAULTS) == stops(many, cause)
    assert (cause is FailureCause.BINDING_MISMATCH) == stops(PrintFacts(), cause)
