"""Every command, killed at every call that changes a file: nothing is lost, and it can go on."""

import base64
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

import keys.operators
from keys import file_store
from keys.__main__ import main
from keys.city_folder import CityFolder
from keys.city_keys import load_judge_keys, load_server_keys
from keys.key_record import KeyRecord, Purpose
from keys.key_states import KeyState
from keys.life_cycle import ROTATED
from keys.operators import OperatorRing
from keys.pin_sealing import PinSealer
from keys.terminal_keys import admitted_terminals, load_terminal_keys
from keys.trust import CityTrust, TerminalTrust
from protocol.secret import Secret
from protocol.statements import signature_holds, statement
from tests.keys.dying_disk import DyingDisk, PowerCut

CITY = "272035"
PASSPHRASE = "CANARY-correct-horse"
_MEMORY = Path("/dev/shm")
_STATEMENT = statement("test", 1)

Look = Callable[["Place"], None]


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with a city, a terminal of it, and room for what a command makes."""

    folder: Path

    @property
    def city(self) -> CityFolder:
        """The city's key folder."""
        return CityFolder.at(self.folder / "city")

    def run(self, command: str) -> int:
        """Run a command; ``CITY``, ``OUT``, ``NEW`` and ``STICK`` are folders of this place.

        ``OLD`` is the key id of the verdict key that is not in use.
        """
        words = command.split()
        sys.stdin = io.StringIO(f"{PASSPHRASE}\n")
        named = {word: str(self.folder / word.lower()) for word in ("CITY", "OUT", "NEW", "STICK")}
        if "OLD" in words:
            named["OLD"] = self.records(Purpose.VERDICT)[0].key_id
        return main([named.get(word, word) for word in words])

    def records(self, purpose: Purpose) -> list[KeyRecord]:
        """The key records of a purpose, the oldest first."""
        return self.city.records(purpose)


@dataclass(frozen=True, slots=True)
class Scene:
    """A command in its surroundings.

    Attributes:
        command: its words.
        looks_done: whether it did what it is for.
        before: commands that come before it.
        again: the exit status of the same command after it was done.
    """

    command: str
    looks_done: Callable[[Place], bool]
    before: tuple[str, ...] = ()
    again: int = 0


def _numbers(place: Place, purpose: Purpose, *states: KeyState) -> list[int]:
    return [record.number for record in place.records(purpose) if record.state in states]


def _rotated(purpose: Purpose) -> Callable[[Place], bool]:
    def done(place: Place) -> bool:
        active = _numbers(place, purpose, KeyState.ACTIVE)
        retiring = _numbers(place, purpose, KeyState.RETIRING)
        return len(active) == 1 and active[0] > 1 and retiring == list(range(1, active[0]))

    return done


def _waits(purpose: Purpose) -> Callable[[Place], bool]:
    def done(place: Place) -> bool:
        states = [record.state for record in place.records(purpose)]
        return states == [KeyState.ACTIVE, KeyState.NEXT]

    return done


def _old(state: KeyState) -> Callable[[Place], bool]:
    return lambda place: place.records(Purpose.VERDICT)[0].state is state


def _made(name: str) -> Callable[[Place], bool]:
    def done(place: Place) -> bool:
        if not (place.folder / name).exists():
            return False
        load_server_keys(place.folder / name)
        load_judge_keys(place.folder / name)
        return True

    return done


def _made_with_stick(place: Place) -> bool:
    if not (place.folder / "new").exists():
        return False
    load_server_keys(place.folder / "new", storage=place.folder / "stick")
    load_judge_keys(place.folder / "new", storage=place.folder / "stick")
    return True


def _told(place: Place) -> bool:
    newest = CityTrust.load(place.city.trust).newest(Purpose.PIN_OPENING)
    out = place.folder / "out"
    return (out / "trust.json").exists() and TerminalTrust.load(out).pin_sealing_key == newest


def _admitted(terminal: str, times: int) -> Callable[[Place], bool]:
    def done(place: Place) -> bool:
        certificates = admitted_terminals(place.city.root).get(terminal, [])
        if len(certificates) != times:
            return False
        return load_terminal_keys(place.folder / "out").line.certificate_pem in certificates

    return done


def _operators(*names: str) -> Callable[[Place], bool]:
    return lambda place: (
        list(OperatorRing.load(place.city.operators, CityTrust.load(place.city.trust)).operators)
        == list(names)
    )


def _another_hana(place: Place) -> bool:
    files = [path.name for path in place.city.operators.glob("former/*.json")]
    return bool(files) and _operators("hana")(place)


S = KeyState
SCENES = {
    "create": Scene("create NEW --city 272035", _made("new"), again=1),
    "create elsewhere": Scene(
        "create NEW --city 272035 --storage STICK", _made_with_stick, again=1
    ),
    "rotate server": Scene("rotate server CITY", _rotated(Purpose.SERVER)),
    "rotate checkpoint": Scene("rotate checkpoint CITY", _waits(Purpose.CHECKPOINT)),
    "rotate pin-opening": Scene("rotate pin-opening CITY", _rotated(Purpose.PIN_OPENING)),
    "rotate verdict": Scene("rotate verdict CITY", _rotated(Purpose.VERDICT)),
    "rotate pepper": Scene("rotate pepper CITY", _rotated(Purpose.PEPPER)),
    "rotate back": Scene("rotate back CITY", _rotated(Purpose.BACK)),
    "rotate binding": Scene("rotate binding CITY", _waits(Purpose.BINDING)),
    "activate": Scene(
        "activate binding CITY",
        _rotated(Purpose.BINDING),
        before=("rotate binding CITY", "distribute CITY --out OUT"),
        again=1,
    ),
    "revoke a key": Scene("revoke OLD CITY", _old(S.REVOKED), before=("rotate verdict CITY",)),
    "revoke older keys": Scene(
        "revoke verdict CITY", _old(S.REVOKED), before=("rotate verdict CITY",), again=1
    ),
    "destroy": Scene(
        "destroy OLD CITY",
        _old(S.DESTROYED),
        before=("rotate verdict CITY", "revoke verdict CITY"),
    ),
    "distribute": Scene(
        "distribute CITY --out OUT",
        _told,
        before=("distribute CITY --out OUT", "rotate pin-opening CITY"),
    ),
    "terminal create": Scene(
        "terminal create T-0002 CITY --out OUT", _admitted("T-0002", 1), again=1
    ),
    "terminal renew": Scene(
        "terminal renew T-0001 CITY --out OUT", _admitted("T-0001", 2), again=1
    ),
    "operator create": Scene(
        "operator create taro --dir CITY --passphrase-stdin", _operators("hana", "taro"), again=1
    ),
    "operator renew": Scene("operator renew hana --dir CITY --passphrase-stdin", _another_hana),
    "operator revoke": Scene("operator revoke hana --dir CITY --reason left", _operators()),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A city with a terminal and an operator, in memory where there is such a folder."""
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder,
    ):
        patch.setattr(keys.operators, "_SCRYPT_N", 2)  # its cost is not what is tested
        patch.setattr(sys, "stdin", sys.stdin)
        made = Place(Path(folder) / "first")
        assert 0 == made.run(f"create CITY --city {CITY}")
        assert 0 == made.run("terminal create T-0001 CITY --out OUT")
        (made.folder / "out").rename(made.folder / "terminal")
        assert 0 == made.run("operator create hana --dir CITY --passphrase-stdin")
        yield made


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> DyingDisk:
    """A disk that can die."""
    return DyingDisk(monkeypatch)


def copy_of(place: Place, name: str) -> Place:
    """Another place with the same content."""
    copy = Place(place.folder.parent / name)
    shutil.rmtree(copy.folder, ignore_errors=True)
    shutil.copytree(place.folder, copy.folder)
    return copy


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_killed_at_every_call(place: Place, disk: DyingDisk, name: str) -> None:
    """What was made is there and works at once, and the same command given again finishes."""
    scene = SCENES[name]
    begun = copy_of(place, "begun")
    for command in scene.before:
        assert 0 == begun.run(command)
    here = copy_of(begun, "here")
    disk.revive()
    assert 0 == here.run(scene.command)
    calls = list(disk.calls)

    assert len(calls) > 5
    for number, call in enumerate(calls, start=1):
        for half in [False, True] if call == "write" else [False]:
            disk.revive()
            here = copy_of(begun, "here")
            known = secrets_of(here)
            disk.die_at(number, half=half)
            with pytest.raises(PowerCut):
                here.run(scene.command)
            disk.revive()
            works(here, known)
            finishes(here, scene)
            works(here, known)


def works(place: Place, known: dict[str, Secret]) -> None:
    """Every holder can work, whoever knew the old public keys knows the new signatures."""
    server, judge = load_server_keys(place.city.root), load_judge_keys(place.city.root)
    terminal = load_terminal_keys(place.folder / "terminal")
    announced, now = CityTrust.load(place.city.trust), datetime.now(UTC)
    binding, verdict = server.binding.sign(_STATEMENT), judge.verdict.sign(_STATEMENT)
    checkpoint = server.checkpoint.sign(_STATEMENT)
    latest = TerminalTrust.load(place.city.trust)
    sealed = PinSealer(terminal.trust.pin_sealing_key).seal(Secret(b"1234"), b"info")

    assert any(signature_holds(key, binding, _STATEMENT) for key in latest.binding_keys)
    for purpose, signature in ((Purpose.VERDICT, verdict), (Purpose.CHECKPOINT, checkpoint)):
        accepted = announced.accepted(purpose, now)
        assert any(signature_holds(key, signature, _STATEMENT) for key in accepted)
    assert Secret(b"1234") == judge.pin_opener.open(sealed, b"info")
    assert latest.signed_under(announced.authority_certificate)
    assert "T-0001" == terminal.terminal_id
    held = secrets_of(place)
    destroyed = {r.key_id for p in ROTATED for r in place.records(p) if r.state is S.DESTROYED}
    assert known.keys() - destroyed <= held.keys(), "a key was lost"
    assert all(known[key_id] == held[key_id] for key_id in known.keys() - destroyed)
    nothing_in_the_clear(place, [*known.values(), *held.values()])


def finishes(place: Place, scene: Scene) -> None:
    """The same command succeeds, or refuses because it was done; either way it is done."""
    was_done = scene.looks_done(place)
    status = place.run(scene.command)

    assert status in ({0, scene.again} if was_done else {0})
    assert scene.looks_done(place)
    if status == 0:
        left = [
            path for path in place.folder.rglob(".*") if path.name.endswith((".new", ".erasing"))
        ]
        assert [] == left


def secrets_of(place: Place) -> dict[str, Secret]:
    """Every secret of the city that is not destroyed, by key id."""
    return {
        record.key_id: record.secret(place.city.storage_key(purpose.holder))
        for purpose in (Purpose.AUTHORITY, *ROTATED)
        for record in place.records(purpose)
        if record.wrapped
    }


def nothing_in_the_clear(place: Place, secrets: list[Secret]) -> None:
    """No file of the place holds a key's secret that is not wrapped."""
    contents = [path.read_bytes() for path in place.folder.rglob("*") if path.is_file()]
    everything = b"\0".join(contents)
    for secret in secrets:
        value = secret.reveal()
        for form in (value, value.hex().encode(), base64.b64encode(value)):
            assert form not in everything


def test_of_a_destroyed_key_nothing_is_left_but_its_public_half(place: Place) -> None:
    """Neither its secret nor even the wrapped form is in any file, nor behind an open file."""
    here = copy_of(place, "destroying")
    assert 0 == here.run("rotate verdict CITY")
    assert 0 == here.run("revoke verdict CITY")
    old = here.records(Purpose.VERDICT)[0]
    wrapped = base64.b64encode(old.wrapped)
    path = here.city.root / "judge" / old.file_name

    with path.open("rb") as still_open:
        assert 0 == here.run("destroy OLD CITY")
        assert not any(still_open.read()), "the old bytes are overwritten"
    contents = [path.read_bytes() for path in here.folder.rglob("*") if path.is_file()]
    assert not any(wrapped in content for content in contents)
    assert (old.public, S.DESTROYED) == (
        here.records(Purpose.VERDICT)[0].public,
        here.records(Purpose.VERDICT)[0].state,
    )


def test_files_are_on_the_disk_before_their_names(tmp_path: Path, disk: DyingDisk) -> None:
    """A power cut leaves no name without its bytes: flushed first, named then, flushed again."""
    disk.revive()
    file_store.write_private(tmp_path / "a", b"bytes")
    written, disk.calls = disk.calls, []
    file_store.replace_private(tmp_path / "a", b"other bytes")
    replaced, disk.calls = disk.calls, []
    file_store.replace_and_overwrite(tmp_path / "a", b"rest")

    fresh = ["open", "write", "fchmod", "fsync"]
    assert [*fresh, "link", "unlink", "fsync"] == written
    assert [*fresh, "replace", "fsync"] == replaced
    assert [*fresh, "replace", "fsync", "write", "fsync"] == disk.calls


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize("number", [1, 5, 9, 13])
def test_a_killed_process(place: Place, number: int) -> None:
    """The same with a real process that a signal ends while it rotates."""
    here = copy_of(place, "killed")
    known = secrets_of(here)
    command = ["rotate", "verdict", str(here.city.root)]
    killed = subprocess.run(
        [sys.executable, "-m", "tests.keys.dying_disk", str(number), *command],
        capture_output=True,
        check=False,
    )

    assert -9 == killed.returncode
    works(here, known)
    finishes(here, SCENES["rotate verdict"])
    works(here, known)
