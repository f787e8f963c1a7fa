"""The life of a key: who signs, who is accepted, and what is refused, at each point of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from keys import life_cycle
from keys.city_folder import CityFolder
from keys.city_keys import create_city_keys, load_judge_keys, load_server_keys
from keys.distribution import distribute
from keys.key_record import KeyRecord, Naming, Purpose
from keys.key_ring import REREAD_S, URGENT_REREAD_S, Times
from keys.key_states import KEY_TABLE, KeyAct, KeyState
from keys.pin_sealing import PinSealer
from keys.storage_key import StorageKey
from keys.trust import CityTrust
from protocol.errors import KeyManagementError, SealError
from protocol.secret import Secret
from protocol.statements import signature_holds, statement

CITY = "272035"
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
SIGNED = statement("test", 1)
S = KeyState


class Hands:
    """Both clocks of a ring, moved by hand."""

    def __init__(self) -> None:
        self.now = NOW
        self.passed_s = 0.0

    def wait(self, passed: timedelta) -> None:
        """Let time pass."""
        self.now += passed
        self.passed_s += passed.total_seconds()

    @property
    def times(self) -> Times:
        """The clocks."""
        return Times(now=lambda: self.now, monotonic_s=lambda: self.passed_s)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def city(tmp_path: Path) -> CityFolder:
    """A city's keys, made at ``NOW``."""
    create_city_keys(tmp_path / "city", CITY, NOW)
    return CityFolder.at(tmp_path / "city")


def states(city: CityFolder, purpose: Purpose) -> list[KeyState]:
    return [record.state for record in city.records(purpose)]


def test_every_state_is_left_by_the_acts_of_the_table_only() -> None:
    """Destroyed is the end; what is active is not destroyed; what is over never comes back."""
    ways = {(row.state, row.input): row.next for row in KEY_TABLE.rows}

    assert frozenset({S.DESTROYED}) == KEY_TABLE.ends
    assert not [way for way in ways if way[0] is S.DESTROYED]
    assert (S.ACTIVE, KeyAct.DESTROY) not in ways
    assert (S.NEXT, KeyAct.DESTROY) not in ways
    assert not [way for way, to in ways.items() if to is S.ACTIVE and way[0] is not S.NEXT]


def test_a_new_verdict_key_takes_over_at_once(city: CityFolder) -> None:
    """It signs; the old one is accepted until its time is over."""
    before = load_judge_keys(city.root)
    old = before.verdict.sign(SIGNED)
    done = life_cycle.rotate(city, Purpose.VERDICT, now=NOW, overlap=2 * HOUR)
    trust = CityTrust.load(city.trust)

    assert [S.RETIRING, S.ACTIVE] == states(city, Purpose.VERDICT)
    assert done.record.public == load_judge_keys(city.root).verdict.public_key
    accepted = trust.accepted(Purpose.VERDICT, NOW + HOUR)
    assert any(signature_holds(key, old, SIGNED) for key in accepted)
    assert (done.record.public,) == trust.accepted(Purpose.VERDICT, NOW + 2 * HOUR)


def test_running_holders_take_up_a_new_key(city: CityFolder, hands: Hands, tmp_path: Path) -> None:
    """Within the time that a ring waits, without a restart."""
    server = load_server_keys(city.root, times=hands.times)
    old = server.checkpoint.public_key
    life_cycle.rotate(city, Purpose.CHECKPOINT, now=NOW)
    distribute(city, tmp_path / "out", NOW)
    done = life_cycle.activate(city, Purpose.CHECKPOINT, now=NOW)
    at_once = server.checkpoint.public_key
    hands.wait(timedelta(seconds=REREAD_S))

    assert old == at_once
    assert done.record.public == server.checkpoint.public_key
    assert signature_holds(done.record.public, server.checkpoint.sign(SIGNED), SIGNED)


def test_a_block_under_a_key_of_this_moment_opens(city: CityFolder, hands: Hands) -> None:
    """A terminal that was told of a new key is served before the judge's next look is due."""
    judge = load_judge_keys(city.root, times=hands.times)
    done = life_cycle.rotate(city, Purpose.PIN_OPENING, now=NOW)
    block = PinSealer(done.record.public).seal(Secret(b"1234"), b"info")
    hands.wait(timedelta(seconds=URGENT_REREAD_S))

    assert Secret(b"1234") == judge.pin_opener.open(block, b"info")
    with pytest.raises(SealError):
        judge.pin_opener.open(block, b"other info")


def test_a_folder_that_cannot_be_read_leaves_the_ring(city: CityFolder, hands: Hands) -> None:
    """A running server goes on; a new one is not started with it."""
    server = load_server_keys(city.root, times=hands.times)
    held = server.binding.public_key
    (record,) = (city.root / "server").glob("binding-*")
    record.write_bytes(b"damaged")
    hands.wait(HOUR)

    assert held == server.binding.public_key
    with pytest.raises(KeyManagementError, match="damaged"):
        load_server_keys(city.root)


def test_pin_blocks_open_under_the_old_key_for_a_time(city: CityFolder, hands: Hands) -> None:
    """A terminal that was not told yet is served until the old key's time is over."""
    judge = load_judge_keys(city.root, times=hands.times)
    block = PinSealer(judge.pin_opener.public_key).seal(Secret(b"1234"), b"info")
    done = life_cycle.rotate(city, Purpose.PIN_OPENING, now=NOW, overlap=2 * HOUR)
    hands.wait(HOUR)
    fresh = PinSealer(done.record.public).seal(Secret(b"5678"), b"info")

    assert Secret(b"1234") == judge.pin_opener.open(block, b"info")
    assert Secret(b"5678") == judge.pin_opener.open(fresh, b"info")
    hands.wait(HOUR)
    with pytest.raises(SealError):
        judge.pin_opener.open(block, b"info")
    assert Secret(b"5678") == judge.pin_opener.open(fresh, b"info")


def test_a_binding_key_waits_until_terminals_can_know_it(city: CityFolder, tmp_path: Path) -> None:
    """Before it was distributed it cannot sign; from then on the old one is still accepted."""
    old = load_server_keys(city.root).binding.public_key
    waiting = life_cycle.rotate(city, Purpose.BINDING, now=NOW).record
    again = life_cycle.rotate(city, Purpose.BINDING, now=NOW)

    assert ([S.ACTIVE, S.NEXT], True) == (states(city, Purpose.BINDING), again.finished)
    assert old == load_server_keys(city.root).binding.public_key
    with pytest.raises(KeyManagementError, match="issuance-keys distribute"):
        life_cycle.activate(city, Purpose.BINDING, now=NOW)
    told = distribute(city, tmp_path / "out", NOW)
    assert {old, waiting.public} == {*told.binding_keys}
    life_cycle.activate(city, Purpose.BINDING, now=NOW)
    assert waiting.public == load_server_keys(city.root).binding.public_key
    with pytest.raises(KeyManagementError, match="issuance-keys rotate binding"):
        life_cycle.activate(city, Purpose.BINDING, now=NOW)
    later = distribute(city, tmp_path / "out", NOW + life_cycle.OVERLAP)
    assert (waiting.public,) == later.binding_keys


def test_a_new_server_key_is_certified_for_the_same_city(city: CityFolder) -> None:
    """The server shows the newest certificate; without the authority none is made."""
    before = load_server_keys(city.root).line
    life_cycle.rotate(city, Purpose.SERVER, now=NOW)
    after = load_server_keys(city.root).line

    assert (before.names.name, True) == (after.names.name, before.public_key != after.public_key)
    assert after.issued_by(load_server_keys(city.root).trust.authority_certificate)
    for path in (city.root / "authority").glob("*.key"):
        path.unlink()
    with pytest.raises(KeyManagementError, match="where the city's authority is kept"):
        life_cycle.rotate(city, Purpose.SERVER, now=NOW)
    assert after.public_key == load_server_keys(city.root).line.public_key


def test_revoking_what_was_stolen(city: CityFolder) -> None:
    """The old key is out at once, whatever its time; the one in use only if it has an heir."""
    with pytest.raises(KeyManagementError, match="issuance-keys rotate verdict"):
        life_cycle.revoke(city, Purpose.VERDICT, now=NOW)
    life_cycle.rotate(city, Purpose.VERDICT, now=NOW)
    old, new = city.records(Purpose.VERDICT)
    with pytest.raises(KeyManagementError, match="issuance-keys rotate verdict"):
        life_cycle.revoke(city, new.key_id, now=NOW)
    (revoked,) = life_cycle.revoke(city, Purpose.VERDICT, now=NOW + HOUR)
    trust = CityTrust.load(city.trust)

    assert (old.key_id, S.REVOKED) == (revoked.key_id, revoked.state)
    assert (new.public,) == trust.accepted(Purpose.VERDICT, NOW)
    assert [True, False] == [revoked.spoke_at(NOW), revoked.spoke_at(NOW + HOUR)]


def test_a_checkpoint_key_waits_until_terminals_were_told(city: CityFolder, tmp_path: Path) -> None:
    """A terminal stops at a checkpoint that no key which it knows has signed (TP-123)."""
    life_cycle.rotate(city, Purpose.CHECKPOINT, now=NOW)
    with pytest.raises(KeyManagementError, match="no terminal can know"):
        life_cycle.activate(city, Purpose.CHECKPOINT, now=NOW)
    told = distribute(city, tmp_path / "out", NOW)
    active = life_cycle.activate(city, Purpose.CHECKPOINT, now=NOW)

    assert active.record.public in told.checkpoint_keys


def test_destroying_leaves_what_is_needed_to_check(city: CityFolder, tmp_path: Path) -> None:
    """Public half and times stay announced; what is still accepted is not destroyed."""
    life_cycle.rotate(city, Purpose.CHECKPOINT, now=NOW)
    distribute(city, tmp_path / "out", NOW)
    life_cycle.activate(city, Purpose.CHECKPOINT, now=NOW, overlap=HOUR)
    old, new = city.records(Purpose.CHECKPOINT)
    with pytest.raises(KeyManagementError, match="accepted until 2026-11-24T11:00:00Z"):
        life_cycle.destroy(city, old.key_id, now=NOW)
    with pytest.raises(KeyManagementError, match="in use"):
        life_cycle.destroy(city, new.key_id, now=NOW)
    life_cycle.destroy(city, old.key_id, now=NOW + HOUR)
    kept = CityTrust.load(city.trust).of(Purpose.CHECKPOINT)[0]

    assert (S.DESTROYED, old.public, old.created_at) == (kept.state, kept.public, kept.created_at)
    assert not kept.accepted(NOW)
    with pytest.raises(KeyManagementError, match="is destroyed"):
        city.records(Purpose.CHECKPOINT)[0].secret(city.storage_key(Purpose.CHECKPOINT.holder))
    load_server_keys(city.root)


def test_a_key_that_waits_can_be_given_up(city: CityFolder) -> None:
    """It is revoked, then destroyed, and the next rotation makes another."""
    waiting = life_cycle.rotate(city, Purpose.BINDING, now=NOW).record
    with pytest.raises(KeyManagementError, match="give it up first"):
        life_cycle.destroy(city, waiting.key_id, now=NOW)
    life_cycle.revoke(city, waiting.key_id, now=NOW)
    life_cycle.destroy(city, waiting.key_id, now=NOW)

    assert 3 == life_cycle.rotate(city, Purpose.BINDING, now=NOW).record.number
    assert [S.ACTIVE, S.DESTROYED, S.NEXT] == states(city, Purpose.BINDING)


def test_the_authority_and_strangers_are_refused_by_name(city: CityFolder) -> None:
    """The text says what the way out is."""
    (authority,) = city.records(Purpose.AUTHORITY)
    with pytest.raises(KeyManagementError, match="admit the terminals again"):
        life_cycle.destroy(city, authority.key_id, now=NOW)
    with pytest.raises(KeyManagementError, match="no key verdikt"):
        life_cycle.revoke(city, "verdikt", now=NOW)


def test_two_commands_do_not_change_a_folder_at_once(city: CityFolder) -> None:
    """The second is told so, and nothing is changed."""
    with city.changing(), pytest.raises(KeyManagementError, match="another command"):
        life_cycle.rotate(city, Purpose.VERDICT, now=NOW)

    assert [S.ACTIVE] == states(city, Purpose.VERDICT)


def test_a_holder_without_the_others_rotates_its_own(city: CityFolder) -> None:
    """A server's machine has neither the judge's folder nor the authority's, and loses no trust."""
    for name in ("judge", "authority"):
        (city.root / name).rename(city.root.parent / name)
    life_cycle.rotate(city, Purpose.CHECKPOINT, now=NOW)
    trust = CityTrust.load(city.trust)

    assert (1, 2) == (len(trust.of(Purpose.VERDICT)), len(trust.of(Purpose.CHECKPOINT)))
    with pytest.raises(KeyManagementError, match="where the holder's folder is kept"):
        life_cycle.rotate(city, Purpose.VERDICT, now=NOW)


def test_a_pepper_that_cards_may_need_is_not_destroyed(city: CityFolder, tmp_path: Path) -> None:
    """The judge's database must be named, and must be one."""
    life_cycle.rotate(city, Purpose.PEPPER, now=NOW, overlap=HOUR)
    old = city.records(Purpose.PEPPER)[0]

    assert old.until is None
    with pytest.raises(KeyManagementError, match="--pin-store"):
        life_cycle.destroy(city, old.key_id, now=NOW + HOUR)
    for name in ("none.db", "text.db"):
        if name == "text.db":
            (tmp_path / name).write_text("no database" * 100)
        with pytest.raises(KeyManagementError, match="not a PIN judge's database"):
            life_cycle.destroy(city, old.key_id, now=NOW, pin_store=tmp_path / name)
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("change", ["purpose", "key_id", "wrapped"])
def test_a_wrapped_secret_is_bound_to_its_record(change: str) -> None:
    """With another purpose, id or byte it does not open."""
    storage_key = StorageKey.generate()
    record = KeyRecord.make(
        Purpose.BINDING, Secret(bytes(32)), storage_key, named=Naming(number=1, at=NOW)
    )
    other = {
        "purpose": Purpose.CHECKPOINT,
        "key_id": "0" * 16,
        "wrapped": record.wrapped[:-1] + bytes([record.wrapped[-1] ^ 1]),
    }[change]

    assert Secret(bytes(32)) == record.secret(storage_key)
    with pytest.raises(KeyManagementError, match="does not open"):
        msgspec.structs.replace(record, **{change: other}).secret(storage_key)


def test_the_page_about_keys_has_the_table() -> None:
    """Every row of the states, in docs/keys.md, and no other."""
    text = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
    words = [[word.strip() for word in line.split("|")[1:4]] for line in text.splitlines()]
    told = [row for row in words if len(row) == 3 and row[0] in {state.value for state in S}]

    assert [[row.state.value, row.input.value, row.next.value] for row in KEY_TABLE.rows] == told
