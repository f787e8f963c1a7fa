"""The catalogue of log events is complete, well-formed and published."""

import re
from pathlib import Path

import pytest

from issuance_server.observe import event_page
from issuance_server.observe.catalogue import EVENTS, GROUPS
from issuance_server.observe.event import Event, Level

PROMISED = {
    *("server.started", "server.draining", "server.stopping", "server.stopped"),
    *("broker.connected", "broker.lost", "gateway.queue_full", "journal.failed"),
    *("judge.restarted", "renderer.restarted", "integrity.alarm"),
    *("line.handshake_refused", "line.opened", "line.closed", "line.replaced"),
    *("envelope.dropped", "telegram.dropped", "visit.begun", "visit.refused"),
    *("pin.right", "pin.wrong", "card.locked", "card.unlocked", "card.try_burned"),
    *("terminal.frozen", "terminal.unfrozen", "control.act_done", "control.act_refused"),
    *("issuance.applied", "issuance.quoted", "issuance.refused", "issuance.released"),
    *("issuance.printed", "issuance.print_failed", "issuance.withdrawn", "issuance.unconfirmed"),
    *("issuance.deletion_overdue", "issuance.completed", "issuance.reversed"),
}
RESERVED = {"ts", "level", "event"}
FORBIDDEN = re.compile(r"(?:^|_)(?:name|pin|key|secret|address|birth|body|telegram)(?:_|$)")


def test_every_promised_event_is_there() -> None:
    """What operators were told to look for exists, each once."""
    assert set(EVENTS) >= PROMISED
    assert len(EVENTS) == sum(len(events) for events in GROUPS.values())


@pytest.mark.parametrize("event", EVENTS.values(), ids=list(EVENTS))
def test_event_is_well_formed(event: Event) -> None:
    """Names are dotted, fields hold no personal data, and what alarms says what to do."""
    assert re.fullmatch(r"[a-z]+\.[a-z]+(?:_[a-z]+)*", event.name)
    assert event.when.endswith(".")
    assert event.fields
    for field in event.fields:
        assert re.fullmatch(r"[a-z]+(?:_[a-z]+)*", field)
        assert field not in RESERVED
        assert not FORBIDDEN.search(field)
    if event.level is not Level.INFO:
        assert event.what_to_do.endswith(".")


def test_page_is_written_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page is made from the catalogue, and an old page is found out."""
    monkeypatch.chdir(tmp_path)

    assert event_page.main(["--check"]) == 1
    assert event_page.main([]) == 0
    assert event_page.main(["--check"]) == 0

    page = tmp_path / "docs" / "log-events.md"
    text = page.read_text(encoding="utf-8")
    assert all(f"### {name}\n" in text for name in EVENTS)
    page.write_text(text + "more\n", encoding="utf-8")
    assert event_page.main(["--check"]) == 1
    assert "make docs" in capsys.readouterr().err
