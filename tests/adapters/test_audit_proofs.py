"""What witnesses are shown out of a real database: the latest checkpoint, proven by its records."""

import sqlite3

from issuance_server.adapters.sqlite.audit_proofs import AuditProofs
from issuance_server.core.audit_nodes import CHUNK_LEAVES
from keys.signing import SigningKey
from protocol.checkpoint import Checkpoint, grew_from
from tests.adapters.conftest import CityFile
from tests.core.made import line_closed

CITY = "272035"
KEY = SigningKey.generate()
SIZES = (1, 2, 3, CHUNK_LEAVES - 1, CHUNK_LEAVES + 44, 2 * CHUNK_LEAVES, 2 * CHUNK_LEAVES + 7)


async def signed(city: CityFile, size: int) -> Checkpoint:
    """Let the journal grow to a size, and return what is shown of it."""
    (count,) = city.rows("SELECT count(*) FROM journal")[0]
    async with city.store.transaction() as transaction:
        for number in range(count, size):
            transaction.write(line_closed(number))
    await city.store.sign_tree(city=CITY, at_ms=size, sign=KEY.sign)
    shown = await city.store.shown_checkpoint(0)
    assert shown is not None
    assert () == shown.proof
    return shown.checkpoint


async def test_nothing_is_shown_before_anything_is_signed(city: CityFile) -> None:
    """A city of this moment has no checkpoint."""
    assert await city.store.shown_checkpoint(0) is None
    assert await city.store.shown_checkpoint(5) is None


async def test_the_latest_checkpoint_grew_from_every_one_before(city: CityFile) -> None:
    """Within a chunk and over several, before and after a restart; none for a larger one."""
    seen: list[Checkpoint] = []
    for size in SIZES:
        latest = await signed(city, size)
        seen.append(latest)
        if size == CHUNK_LEAVES + 44:
            await city.restart()
        assert latest.signed_under((KEY.public_key,), CITY)
        for earlier in seen:
            shown = await city.store.shown_checkpoint(earlier.size)
            assert shown is not None
            assert latest == shown.checkpoint
            assert grew_from(earlier, latest, shown.proof)
    beyond = await city.store.shown_checkpoint(SIZES[-1] + 1)
    assert beyond is not None
    assert () == beyond.proof


async def test_a_record_that_was_changed_proves_nothing(city: CityFile) -> None:
    """The proof is made of the records as they stand, so the witness sees it at once."""
    earlier, latest = await signed(city, 3), await signed(city, CHUNK_LEAVES + 1)
    with sqlite3.connect(city.path) as database:
        database.execute("UPDATE journal SET record = CAST(record || x'00' AS BLOB) WHERE seq = 2")
    shown = await AuditProofs(city.store.read).shown(earlier.size)

    assert shown is not None
    assert not grew_from(earlier, latest, shown.proof)
