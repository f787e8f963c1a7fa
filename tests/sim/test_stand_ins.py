"""Every stand-in of the simulation beside the part that it stands for: one course, one outcome.

The handshake's stand-in is held against TLS by ``tests/protocol/test_line_over_tls.py``, and the
store's double by ``test_store_double.py`` and, in whole worlds, by ``test_repeatable.py``.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

import protocol.statements
from issuance_server.certificates.order import CertificateOrder
from issuance_server.sample.city import ISSUER
from keys.day_keys import DayKeys
from keys.pin_sealing import PinOpener, PinSealer
from keys.signing import SigningKey
from keys.storage_key import StorageKey
from protocol.errors import KeyManagementError, KofuError, MalformedTelegram, Misuse, SealError
from protocol.kinds import Kind, Options
from protocol.page_digest import page_digests
from protocol.secret import Secret
from terminal_sim.devices import CoinBox, Printer
from terminal_sim.spool import Spool
from tests.sim import stand_ins
from tests.sim.checks.witness import Court
from tests.sim.devices import MemoryCoinBox, MemoryPrinter, MemorySpool, Power
from tests.sim.faults import Faults
from tests.sim.inline_sqlite import InlineConnection
from tests.sim.loop import NODE, Node
from tests.sim.plan import NO_FAULTS
from tests.sim.residents import residents
from tests.terminal_sim.paper_city import document

ONE, OTHER = b"1" * 16, b"2" * 16
FAULTS = Faults(NO_FAULTS, random.Random(1))
PIN = Secret(b"4938")


@pytest.fixture(autouse=True)
def powered() -> Iterator[None]:
    """Run each test as if inside of a living process."""
    token = NODE.set(Node("test"))
    yield
    NODE.reset(token)


def power() -> Power:
    return Power("T-0001", FAULTS)


def outcome(act: Callable[[], Any]) -> Any:
    """Return what an act gives, or the kind of error that it raises."""
    try:
        return act()
    except (KofuError, Misuse, OSError) as error:
        return type(error).__name__


@pytest.mark.parametrize("real", [False, True])
def test_signature_holds_for_its_key_and_statement_alone(*, real: bool) -> None:
    """A good one is accepted; another key, another statement, any other bytes are not."""
    keys: list[Any] = [SigningKey.from_seed(Secret(bytes([n]) * 32)) for n in (1, 2)]
    holds = protocol.statements.signature_holds
    if not real:
        keys = [stand_ins.StandInKey(bytes([n]) * 32) for n in (1, 2)]
        holds = stand_ins.signature_holds
    signature = keys[0].sign(b"statement")
    damaged = bytes([signature[0] ^ 1]) + signature[1:]

    assert 64 == len(signature)
    assert holds(keys[0].public_key, signature, b"statement")
    assert not holds(keys[1].public_key, signature, b"statement")
    assert not holds(keys[0].public_key, signature, b"another")
    assert not holds(keys[0].public_key, damaged, b"statement")
    assert not holds(keys[0].public_key, b"", b"statement")


@pytest.mark.parametrize("real", [False, True])
def test_pin_block_opens_for_its_info_alone(*, real: bool) -> None:
    """It opens to the PIN; for another attempt, damaged or cut short, it does not open at all."""
    opener: Any = PinOpener.generate() if real else stand_ins.StandInOpener()
    sealer: Any = PinSealer(opener.public_key) if real else None
    sealer = sealer or stand_ins.StandInSealer(random.Random(1).randbytes)
    block = sealer.seal(PIN, b"attempt 1")

    assert PIN.reveal() == opener.open(block, b"attempt 1").reveal()
    assert block != sealer.seal(PIN, b"attempt 1")
    for bad, info in (
        (block, b"attempt 2"),
        (block[:-1] + bytes([block[-1] ^ 1]), b"attempt 1"),
        (bytes([block[0] ^ 1]) + block[1:], b"attempt 1"),
        (block[:-1], b"attempt 1"),
    ):
        with pytest.raises(SealError):
            opener.open(bad, info)


@pytest.mark.parametrize("real", [False, True])
def test_day_key_unwraps_until_it_is_destroyed(tmp_path: Path, *, real: bool) -> None:
    """A data key comes back under its day alone, and never after the day key is gone."""
    days: Any = stand_ins.DayKeysHere(random.Random(1).randbytes)
    if real:
        days = DayKeys(tmp_path / "days", StorageKey(Secret(bytes(32))))
    wrapped = days.wrap("2026-11-30", Secret(b"k" * 32))
    other = days.wrap("2026-12-01", Secret(b"k" * 32))

    assert 40 == len(wrapped)
    assert b"k" * 32 == days.unwrap("2026-11-30", wrapped).reveal()
    with pytest.raises(KeyManagementError):
        days.unwrap("2026-11-30", other)
    assert ("2026-11-30", "2026-12-01") == days.days()
    days.destroy("2026-11-30")
    days.destroy("2026-11-30")
    assert ("2026-12-01",) == days.days()
    with pytest.raises(KeyManagementError):
        days.unwrap("2026-11-30", wrapped)


def test_spools_take_keep_and_erase_the_same(tmp_path: Path) -> None:
    """One course over both spools: the same contents, the same refusals."""
    spools: tuple[Any, Any] = (Spool(tmp_path), MemorySpool(power(), FAULTS, Court(())))
    course: tuple[Callable[[Any], Any], ...] = (
        lambda spool: spool.read(ONE),
        lambda spool: spool.write(ONE, b"sealed"),
        lambda spool: spool.write(ONE, b"again"),
        lambda spool: spool.read(ONE),
        lambda spool: spool.write(OTHER, b"other"),
        lambda spool: spool.erase_others(frozenset({OTHER})),
        lambda spool: spool.erase(ONE),
        lambda spool: spool.read(OTHER),
        lambda spool: spool.erase(OTHER),
        lambda spool: spool.erase(OTHER),
        lambda spool: spool.read(OTHER),
    )
    for act in course:
        assert outcome(partial(act, spools[0])) == outcome(partial(act, spools[1]))


def test_coin_boxes_move_the_same(tmp_path: Path) -> None:
    """One course over both coin boxes: each coin moves once, the other way is refused."""
    real, double = CoinBox(tmp_path), MemoryCoinBox(power(), Court(()))
    course: tuple[Callable[[Any], Any], ...] = (
        lambda box: box.insert(ONE, 500),
        lambda box: box.hold(ONE, 200),
        lambda box: box.hold(ONE, 200),
        lambda box: box.earn(ONE),
        lambda box: box.earn(ONE),
        lambda box: box.give_back(ONE),
        lambda box: box.insert(OTHER, 300),
        lambda box: box.give_back_others(frozenset({ONE})),
        lambda box: box.earn(OTHER),
        lambda box: box.give_back(OTHER),
    )
    for act in course:
        assert outcome(partial(act, real)) == outcome(partial(act, double))
        inside_yen, earned_yen, _ = real.totals_yen()
        assert (inside_yen, earned_yen) == (sum(double.inside.values()), double.earned_yen)
    real.close()


def test_printers_lay_as_many_sheets(tmp_path: Path) -> None:
    """A document of two sheets comes out in two, and what is no document does not come out."""
    told: list[str] = []
    court = Court(())
    court.sheet = lambda *sheet: told.append(sheet[-1])  # type: ignore[attr-defined]
    real, double = Printer(tmp_path / "tray"), MemoryPrinter(power(), FAULTS, court)
    text = b'["one"]\n["two"]'
    real.make_ready()
    double.make_ready()
    for sheet in (1, 2):
        real.lay(ONE, document(2), sheet=sheet, sheets=2)
        double.lay(ONE, text, sheet=sheet, sheets=2)
        paper = real.paper(ONE).read_bytes()
        assert sheet == len(page_digests(paper)) == len(told)
    assert 2 == len(stand_ins.page_digests(text)) == len(page_digests(document(2)))
    for digests in (page_digests, stand_ins.page_digests):
        with pytest.raises(MalformedTelegram):
            digests(b"no document")


async def test_statements_without_a_thread_give_the_same(tmp_path: Path) -> None:
    """Rows, counts, transactions and errors agree with those of the real connection."""
    real = await aiosqlite.connect(tmp_path / "a.db", isolation_level=None)
    inline = InlineConnection(
        sqlite3.connect(tmp_path / "b.db", isolation_level=None), lambda: True
    )
    seen: list[list[Any]] = []
    for connection in (real, inline):
        rows: list[Any] = []
        one: Any = connection
        await one.executescript("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT);")
        await one.execute("BEGIN")
        await one.executemany("INSERT INTO t VALUES (?, ?)", [(1, "x"), (2, "y")])
        async with one.execute("UPDATE t SET b = 'z' WHERE a > ?", (0,)) as cursor:
            rows.append(cursor.rowcount)
        await one.execute("ROLLBACK")
        rows.append([tuple(row) for row in await one.execute_fetchall("SELECT * FROM t")])
        await one.execute("BEGIN")
        await one.execute("INSERT INTO t VALUES (3, 'w')")
        await one.execute("COMMIT")
        async with one.execute("SELECT a, b FROM t") as cursor:
            rows.append(tuple(await cursor.fetchone()))
            rows.append(await cursor.fetchone())
        with pytest.raises(sqlite3.IntegrityError):
            await one.execute("INSERT INTO t VALUES (3, 'w')")
        seen.append(rows)
        await one.close()

    assert seen[0] == seen[1]


def test_gate_refuses_what_was_not_ordered() -> None:
    """As the real gate, the stand-in's lets nothing through but the document of its order."""

    def order(number: int) -> CertificateOrder:
        household = residents(None).households[number]
        return CertificateOrder(
            issuance_id=bytes([number]) * 16,
            kind=Kind.JUMINHYO,
            options=Options(),
            holder_id=household.head_id,
            household=household,
            numbers=(f"number {number}",),
            issued_on=date(2026, 11, 30),
            issuer=ISSUER,
        )

    made = stand_ins.rendered(order(1))

    assert stand_ins.gate(order(1), made, deep=True) is None
    assert stand_ins.gate(order(2), made, deep=True) is not None
    assert made.sheets == len(made.sheet_digests)
