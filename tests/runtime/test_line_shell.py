"""The line shell: bytes to inputs, replies to bytes, and what it does with what fits nothing."""

import asyncio

import pytest

from issuance_server.runtime import commit_loop, line_shell
from protocol import codec
from protocol import telegrams as t
from protocol.handshake_port import Role
from protocol.limits import HANDSHAKE_MS_MAX
from protocol.line import TelegramReceived
from protocol.terminal_statements import DeletionReport
from tests.core.made import TERMINAL, opening
from tests.protocol.pair import handshake_id
from tests.runtime.doubles import WRONG_BLOCK, Bench
from tests.runtime.visits import (
    ISSUANCE,
    VISIT,
    authenticate,
    authenticating,
    deleted,
    printed,
    release,
    to_sealed,
)


async def test_malformed_telegram_is_told(bench: Bench) -> None:
    """The seal was good and the content fits nothing: the code, and the field in the log."""
    async with bench.running():
        await bench.open_line()
        bench.far.line.send(b"\x82\xa8telegram\xa5begin\xa7attempt\x00".ljust(512, b"\0"))
        bench._send(bench.far)
        (event,) = await bench._receive(bench.far)

        assert isinstance(event, TelegramReceived)
        assert isinstance(event.telegram, t.Refused)
        assert "MALFORMED" == event.telegram.code.name
        (line,) = bench.log.of("telegram.dropped")
        assert line["reason"].startswith("malformed at ")


async def test_opening_for_another_terminal_is_dropped(bench: Bench) -> None:
    """The line is one terminal's; another name in the telegram is nobody's."""
    async with bench.running():
        await bench.open_line()
        bench.tell(opening(terminal="ANOTHER"))
        await bench.until(lambda: bench.log.of("telegram.dropped"))

        (line,) = bench.log.of("telegram.dropped")
        assert ("another-terminal", TERMINAL) == (line["reason"], line["terminal"])
        assert bench.gateway.down.empty()


async def test_telegram_that_is_no_request_is_dropped(bench: Bench) -> None:
    """A terminal that sends the server's telegrams is not answered."""
    async with bench.running():
        await bench.open_line()
        bench.tell(t.Closed(counters=t.Counters(completed=0, reversed=0, fees_earned_yen=0)))
        await bench.until(lambda: bench.log.of("telegram.dropped"))

        assert ["not-a-request"] == [x["reason"] for x in bench.log.of("telegram.dropped")]


async def test_bytes_from_nobody_are_dropped_and_logged(bench: Bench) -> None:
    """An unknown line, damage on a known one, and a flood of handshakes."""
    async with bench.running():
        bench.gateway.up.put_nowait(("kofu/1/272035/00/0000000000000000/up", b""))
        bench.gateway.up.put_nowait(("other/topic", b""))
        bench.send_bytes(b"no envelope")
        await bench.drops(3)
        assert [("", "line-unknown", 1), ("", "envelope", 2)] == [
            (line["line"], line["reason"], line["count"])
            for line in bench.log.of("envelope.dropped")
        ]
        for number in range(25):
            bench.far.line.start_handshake(handshake_id(number), bench.clock.real_ms)
            bench._send(bench.far)
        await bench.drops(5)

        assert [(bench.far.line_id.hex(), "handshake-rate", 5)] == [
            (line["line"], line["reason"], line["count"])
            for line in bench.log.of("line.handshake_refused")
        ]


async def test_half_open_handshake_is_given_up(bench: Bench) -> None:
    """Its time is over while nothing else happens."""
    async with bench.running():
        bench.far.line.start_handshake(handshake_id(1), bench.clock.real_ms)
        bench._send(bench.far)
        await bench._receive(bench.far)
        bench.clock.pass_ms(HANDSHAKE_MS_MAX)
        bench.runtime.lines.timer_changed.set()
        await bench.drops()

        (line,) = bench.log.of("line.handshake_refused")
        assert ("handshake-timed-out", bench.far.line_id.hex()) == (line["reason"], line["line"])


async def test_new_keys_replace_the_old_ones(bench: Bench) -> None:
    """The same terminal opens again: answered under the new keys, and told in the log."""
    async with bench.running():
        await bench.open_line()
        assert [] == bench.log.of("line.replaced")
        bench.far.fresh()
        await bench.open_line()
        await bench.ask(opening(), t.Opened)

        assert [bench.far.line_id.hex()] == [x["line"] for x in bench.log.of("line.replaced")]


async def test_late_copy_of_an_opening_does_not_open_again(bench: Bench) -> None:
    """Under keys that were replaced meanwhile, though they still open."""
    async with bench.running():
        await bench.open_line()
        before = bench.far.line
        before.send(codec.encode(opening()))
        bench.far.fresh()
        await bench.open_line()
        await bench.ask(opening(), t.Opened)
        for message in before.messages_to_send():
            bench.send_bytes(message)
        await bench.until(lambda: bench.log.of("telegram.dropped"))

        (line,) = bench.log.of("telegram.dropped")
        assert "opening-under-old-keys" == line["reason"]
        assert 1 == len(bench.log.of("line.opened"))


async def test_flood_of_different_drops_is_told_in_bounded_lines(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond so many kinds the rest is counted together."""
    monkeypatch.setattr(line_shell, "DROP_KINDS_MAX", 1)
    async with bench.running():
        bench.gateway.up.put_nowait(("kofu/1/272035/00/0000000000000000/up", b""))
        for _ in range(4):
            bench.send_bytes(b"no envelope")
        await bench.drops(5)

        assert [("line-unknown", 1), ("many", 4)] == [
            (line["reason"], line["count"]) for line in bench.log.of("envelope.dropped")
        ]


async def test_signature_is_checked_with_the_registered_key(bench: Bench) -> None:
    """A report signed by any other key changes nothing."""
    async with bench.running():
        await release(bench, await to_sealed(bench))
        good = printed(bench)
        forged = t.Report(report=good.report, signature=bench.city_key.sign(b"anything"))
        assert "MALFORMED" == await bench.refused(forged)
        assert "printed" == (await bench.ask(good, t.Acknowledged)).state
        other = t.Deleted(
            report=DeletionReport(issuance_id=ISSUANCE, at_ms=2),
            signature=deleted(bench).signature,
        )
        assert "MALFORMED" == await bench.refused(other)


async def test_attempts_are_forgotten_when_they_are_answered(bench: Bench) -> None:
    """Card number and PIN block stay no longer than the judge needs them, refused or not."""
    async with bench.running():
        attempts = bench.runtime.lines._attempts
        await authenticate(bench)
        assert {} == attempts
        await bench.ask(authenticating(), t.Menu)
        assert "KEY_REUSED" == await bench.refused(authenticating(block=WRONG_BLOCK))

        assert {} == attempts


async def test_attempts_kept_are_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is given up; its terminal is told that nothing could be judged."""
    monkeypatch.setattr(line_shell, "ATTEMPTS_KEPT_MAX", 1)
    async with bench.running():
        shell = bench.runtime.lines
        await bench.open_line()
        await bench.ask(t.Begin(visit_id=VISIT, attempt=1), t.ChallengeGiven)
        shell._attempts[t.RequestRef(1, 1, bytes(32))] = authenticating()
        await bench.ask(authenticating(), t.Menu)

        assert {} == shell._attempts


async def test_carrier_that_fails_loses_messages_and_nothing_else(bench: Bench) -> None:
    """They are counted; the terminal asks again."""
    async with bench.running():
        await bench.open_line()
        bench.gateway.broken = True
        bench.tell(t.LineTest(nonce=1))
        await bench.until(lambda: bench.runtime.lines.dropped_count)
        bench.gateway.broken = False

        assert 2 == (await bench.ask(t.LineTest(nonce=2), t.LineTested)).nonce
        assert 1 == bench.runtime.lines.dropped_count


async def test_full_queues_are_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too much coming in, or too much going out: dropped, counted, and in the log."""
    monkeypatch.setattr(line_shell, "MESSAGES_WAITING_MAX", 1)
    monkeypatch.setattr(commit_loop, "INPUTS_WAITING_MAX", 1)
    async with bench.running():
        await bench.open_line()
        for nonce in range(10):
            bench.far.line.send(codec.encode(t.LineTest(nonce=nonce)))
        bench._send(bench.far)
        await bench.until(lambda: bench.log.of("gateway.queue_full"))

        counts = [line["dropped_since_start"] for line in bench.log.of("gateway.queue_full")]
        assert list(range(1, len(counts) + 1)) == counts


async def test_used_up_keys_are_forgotten(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more is sealed under them; the terminal notices and makes new ones."""
    async with bench.running():
        await bench.open_line()
        line = bench.runtime.lines._lines.line_of(bench.far.line_id)
        assert line is not None
        assert line._role is Role.SERVER
        monkeypatch.setattr("protocol.sealing.TELEGRAMS_PER_GENERATION_HARD_MAX", 0)
        bench.runtime.lines.notify_all(t.NoticeKind.DRAINING)
        assert not line.ready
        monkeypatch.undo()
        bench.far.fresh()
        await bench.open_line()

        await bench.ask(t.LineTest(nonce=1), t.LineTested)


async def test_reply_to_a_terminal_without_a_line_goes_nowhere(bench: Bench) -> None:
    """After a restart nobody has keys yet."""
    async with bench.running():
        ref = t.RequestRef(generation=1, counter=1, digest=bytes(32))
        bench.runtime.lines.reply(TERMINAL, ref, t.LineTested(nonce=1))
        await asyncio.sleep(0)

        assert bench.gateway.down.empty()
