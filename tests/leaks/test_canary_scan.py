"""After a day of real processes, no canary is where it has no business.

Every file, output, message and answer is looked through for every name, address, birthday, number,
PIN and card, in every spelling and wrapping that the scanner knows. Where such things live by
purpose is listed in ``aftermath``, and there they must be found: so the scanner is awake.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from issuance_server.demo.stage import free_port
from issuance_server.desk_commands.set_up import BROKER_PORT
from tests.leaks import aviary
from tests.leaks.aftermath import KNOWN_PLACES, Aftermath, live_through
from tests.leaks.canaries import Canary, Finding, Scanner
from tests.processes.town import Town

pytestmark = pytest.mark.processes

BROKER_MESSAGES_BYTES_MIN = 1_000_000
TOPIC = Canary(name="a topic", text="kofu/1/272035/")
"""What broker and server must have in their memory: so the right memory was read."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of everything."""
    return tmp_path_factory.mktemp("aviary")


@pytest.fixture(scope="module")
def aftermath(base: Path) -> Iterator[Aftermath]:
    """One day, lived through once for all tests of this module."""
    folder, left = base / "city", Aftermath()
    with pytest.MonkeyPatch.context() as patch:
        aviary.found(folder, patch)
        for name in ("cwd", "tmp"):
            (base / name).mkdir()
        patch.chdir(base / "cwd")
        patch.setenv("TMPDIR", str(base / "tmp"))
        port = free_port()
        for settings in (folder / "server.toml", *folder.glob("terminals/*/terminal.toml")):
            settings.write_text(settings.read_text().replace(str(BROKER_PORT), str(port)))
        town = Town(folder=folder, port=port)
        try:
            live_through(town, base, left)
            yield left
        finally:
            town.end()


@pytest.fixture(scope="module")
def secret(base: Path, aftermath: Aftermath) -> list[Canary]:
    """What nobody but the judge, the card and its holder may know."""
    return [*aviary.typed(), *aviary.card_numbers(base / "city")]


def found_in(places: dict[str, bytes], canaries: Iterable[Canary]) -> dict[str, list[Finding]]:
    """Return what is found, by place."""
    scanner = Scanner(canaries)
    found = {place: scanner.scan(content) for place, content in places.items()}
    return {place: findings for place, findings in found.items() if findings}


def outside_known_places(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files that have no business with canaries."""
    return {
        path: content for path, content in files.items() if not path.startswith(tuple(KNOWN_PLACES))
    }


def test_no_file_holds_what_is_secret(aftermath: Aftermath, secret: list[Canary]) -> None:
    """PINs, card numbers and readable certificates are in no file at all, databases included."""
    files = outside_known_places(aftermath.files)

    assert {} == found_in(files, [*secret, aviary.CERTIFICATE])


def test_no_file_but_the_citys_database_holds_what_is_personal(aftermath: Aftermath) -> None:
    """Names, addresses, birthdays and numbers: not in logs, journals, spools, coin boxes, keys."""
    files = {
        path: content
        for path, content in outside_known_places(aftermath.files).items()
        if not path.startswith("city/data/city.db")
    }
    assert any(path.startswith("city/terminals/LW-0001/storage/spool/") for path in files)
    assert any(path.startswith("city/log/server.jsonl") for path in files)
    for recorder in ("server", "terminal"):
        assert any(path.startswith(f"city/log/{recorder}-lines.trace") for path in files)
        assert any(path.startswith(f"city/log/{recorder}-core.trace") for path in files)
    assert any(path.startswith("city/data/pin-judge.db") for path in files)

    assert {} == found_in(files, [*aviary.personal(), *aviary.identifiers()])


def test_in_the_database_only_the_register_is_personal(
    aftermath: Aftermath, secret: list[Canary]
) -> None:
    """Journal, projections, freed pages and the write-ahead log hold neither names nor secrets."""
    assert len(aftermath.tables["city.db-wal, pages"]) > 0

    assert {} == found_in(aftermath.tables, [*aviary.personal(), *secret, aviary.CERTIFICATE])


def test_programs_and_socket_tell_nothing(aftermath: Aftermath, secret: list[Canary]) -> None:
    """Terminals' screens and outputs, the desk's commands in both forms, the socket's answers."""
    said = [*aviary.personal(), *secret, aviary.CERTIFICATE]

    assert {} == found_in(aftermath.said, [*said, *aviary.identifiers()])
    assert {} == found_in(aftermath.socket, said)


def test_the_broker_hears_nothing(aftermath: Aftermath, secret: list[Canary]) -> None:
    """Neither a topic nor a message, nor what the broker says about itself, holds a canary."""
    assert sum(map(len, aftermath.carried.values())) > BROKER_MESSAGES_BYTES_MIN

    canaries = [*aviary.personal(), *aviary.identifiers(), *secret, aviary.CERTIFICATE]
    assert {} == found_in(aftermath.carried, canaries)


def test_the_memory_of_a_process_holds_what_is_its_business(
    aftermath: Aftermath, secret: list[Canary]
) -> None:
    """The broker never had anything, and the switching process never had a PIN."""
    everything = [*aviary.personal(), *aviary.identifiers(), *secret]
    may_not_have = {"broker": everything, "server": aviary.typed()}
    for name, canaries in may_not_have.items():
        scanner = Scanner([*canaries, TOPIC])
        regions = aftermath.memory[name]
        found = [one for region in regions for one in scanner.scan(region, layers_max=0)]
        assert {TOPIC.name} == {one.canary for one in found}, name


def test_the_canaries_were_alive(aftermath: Aftermath, secret: list[Canary]) -> None:
    """Each canary is found where it lives: in the register, in the README, on the card."""
    lives = [*aviary.personal(), *aviary.identifiers()]
    places = {path: content for path, content in aftermath.files.items() if "README" in path}
    cards = {path: content for path, content in aftermath.files.items() if "/cards/" in path}
    paper = {path: content for path, content in aftermath.files.items() if "/paper/" in path}

    assert names(lives) == canaries_in(found_in(aftermath.register, lives))
    right = [canary for canary in aviary.typed() if canary.name.startswith("PIN of")]
    assert names(right) == canaries_in(found_in(places, right))
    numbers = [canary for canary in secret if canary.octets]
    assert names(numbers) == canaries_in(found_in(cards, numbers))
    assert {aviary.CERTIFICATE.name} == canaries_in(found_in(paper, [aviary.CERTIFICATE]))


def names(canaries: Iterable[Canary]) -> set[str]:
    """Return the names of canaries."""
    return {canary.name for canary in canaries}


def canaries_in(found: dict[str, list[Finding]]) -> set[str]:
    """Return the names of the canaries that were found anywhere."""
    return {finding.canary for findings in found.values() for finding in findings}
