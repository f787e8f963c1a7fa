"""``audit verify`` finds and names whatever is done to the audit record behind the city's back."""

import random
from collections import Counter

import pytest

from tests.audit.tampering import ACTS, Tampered, cut_off_everything

SHORT_TAMPERINGS = 100
FULL_TAMPERINGS = 1_000


def test_every_tampering_is_found_and_named(
    tampered: Tampered, pytestconfig: pytest.Config
) -> None:
    """Removals, changes, swaps, additions, truncations, of records and of checkpoints."""
    tamperings = FULL_TAMPERINGS if pytestconfig.getoption("--full") else SHORT_TAMPERINGS
    assert 0 == tampered.verify().status
    drawn, done, named = random.Random(2013), Counter[str](), Counter[str]()
    for number in range(tamperings):
        kind = list(ACTS)[number % len(ACTS)]
        with tampered.by(ACTS[kind], drawn) as sentence:
            ran = tampered.verify()
        done[kind] += 1
        named[kind] += ran.status == 1 and f"audit: {sentence}\n" in ran.err

    assert done == named
    assert 0 == tampered.verify().status


def test_what_a_witness_is_for(tampered: Tampered) -> None:
    """Without one, an earlier state of the whole record is not told from the present one."""
    with tampered.by(cut_off_everything, random.Random(1)) as sentence:
        alone, witnessed = tampered.verify(witnessed=False), tampered.verify()

    assert (0, "") == (alone.status, alone.err)
    assert (1, True) == (witnessed.status, sentence in witnessed.err)
