"""Tables of hours, fees and chains on the running server: loaded, in force, still there later."""

from issuance_server.core import inputs as i
from protocol import telegrams as t
from protocol.kinds import Kind
from tests.core.made import business_ms, tables_toml
from tests.runtime.doubles import Bench
from tests.runtime.visits import ISSUANCE, applying, authenticate, fetch

OFFICE = 'weekdays = "09:00-17:00"'
DEARER = tables_toml({Kind.JUMINHYO: 250}, OFFICE)


def loaded(content: bytes) -> i.ActAccepted:
    """Return the act that puts tables into force."""
    return i.ActAccepted(
        operator="mado-1",
        act="tables.load",
        subject="tables",
        reason="new fees",
        nonce=b"n" * 16,
        change=i.NewTables(content=content),
    )


async def test_loaded_tables_spare_a_quotation_and_outlive_a_restart(bench: Bench) -> None:
    """200 yen were quoted and are taken; whoever comes next pays 250, and at night is sent away."""
    async with bench.running():
        await authenticate(bench)
        quotation = await bench.ask(applying(), t.Quotation)
        await fetch(bench, quotation)
        await bench.runtime.record_act(loaded(DEARER))
        released = t.Release(issuance_id=ISSUANCE, amount_yen=quotation.fee_yen)
        assert 200 == quotation.fee_yen
        await bench.ask(released, t.Released)
    bench.clock.business_ms = business_ms(2026, 12, 1, 17)
    async with bench.running():
        await bench.open_line()
        assert "OUT_OF_HOURS" == await bench.refused(t.Begin(visit_id=b"v" * 16, attempt=1))
        (fees,) = bench.runtime.state.tables.fees

    assert {Kind.JUMINHYO: 250} == fees.yen
