"""Every kind of certificate, from the menu to the paper, on the running server."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from issuance_server.certificates.order import CertificateRefused, RefusalReason
from protocol import sealed_certificate
from protocol import telegrams as t
from protocol.kinds import Item, Kind, Options, Scope
from tests.adapters.city_file import HOLDER_ID, RECORDS, put_tables
from tests.core.made import TERMINAL, tables_toml
from tests.runtime.doubles import Bench
from tests.runtime.visits import ISSUANCE, VISIT, applying, authenticate, deleted, fetch, printed

FEES_YEN = {kind: 350 if kind.value.startswith("koseki") else 200 for kind in Kind}
SEAL = "(SELECT record_id FROM register_record_holder WHERE kind = 'inkan' AND resident_id = ?)"


@pytest.fixture
def bench(bench: Bench) -> Bench:
    """A city that offers all kinds."""
    put_tables(bench.path, tables_toml(FEES_YEN))
    return bench


def change(path: Path, sql: str) -> None:
    """Change the holder's seal from outside, as the staff's program does."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql, (HOLDER_ID,))


@pytest.mark.parametrize("kind", Kind)
async def test_kind_comes_to_paper(bench: Bench, kind: Kind) -> None:
    """It is on the menu with its fee; what is released is what was made of the holder's record."""
    async with bench.running():
        menu = await authenticate(bench)
        assert FEES_YEN == {item.kind: item.fee_yen for item in menu.items}
        quotation = await bench.ask(applying(kind=kind), t.Quotation)
        sealed = await fetch(bench, quotation)
        assert FEES_YEN[kind] == quotation.fee_yen
        asked = t.Release(issuance_id=ISSUANCE, amount_yen=FEES_YEN[kind])
        released = await bench.ask(asked, t.Released)
        report = printed(bench, quotation.sheets)
        assert "printed" == (await bench.ask(report, t.Acknowledged)).state
        assert "completed" == (await bench.ask(deleted(bench), t.Acknowledged)).state

    (order,) = bench.renderer.orders
    assert (kind, RECORDS.get((HOLDER_ID, kind))) == (order.kind, order.record)
    pdf = sealed_certificate.open_sealed(
        sealed, sheets=quotation.sheets, key=released.content_key, issuance_id=ISSUANCE
    )
    assert bench.renderer.made[0].pdf == pdf
    assert kind is released.binding.kind


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Kind.INKAN, Options(scope=Scope.HOUSEHOLD)),
        (Kind.KAZEI, Options(items=(Item.DOMICILE,))),
        (Kind.KOSEKI_KOJIN, Options(scope=Scope.HOUSEHOLD)),
        (Kind.FUHYO, Options(scope=Scope.SOME, members=(1,))),
    ],
)
async def test_choice_that_a_kind_does_not_have_is_refused(
    bench: Bench, kind: Kind, options: Options
) -> None:
    """Before anything is made of it."""
    async with bench.running():
        await authenticate(bench)
        assert "OPTIONS_INVALID" == await bench.refused(applying(kind=kind, options=options))

    assert [] == bench.renderer.orders


async def test_seal_that_is_not_registered_is_not_offered(bench: Bench) -> None:
    """It is not on the menu, and who asks for it all the same is sent to the counter."""
    change(
        bench.path,
        "DELETE FROM register_record_holder WHERE kind = 'inkan' AND resident_id = ?",
    )
    async with bench.running():
        menu = await authenticate(bench)
        assert set(Kind) - {Kind.INKAN} == {item.kind for item in menu.items}
        assert (Kind.INKAN, "SEAL_NOT_REGISTERED") == (
            menu.unavailable[0].kind,
            menu.unavailable[0].code.name,
        )
        assert "SEAL_NOT_REGISTERED" == await bench.refused(applying(kind=Kind.INKAN))


async def test_seal_that_changed_meanwhile_is_not_released(bench: Bench) -> None:
    """Another seal was registered after the certificate was made: its key does not leave."""
    async with bench.running():
        await authenticate(bench)
        await fetch(bench, await bench.ask(applying(kind=Kind.INKAN), t.Quotation))
        change(bench.path, f"UPDATE register_record SET version = 9999 WHERE record_id = {SEAL}")
        asked = t.Release(issuance_id=ISSUANCE, amount_yen=FEES_YEN[Kind.INKAN])
        assert "DATA_CHANGED" == await bench.refused(asked)


@pytest.mark.parametrize(
    ("reason", "item", "code"),
    [
        ("seal-abolished", "", "SEAL_ABOLISHED"),
        ("record-missing", "", "NOT_ISSUED_HERE"),
        ("filing-in-progress", "", "FAMILY_REGISTER_HELD"),
        ("kind-not-offered", "", "KIND_NOT_OFFERED"),
        ("options-not-offered", "", "OPTIONS_INVALID"),
        ("relationship-impossible", "名欄2 続柄", "CANNOT_BE_PRINTED"),
    ],
)
async def test_refused_certificate_is_told_and_logged(
    bench: Bench, reason: RefusalReason, item: str, code: str
) -> None:
    """The resident hears a sentence; the operator reads the reason and what is to be corrected."""
    bench.renderer.fails = CertificateRefused(reason, item)
    async with bench.running():
        await authenticate(bench)
        assert code == await bench.refused(applying(kind=Kind.INKAN))

    (line,) = bench.log.of("certificate.refused")
    assert (ISSUANCE.hex(), TERMINAL, "inkan", reason, item) == (
        line["issuance"],
        line["terminal"],
        line["kind"],
        line["reason"],
        line["item"],
    )
    assert [reason] == [line["reason"] for line in bench.log.of("issuance.withdrawn")]


async def test_applications_for_several_kinds_are_one_visit(bench: Bench) -> None:
    """One card and one PIN are enough for them."""
    async with bench.running():
        await authenticate(bench)
        for number, kind in enumerate(Kind):
            quotation = await bench.ask(applying(b"%016d" % number, kind=kind), t.Quotation)
            assert FEES_YEN[kind] == quotation.fee_yen
        await bench.ask(t.EndVisit(visit_id=VISIT), t.Acknowledged)

    assert list(Kind) == [order.kind for order in bench.renderer.orders]
