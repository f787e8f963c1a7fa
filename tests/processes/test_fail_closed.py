"""Issuing that is stopped in the whole city, with real processes."""

import pytest

from tests.processes.town import Town

pytestmark = pytest.mark.processes

CARD = "h001-m1"
OPERATOR = ("--operator", "mado-1", "--reason", "seen at the counter", "--passphrase-stdin")
PASSPHRASE = "toyonaka-sample\n"


def test_a_stopped_city_issues_nothing_until_two_reopen_it(town: Town) -> None:
    """A machine is refused and takes no money; afterwards the same card gets its certificate."""
    town.start()
    issues = town.city("status")
    assert (0, True) == (issues.returncode, "certificates are issued" in issues.stdout)
    assert 0 == town.city("issuance", "stop", *OPERATOR, typed=PASSPHRASE).returncode
    assert 1 == town.city("status").returncode

    refused = town.issue("7E-0001", CARD)
    assert 0 != refused.wait()
    assert "ISSUING_STOPPED" == refused.result["refusal"]["name"]
    assert [] == list(town.paper.iterdir())

    by_two = (*OPERATOR, "--second-operator", "mado-2")
    assert 0 == town.city("issuance", "reopen", *by_two, typed=PASSPHRASE * 2).returncode
    issued = town.issue("7E-0001", CARD)
    assert 0 == issued.wait(), issued.said
    assert 1 == len(town.events("issuing.stopped")) == len(town.events("issuing.reopened"))
