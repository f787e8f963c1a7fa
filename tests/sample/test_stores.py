"""The sample terminals: five chains in and out of the city, and the city hall's machine."""

import re

from issuance_server.sample.stores import CITY_HALL, sample_terminals


def test_every_chain_is_in_and_out_of_the_city() -> None:
    """Each of the five chains has a store on either side; the city hall's machine is inside."""
    places = {(terminal.chain, terminal.in_city) for terminal in sample_terminals()}
    chains = {chain for chain, _ in places} - {CITY_HALL}
    assert 5 == len(chains)
    assert {(chain, side) for chain in chains for side in (True, False)} | {
        (CITY_HALL, True)
    } == places


def test_terminals_have_ids_of_the_line_and_one_each() -> None:
    """At least twelve ids, all different, of capital letters, digits and hyphens."""
    ids = [terminal.terminal_id for terminal in sample_terminals()]
    assert len(ids) >= 12
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[A-Z0-9-]{2,16}", terminal_id) for terminal_id in ids)
