"""Hours, fees and chains with real processes: loaded while the city works, seen at the machines."""

import pytest

from tests.processes.town import Town

pytestmark = pytest.mark.processes

CARD = "h001-m1"
EARLY = "2026-12-01T08:50:00"
DAILY = (
    'kinds = ["juminhyo", "kisaijiko", "inkan", "kazei", "koseki-zenbu", "koseki-kojin", "fuhyo"]\n'
    'daily = "06:30-23:00"\n'
)
OFFICE_HOURS = """kinds = ["kisaijiko", "inkan", "kazei", "koseki-zenbu", "koseki-kojin", "fuhyo"]
daily = "06:30-23:00"

[[hours]]
from = 2013-04-01
class = "store"
kinds = ["juminhyo"]
weekdays = "09:00-17:00"
"""
HALL_FEE = 'channel = "city-hall"\n[fees.yen]\njuminhyo = '
HALL_HOURS = 'weekdays = "08:45-19:00"'


@pytest.mark.slow
def test_new_tables_reach_the_machines_without_a_restart(town: Town) -> None:
    """A store says when 住民票 opens; the city hall's machine has three kinds and its own fee."""
    town.start("--clock", EARLY)
    tables = town.folder / "tables.toml"
    text = tables.read_text(encoding="utf-8")
    changed = (
        text.replace(DAILY, OFFICE_HOURS, 1)
        .replace(HALL_HOURS, 'weekdays = "08:00-19:00"')
        .replace(HALL_FEE + "200", HALL_FEE + "250")
    )
    tables.write_text(changed, encoding="utf-8")
    operators = ("--operator", "mado-1", "--second-operator", "mado-2", "--reason", "office hours")
    loaded = town.city(
        *("tables", "load", str(tables), *operators, "--passphrase-stdin"),
        typed="toyonaka-sample\n" * 2,
    )
    assert 0 == loaded.returncode, loaded.stderr
    assert 1 == len(town.events("tables.loaded"))

    store = town.issue("7E-0001", CARD)
    assert 3 == store.wait()
    assert any("住民票の写し: " in one and "12月1日(火) 9:00 から" in one for one in store.said)
    hall = town.issue("CITY-0001", CARD)
    assert 0 == hall.wait(), hall.said
    assert not any("戸籍" in one for one in hall.said)
    (issued,) = (row for row in town.issuances() if row["terminal"] == "CITY-0001")
    assert 250 == issued["fee_yen"]
