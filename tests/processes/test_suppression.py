"""A suppression with real processes: set while the city works, in force at once, told to nobody."""

import pytest

from issuance_server.sample.residents import sample_households
from protocol.codes import ReplyCode
from tests.processes.town import Terminal, Town

pytestmark = pytest.mark.processes

CARD = "h001-m1"
SUPPORTED, DIED = "h023-m1", "h031-m1"
HOLDER = sample_households()[1].head_id


def refused(terminal: Terminal) -> tuple[int, list[str]]:
    """Wait for the end, and return everything that the person at the machine is told."""
    return terminal.wait(), terminal.said


@pytest.mark.slow
def test_suppression_is_in_force_at_once_and_looks_like_any_refusal(town: Town) -> None:
    """Set through the running server, lifted again; the log has no number of a person."""
    town.start()

    def act(*words: str) -> str:
        by = ("--operator", "mado-1", "--reason", "asked for at the counter", "--passphrase-stdin")
        done = town.city("suppression", *words, *by, typed="toyonaka-sample\n" * 2)
        assert 0 == done.returncode, done.stderr
        return done.stdout.strip()

    suppression = act("add", "--resident", HOLDER, "--why", "support")
    here = refused(town.issue("7E-0001", CARD, "--certificate", "juminhyo"))
    assert 3 == here[0]
    assert any(ReplyCode.NOT_ISSUED_HERE.sentence() in said for said in here[1])
    for card in (SUPPORTED, DIED):
        assert here == refused(town.issue("7E-0001", card, "--certificate", "juminhyo"))
    act("lift", suppression, "--second-operator", "mado-2")
    again = town.issue("7E-0001", CARD, "--certificate", "juminhyo")
    assert 0 == again.wait(), again.said

    reasons = [line["reason"] for line in town.events("visit.refused")]
    assert ["supported", "supported", "died"] == reasons
    assert 1 == len(town.events("suppression.set")) == len(town.events("suppression.lifted"))
    assert HOLDER not in town.log_text
