"""The register copy with real processes: fed and replaced while the city works."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from issuance_server.core import register_feed as f
from issuance_server.sample.residents import sample_households
from protocol.codes import ReplyCode
from tests.core.changes import change, edit, remarked
from tests.processes.town import Town

pytestmark = pytest.mark.processes

CARD = "h001-m1"
HOUSEHOLD = sample_households()[1]


@pytest.mark.slow
def test_copy_is_fed_and_replaced_while_the_city_works(town: Town, tmp_path: Path) -> None:
    """An open entry refuses until its change; a new extract stops nobody; the journal holds."""
    town.start()

    def act(*words: str) -> str:
        by = ("--operator", "mado-1", "--reason", "regular", "--passphrase-stdin")
        done = town.city("register", *words, *by, typed="toyonaka-sample\n" * 2)
        assert 0 == done.returncode, done.stderr
        return done.stderr

    def feed(*changes: f.AnyChange) -> str:
        path = tmp_path / "changes.jsonl"
        path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in changes))
        return act("feed", str(path))

    now = datetime.now(UTC)
    begun = msgspec.structs.replace(edit(f.EditBegun, 1, HOUSEHOLD.head_id), as_of=now)
    assert "1 changes taken" in feed(begun)
    held = town.issue("7E-0001", CARD, "--certificate", "juminhyo")
    assert 3 == held.wait()
    assert any(ReplyCode.RECORD_UNDER_EDIT.sentence() in said for said in held.said)
    ended = change(f.HouseholdsChanged, 2, put=(remarked(HOUSEHOLD),), as_of=now)
    assert "1 changes taken, 1 skipped" in feed(begun, ended)
    assert 0 == town.issue("7E-0001", CARD, "--certificate", "juminhyo").wait()

    extract = tmp_path / "sample.jsonl"
    made = town.plain("register", "export", "--sample", "toyonaka", str(extract))
    assert 0 == made.returncode, made.stderr
    assert "90 households" in act(
        *("import", str(extract), "--set-back", "--second-operator", "mado-2")
    )
    assert 0 == town.issue("7E-0001", CARD, "--certificate", "juminhyo").wait()
    assert 1 == len(town.events("register.imported")) == len(town.events("register.edit_begun"))
    assert 0 == town.city("audit", "verify").returncode
    assert HOUSEHOLD.head_id not in town.log_text
