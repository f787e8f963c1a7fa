"""The judge's file: what a thief finds in it, and who may open it."""

import asyncio
import base64
import logging
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from issuance_server.adapters.pin_judge.registration import NewCard, open_store, register_offline
from issuance_server.core.pin_policy import VerdictOutcome
from keys.city_keys import create_city_keys, load_judge_keys
from protocol.errors import KeyManagementError, SetUpError
from protocol.secret import Secret
from tests.pin_judge.judge_bench import CITY, RIGHT_PIN, WRONG_PIN, JudgeBench, badly_signed


def _forms(secret: bytes) -> list[bytes]:
    """The ways in which bytes end up in files."""
    digits = secret.hex().encode()
    return [secret, digits, digits.upper(), base64.b64encode(secret), repr(secret)[2:-1].encode()]


async def test_stolen_store(bench: JudgeBench) -> None:
    """Neither file, log nor lock holds a PIN, a card number or the pepper, open or closed."""
    card = await bench.card()
    await bench.try_pin(card, WRONG_PIN)
    await bench.try_pin(card, RIGHT_PIN)
    await bench.judge.judge(badly_signed(await bench.attempt(card)))
    while_open = bench.files()
    await bench.close()

    assert "judge.db-wal" in while_open
    secrets = (RIGHT_PIN, WRONG_PIN, card.number, bench.keys.peppers.newest().secret.reveal())
    for content in (*while_open.values(), *bench.files().values()):
        for form in (form for secret in secrets for form in _forms(secret)):
            assert form not in content


async def test_files_are_private(bench: JudgeBench) -> None:
    """Nobody but the owner may read the database, its log or the lock."""
    await bench.card()

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in bench.path.parent.glob("*")}

    assert {"judge.db", "judge.db-wal", "judge.db-shm", "judge.db.lock"} == modes.keys()
    assert {0o600} == set(modes.values())


async def test_every_commit_is_flushed(bench: JudgeBench) -> None:
    """The file is in WAL mode and every commit waits for the disk."""
    async with bench.store._file.transaction() as t:
        assert ("wal",) == await t.first("PRAGMA journal_mode")
        assert (2,) == await t.first("PRAGMA synchronous")


async def test_second_process_is_refused(bench: JudgeBench) -> None:
    """While one judge has the store a second one gets a sentence, and the first goes on."""
    card = await bench.card()

    with pytest.raises(SetUpError, match="in use"):
        await open_store(bench.path, bench.keys, lock_wait_ms=0)

    assert VerdictOutcome.RIGHT is await bench.outcome(card, RIGHT_PIN)


async def test_second_process_waits_for_a_dying_one(bench: JudgeBench) -> None:
    """A successor looks again until its predecessor has let go."""
    path, keys = bench.path, bench.keys
    successor = asyncio.create_task(open_store(path, keys))
    await asyncio.sleep(0)
    await bench.close()

    store = await successor

    await store.close()


async def test_other_pepper_is_refused(bench: JudgeBench, tmp_path: Path) -> None:
    """With another pepper every PIN would be wrong, so the store is not opened at all."""
    await bench.card()
    await bench.close()
    create_city_keys(tmp_path / "other", CITY, datetime.now(UTC))

    with pytest.raises(SetUpError, match="pepper"):
        await open_store(bench.path, load_judge_keys(tmp_path / "other"), lock_wait_ms=0)

    await bench.open()


@pytest.mark.parametrize("content", [b"not a database, " * 64, None])
async def test_other_file_is_refused(bench: JudgeBench, content: bytes | None) -> None:
    """Neither a text nor somebody else's database is taken for a store."""
    path = bench.path.with_name("other.db")
    if content is not None:
        path.write_bytes(content)
    else:
        with sqlite3.connect(path) as file:
            file.execute("CREATE TABLE theirs (x)")
        file.close()

    with pytest.raises(SetUpError, match=r"other\.db"):
        await open_store(path, bench.keys, lock_wait_ms=0)


async def test_torn_page_is_found_at_the_start(bench: JudgeBench) -> None:
    """A judge does not count on a store of which it cannot read everything."""
    await bench.card()
    await bench.close()
    whole = bench.path.read_bytes()
    with closing(sqlite3.connect(bench.path)) as connection:
        sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'event'"
        (page,) = connection.execute(sql).fetchone()
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    at = (page - 1) * page_bytes
    bench.path.write_bytes(whole[:at] + b"\xa5" * page_bytes + whole[at + page_bytes :])

    with pytest.raises(SetUpError, match="issuance-server restore"):
        await open_store(bench.path, bench.keys, lock_wait_ms=0)

    bench.path.write_bytes(whole)
    await bench.open()


async def test_folder_that_is_not_there(bench: JudgeBench) -> None:
    """The message names the path."""
    with pytest.raises(SetUpError, match="nowhere"):
        await open_store(bench.path.parent / "nowhere" / "judge.db", bench.keys)


async def test_registration_without_a_server(bench: JudgeBench) -> None:
    """Cards registered while no judge runs are known to it; same entropy, same references."""
    await bench.close()
    card = bench.unregistered_card()
    new = NewCard(number=card.number, public_key=card.key.public_key, pin=Secret(RIGHT_PIN))

    refs = await register_offline(bench.path, bench.keys, [new], Random(1).randbytes)
    again = await register_offline(
        bench.path.with_name("again.db"), bench.keys, [new], Random(1).randbytes
    )
    await bench.open()

    assert refs == again
    assert VerdictOutcome.RIGHT is await bench.outcome(card, RIGHT_PIN)
    assert await bench.judge.card_known(refs[0])


async def test_registration_is_all_or_none(bench: JudgeBench) -> None:
    """One card that is there already keeps all of them out."""
    known = await bench.card()
    await bench.close()
    fresh = bench.unregistered_card()
    new = [
        NewCard(number=card.number, public_key=card.key.public_key, pin=Secret(RIGHT_PIN))
        for card in (fresh, known)
    ]

    with pytest.raises(KeyManagementError, match="already"):
        await register_offline(bench.path, bench.keys, new)
    await bench.open()

    assert VerdictOutcome.NOT_ACCEPTED is await bench.outcome(fresh, RIGHT_PIN)


async def test_secrets_are_in_no_text(bench: JudgeBench, caplog: pytest.LogCaptureFixture) -> None:
    """With every library's log wide open, and in reprs and refusals, PIN and card do not show."""
    caplog.set_level(logging.DEBUG)
    card = await bench.card()
    asked = await bench.attempt(card)
    new = NewCard(number=card.number, public_key=card.key.public_key, pin=Secret(RIGHT_PIN))
    with pytest.raises(KeyManagementError) as refused:
        await bench.judge.register_cards([new])
    counted = await bench.store.count_try(
        ("t1", bytes(16), 1), request_digest=bytes(32), card_ref=card.card_ref, at_ms=bench.now_ms
    )
    signed = await bench.judge.judge(asked)

    texts = [caplog.text, *map(repr, (asked, new, refused.value, counted, signed, bench.keys))]
    for form in (form for secret in (RIGHT_PIN, card.number) for form in _forms(secret)):
        assert all(form.decode("latin-1") not in text for text in texts)
