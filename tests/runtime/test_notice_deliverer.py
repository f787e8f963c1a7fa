"""本人通知: from the record of a printing to the mail, at least once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from issuance_server.adapters.senders import MailServer, SmtpSender
from issuance_server.adapters.sqlite.outbox import Outbox, notice_rows, subscription_rows
from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.core import inputs as i
from issuance_server.core import notices
from issuance_server.core.calendar import JST
from issuance_server.core.notice_changes import Subscribing, Unsubscribing
from issuance_server.core.notices import Letter
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.runtime.notice_deliverer import NoticeDeliverer
from protocol import telegrams as t
from protocol.errors import AdapterError
from protocol.kinds import Kind
from tests.adapters.city_file import HOLDER_ID, CityFile
from tests.adapters.conftest import city, city_path, founded
from tests.adapters.smtp_sink import smtp_sink
from tests.core.made import (
    ISSUANCE,
    VISIT,
    applying,
    authenticating,
    deletion,
    failed_report,
    print_report,
    rendered,
    signed,
    verdict,
)

__all__ = ["city", "city_path", "founded"]  # fixtures
ADDRESS = "canary@resident.example"


class Kept:
    """A sender that keeps what it is given, and fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.letters: list[Letter] = []
        self.failures = failures

    async def send(self, letter: Letter) -> None:
        if self.failures:
            self.failures -= 1
            raise AdapterError("server-failed")
        self.letters.append(letter)


class Died(Exception):
    """The process is gone."""


def act(change: i.Change, number: int) -> i.ActAccepted:
    return i.ActAccepted(
        operator="mado-1",
        act="notice",
        subject="digest",
        reason="asked for it",
        nonce=number.to_bytes(16),
        change=change,
    )


async def subscribe(city: CityFile, address: str = ADDRESS, number: int = 1) -> None:
    await city.give(act(Subscribing(resident_id=HOLDER_ID, address=address), number))


async def printed(city: CityFile, report: Any = None) -> None:
    """Bring the usual issuance to its print report."""
    right = verdict(VerdictOutcome.RIGHT)
    steps: Sequence[Any] = (
        t.Begin(visit_id=VISIT, attempt=1),
        i.ChallengeDrawn(visit_id=VISIT, attempt=1, challenge=bytes(32)),
        authenticating(),
        i.VerdictGiven(visit_id=VISIT, attempt=1, verdict=right),
        applying(),
        rendered(register_version=1),
        t.Held(issuance_id=ISSUANCE, sealed_digest=rendered().sealed_digest),
        t.Release(issuance_id=ISSUANCE, amount_yen=200),
        signed(print_report() if report is None else report),
    )
    for step in steps:
        await (city.ask(step) if isinstance(step, t.Telegram) else city.give(step))


def deliverer(city: CityFile, sender: Any) -> tuple[NoticeDeliverer, list[tuple[str, Any]]]:
    logged: list[tuple[str, Any]] = []
    made = NoticeDeliverer(
        outbox=Outbox(city.store),
        sender=sender,
        clock=city.clock,
        log=lambda event, **fields: logged.append((event, fields)),
    )
    return made, logged


async def states(city: CityFile) -> list[tuple[str, int]]:
    return [(row.state, row.tries) for row in await notice_rows(Reader(city.path), 10)]


async def test_holder_who_asked_is_told_when_what_and_where(city: CityFile) -> None:
    """One notice, with the record of the printing; a repeated report makes no second."""
    await subscribe(city)
    await printed(city)
    await city.ask(signed(print_report()))
    sender = Kept()
    delivering, logged = deliverer(city, sender)

    assert (1, 0) == (await delivering.deliver(), await delivering.deliver())
    (letter,) = sender.letters
    assert (ADDRESS, Kind.JUMINHYO, "見本 見本店") == (letter.address, letter.kind, letter.store)
    assert datetime(2026, 11, 30, 10, 0, tzinfo=JST) == letter.issued_at
    assert notices.notice_key(ISSUANCE) == letter.key
    assert [("notice.sent", {"count": 1})] == logged
    assert [("sent", 1)] == await states(city)


async def test_nobody_else_is_told(city: CityFile) -> None:
    """Without a subscription there is no notice, and nothing waits for a later one."""
    await printed(city)
    await subscribe(city)

    assert [] == await states(city)


async def test_what_failed_in_the_printer_is_no_certificate(city: CityFile) -> None:
    """Nothing was issued."""
    await subscribe(city)
    await printed(city, failed_report())

    assert [] == await states(city)


async def test_notice_comes_with_the_printing_or_not_at_all(city: CityFile) -> None:
    """Both are one transaction: what is not committed leaves neither."""
    await subscribe(city)
    city.change("DROP TABLE notice")

    with pytest.raises(Exception, match="notice"):
        await printed(city)
    assert [("held",)] == city.rows("SELECT fee_state FROM issuance")


async def test_neither_journal_nor_rows_for_operators_hold_the_address(city: CityFile) -> None:
    """It stands in its own table alone, and leaves it with the subscription."""
    await subscribe(city)
    await printed(city)

    journal = b"".join(row[0] for row in city.rows("SELECT record FROM journal"))
    assert ADDRESS.encode() not in journal
    reader = Reader(city.path)
    shown = [*await notice_rows(reader, 10), *await subscription_rows(reader)]
    assert ADDRESS not in str(shown)
    await city.give(act(Unsubscribing(resident_id=HOLDER_ID), 2))
    assert [] == [*await notice_rows(reader, 10), *await subscription_rows(reader)]


async def test_another_address_takes_the_place_of_the_old(city: CityFile) -> None:
    """Also for what waits."""
    await subscribe(city)
    await printed(city)
    await subscribe(city, "new@resident.example", number=2)
    sender = Kept()
    await deliverer(city, sender)[0].deliver()

    assert ["new@resident.example"] == [letter.address for letter in sender.letters]


async def test_what_failed_is_tried_again_later_each_time(city: CityFile) -> None:
    """One minute, two, four …; not before."""
    await subscribe(city)
    await printed(city)
    sender = Kept(failures=2)
    delivering, logged = deliverer(city, sender)
    await delivering.deliver()
    assert ("notice.failed", {"count": 0, "again": 1, "reason": "server-failed"}) == logged[0]
    for wait_ms in (60_000, 120_000):
        city.clock.pass_ms(wait_ms - 1)
        assert 0 == await delivering.deliver()
        city.clock.pass_ms(1)
        assert 1 == await delivering.deliver()

    assert [("sent", 3)] == await states(city)
    assert 1 == len(sender.letters)


async def test_tries_are_bounded(city: CityFile) -> None:
    """After the last one it is given up, and told."""
    await subscribe(city)
    await printed(city)
    delivering, logged = deliverer(city, Kept(failures=100))
    for _ in range(notices.TRIES_MAX):
        assert 1 == await delivering.deliver()
        city.clock.pass_ms(notices.WAIT_MS_MAX)

    assert 0 == await delivering.deliver()
    assert [("failed", notices.TRIES_MAX)] == await states(city)
    assert (1, 0) == (logged[-1][1]["count"], logged[-1][1]["again"])
    assert ADDRESS not in str(logged)
    assert notices.WAIT_MS_MAX == notices.wait_ms(notices.TRIES_MAX + 20)


async def test_death_between_sending_and_mark_sends_again_under_the_same_id(
    city: CityFile,
) -> None:
    """Two mails with one Message-ID; never none."""
    await subscribe(city)
    await printed(city)
    async with smtp_sink() as sink:
        server = MailServer(host="127.0.0.1", port=sink.port, starttls=False)
        sender = SmtpSender(server, from_address="shimin@city.example", city="豊中市")

        class DyingOutbox(Outbox):
            async def sent(self, key: str, now_ms: int) -> None:
                raise Died

        dying = NoticeDeliverer(
            outbox=DyingOutbox(city.store),
            sender=sender,
            clock=city.clock,
            log=lambda *_, **__: None,
        )
        with pytest.raises(Died):
            await dying.deliver()
        await city.restart()
        await deliverer(city, sender)[0].deliver()

    assert 2 == len(sink.mails)
    assert 1 == len({mail["Message-ID"] for _, _, mail in sink.mails})
    assert [("sent", 1)] == await states(city)


async def test_what_was_sent_long_ago_is_erased(city: CityFile) -> None:
    """The outbox is no second history of who was issued what."""
    await subscribe(city)
    await printed(city)
    await city.ask(deletion())
    delivering, _ = deliverer(city, Kept())
    await delivering.deliver()
    city.clock.pass_ms(notices.KEPT_MS + 1)
    await delivering.deliver()

    assert [] == await states(city)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a@b.example", True),
        ("first.last+x@city.toyonaka.example", True),
        ("a@b", False),
        ("a b@c.example", False),
        ("a@b.example\nBcc: c@d.example", False),
        ("Name <a@b.example>", False),
        ("見本@b.example", False),
        ("a@" + "b" * 250 + ".jp", False),
    ],
)
def test_address_is_one_that_can_be_written_to(text: str, good: bool) -> None:
    """No second header gets in with it."""
    assert good is notices.is_address(text)
