"""One opening of a whole machine, as the tests run it, and what it left behind."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from keys.cards import Card, CardFile
from protocol.kinds import Kind, Options, Scope
from protocol.secret import Secret
from terminal_sim.core.records import AnyRecord
from terminal_sim.core.state import Issuance
from terminal_sim.customer import Choice
from terminal_sim.opening import Clock, Ended, Settings, Visitor, run_opening
from terminal_sim.person import Keypad, Person
from tests.terminal_sim.conftest import Town
from tests.terminal_sim.paper_city import Wire

TIMEOUT_MS = 60_000


class Killed(Exception):
    """Stands for the end of the process at a record."""


def person(*pins: str, insert_yen: int | None = None, said: list[str] | None = None) -> Person:
    words = [] if said is None else said
    return Person(
        keypad=Keypad(pins=[Secret(pin.encode()) for pin in pins]),
        choices=[Choice(kind=Kind.JUMINHYO, options=Options(scope=Scope.HOUSEHOLD), copies=1)],
        insert_yen=insert_yen,
        say=words.append,
        clock=Clock(),
    )


async def run(
    town: Town,
    wire: Wire,
    visitor: Person | None,
    *,
    on_record: Callable[[AnyRecord], None] = lambda _: None,
    timeout_ms: int = TIMEOUT_MS,
    card: Card | None = None,
) -> Ended:
    settings = Settings(
        timeout_ms=timeout_ms,
        clock=Clock(),
        on_record=on_record,
        say=lambda _: None,
        carrier=wire,
    )
    in_front = None
    if visitor is not None:
        in_slot = card or CardFile.load(town.card)
        in_front = Visitor(customer=visitor, card=in_slot, tray=town.tray)
    return await run_opening(town.config, in_front, settings)


def only(ended: Ended) -> Issuance:
    (issuance,) = ended.state.issuances.values()
    return issuance


def storage_files(town: Town) -> Iterator[Path]:
    return (path for path in town.config.storage.rglob("*") if path.is_file())


def hoppers(town: Town) -> list[tuple[int, int, int]]:
    with sqlite3.connect(town.config.storage / "coin-box.sqlite") as database:
        return database.execute(
            "SELECT inside_yen, earned_yen, returned_yen FROM hoppers"
        ).fetchall()
