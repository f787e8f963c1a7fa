"""The list of terminals while the server runs: acts take hold of open lines before they return."""

import asyncio
from typing import Any

import pytest

from issuance_server.core import inputs as i
from keys.signing import SigningKey
from protocol import telegrams as t
from protocol.envelope import EnvelopeKind, parse
from tests.core.made import OTHER_TERMINAL, START_REAL_MS, TERMINAL, opening
from tests.runtime.doubles import CERTIFICATE_MS, Bench, FarEnd
from tests.runtime.visits import (
    ISSUANCE,
    VISIT,
    authenticate,
    deleted,
    printed,
    release,
    to_sealed,
)

HOUR_MS = 3_600_000
NEW = 77
"""Number of the second certificate."""


def act(change: i.Change, name: str) -> i.ActAccepted:
    """Return an act of an operator that was checked."""
    return i.ActAccepted(
        operator="mado-1",
        act=f"terminal.{name}",
        subject=TERMINAL,
        reason="stolen at night",
        nonce=name.encode().ljust(16, b"."),
        change=change,
    )


REVOKE = act(i.Revocation(terminal=TERMINAL), "revoke")


def certificate_of(far: FarEnd) -> i.NewCertificate:
    """Return a terminal's key certificate, as it was read from its file."""
    return i.NewCertificate(
        terminal=far.terminal,
        line_id=far.line_id,
        fingerprint=far.fingerprint,
        report_public_key=far.report_key.public_key,
        until_ms=START_REAL_MS + CERTIFICATE_MS,
    )


def renew(far: FarEnd, overlap_ms: int) -> i.ActAccepted:
    """Return the act that adds the certificate which this end shows."""
    change = i.RenewedCertificate(certificate=certificate_of(far), overlap_ms=overlap_ms)
    return act(change, "renew")


def renewed(bench: Bench) -> FarEnd:
    """Return the same terminal with its second key."""
    far = FarEnd(TERMINAL, bench.far.number, SigningKey.generate(), certificate=NEW)
    far.handshakes = 50
    return far


def closed(bench: Bench) -> list[Any]:
    """Return why lines were closed."""
    return [line["reason"] for line in bench.log.of("line.closed")]


async def revoke(bench: Bench) -> None:
    """Have the terminal revoked, and take the last word to it."""
    await bench.runtime.record_act(REVOKE)
    await bench._receive(bench.far)


async def test_revocation_takes_hold_of_an_open_line_before_it_returns(bench: Bench) -> None:
    """The very next telegram is dropped and nothing comes back; the log says why."""
    async with bench.running():
        await bench.open_line()
        await bench.ask(opening(), t.Opened)
        assert 1 == bench.runtime.terminal_count
        line = bench.runtime.lines._lines.line_of(bench.far.line_id)
        assert line is not None
        await bench.runtime.record_act(REVOKE)
        assert not line.ready, "the keys are forgotten"
        assert 0 == bench.runtime.terminal_count
        (heard,) = await bench._receive(bench.far)
        assert t.Notice(notice=t.NoticeKind.STOPPED) == heard.telegram  # type: ignore[union-attr]
        bench.tell(t.LineTest(nonce=1))
        await bench.drops()

        assert ["line-unknown"] == [line["reason"] for line in bench.log.of("envelope.dropped")]
        assert bench.gateway.down.empty()
        assert ["terminal-revoked"] == closed(bench)
        (told,) = bench.log.of("terminal.revoked")
        assert (TERMINAL, "mado-1", "stolen at night", 0, 0) == (
            told["terminal"],
            told["operator"],
            told["reason"],
            told["withdrawn"],
            told["owed"],
        )


async def test_revoked_terminal_opens_no_line_any_more(bench: Bench) -> None:
    """Not now and not after a restart of the server; its flights are not even looked at."""
    for _ in range(2):
        async with bench.running():
            if bench.runtime.terminal_count:
                await bench.runtime.record_act(REVOKE)
            bench.far.fresh()
            bench.far.handshakes += 1
            bench.far.line.start_handshake(bytes([bench.far.handshakes]) * 16, START_REAL_MS)
            bench._send(bench.far)
            await bench.drops()
            assert bench.gateway.down.empty()

    assert ["line-unknown"] * 2 == [line["reason"] for line in bench.log.of("envelope.dropped")]


async def test_revocation_withdraws_what_was_sealed(bench: Bench) -> None:
    """The key is destroyed and the body erased, at once."""
    async with bench.running():
        await to_sealed(bench)
        assert await bench.store.key_days()
        await revoke(bench)
        await bench.until(lambda: not bench.runtime._destroyer._waiting)

        assert set() == await bench.store.key_days()
        assert {} == bench.runtime.state.issuances
        (told,) = bench.log.of("issuance.withdrawn")
        assert (ISSUANCE.hex(), "terminal-revoked") == (told["issuance"], told["reason"])


async def test_issuance_that_was_released_becomes_unconfirmed(bench: Bench) -> None:
    """The report can no longer arrive; after five minutes the log says so."""
    async with bench.running():
        await release(bench, await to_sealed(bench))
        await revoke(bench)
        (told,) = bench.log.of("terminal.revoked")
        assert (0, 1) == (told["withdrawn"], told["owed"])
        bench.tell(printed(bench))
        await bench.drops()
        bench.clock.pass_ms(5 * 60_000)
        bench.runtime._timer_changed.set()
        await bench.until(lambda: bench.log.of("issuance.unconfirmed"))

        assert [ISSUANCE.hex()] == [x["issuance"] for x in bench.log.of("issuance.unconfirmed")]


async def test_other_terminals_line_stays_open(bench: Bench) -> None:
    """One is registered while the server runs, and opens; the other is revoked."""
    other = FarEnd(OTHER_TERMINAL, 2, SigningKey.generate())
    other.handshakes = 20
    place = {"chain": "見本", "store": "見本店", "in_city": True}
    async with bench.running():
        await bench.open_line()
        change = i.Registration(certificate=certificate_of(other), **place)  # type: ignore[arg-type]
        await bench.runtime.record_act(act(change, "register"))
        assert 2 == bench.runtime.terminal_count
        await bench.open_line(other)
        await revoke(bench)

        await bench.ask(t.LineTest(nonce=3), t.LineTested, other)
    assert [OTHER_TERMINAL] == [x["terminal"] for x in bench.log.of("terminal.registered")]


async def test_both_keys_work_until_the_overlap_ends(bench: Bench) -> None:
    """Then the line of the old one is closed, within half a second; the new one opens it anew."""
    new = renewed(bench)
    async with bench.running():
        await bench.open_line()
        await bench.runtime.record_act(renew(new, HOUR_MS))
        await bench.ask(t.LineTest(nonce=1), t.LineTested)
        await bench.open_line(new)
        await bench.ask(t.LineTest(nonce=2), t.LineTested, new)
        bench.far.fresh()
        await bench.open_line()
        await bench.ask(t.LineTest(nonce=3), t.LineTested)
        bench.clock.pass_ms(HOUR_MS)
        await bench.runtime._read_list()
        assert ["certificate-over"] == closed(bench)
        bench.tell(t.LineTest(nonce=4))
        await bench.drops()
        rejection = parse((await bench.gateway.down.get())[1])
        assert EnvelopeKind.REJECTION is rejection.kind
        new.fresh()
        await bench.open_line(new)

        await bench.ask(t.LineTest(nonce=5), t.LineTested, new)
    assert [HOUR_MS] == [line["overlap_ms"] for line in bench.log.of("terminal.renewed")]


async def test_renewal_without_overlap_ends_the_old_key_at_once(bench: Bench) -> None:
    """Its line is closed before the act returns, and a handshake with it is refused."""
    new = renewed(bench)
    async with bench.running():
        await bench.open_line()
        await bench.runtime.record_act(renew(new, 0))
        assert ["certificate-over"] == closed(bench)
        await bench.open_line(new)
        bench.far.fresh()
        bench.far.line.start_handshake(bytes(16), START_REAL_MS)
        bench._send(bench.far)
        await bench._receive(bench.far)
        bench._send(bench.far)
        await bench.drops()
        (refused,) = bench.log.of("line.handshake_refused")
        assert "peer-refused" == refused["reason"]

        await bench.ask(t.LineTest(nonce=1), t.LineTested, new)


@pytest.mark.parametrize("at", ["report", "deletion"])
async def test_reports_of_either_key_are_good(bench: Bench, at: str) -> None:
    """Signed before the change and sent after it, or the other way round."""
    old, new = bench.far, renewed(bench)
    async with bench.running():
        await release(bench, await to_sealed(bench))
        if at == "deletion":
            await bench.ask(printed(bench), t.Acknowledged)
        await bench.runtime.record_act(renew(new, 0))
        await bench.open_line(new)
        bench.far = new
        await bench.ask(opening(ISSUANCE), t.Opened)
        if at == "report":
            telegram = old.report(printed(bench).report)
            assert "printed" == (await bench.ask(telegram, t.Acknowledged)).state
        assert "completed" == (await bench.ask(deleted(bench), t.Acknowledged)).state


async def test_list_that_was_read_before_an_act_does_not_undo_it(bench: Bench) -> None:
    """The periodic reading that began before the act is applied before it."""
    async with bench.running():
        terminals = bench.store.terminals
        acting: list[asyncio.Task[None]] = []

        async def slow(now_ms: int) -> Any:
            listed = await terminals(now_ms)
            if not acting:
                acting.append(asyncio.create_task(bench.runtime.record_act(REVOKE)))
                await bench.until(lambda: acting[0].done() or bench.runtime._listing._waiters)
            return listed

        bench.store.terminals = slow  # type: ignore[method-assign]
        await bench.runtime._read_list()
        await acting[0]

        assert 0 == bench.runtime.terminal_count


async def test_visit_of_a_revoked_terminal_ends(bench: Bench) -> None:
    """The card is out of the hands of a machine that nobody trusts."""
    async with bench.running():
        await authenticate(bench)
        await revoke(bench)

        assert "ended" == bench.runtime.state.visits[VISIT].state.value
