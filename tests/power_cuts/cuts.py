"""Lives of a city, power cuts at every point of them, and what must hold of what is left."""

import asyncio
import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.adapters.city_file import HandClock, found
from tests.power_cuts.city import CARDS, Commit, Life, WatchedStore, live, said, stand_in_keys
from tests.power_cuts.disk import Disk, Image
from tests.power_cuts.recorder import Acknowledged, Event, recording

MEMORY_FOLDER = Path("/dev/shm")
STALE_MEMORY_CHANCE = 0.5
DATABASE = "city.db"


class Fault(StrEnum):
    """What must never be."""

    UNREADABLE = "the database does not open, or its integrity check finds something"
    LOST = "a commit that was acknowledged is not there"
    HALF = "the database says what it said after no commit"
    KEY_LEFT = "the key of an issuance whose deletion was confirmed is on the disk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """A life that was recorded.

    Attributes:
        image: what was on the disk when it began.
        events: what was asked of the file system, and what was acknowledged between.
        commits: what the database said before the first commit, and after each.
        shared_memory: bytes of that file at times when keys had just been destroyed.
        ended_at_ms: real time.
    """

    image: Image
    events: list[Event]
    commits: list[Commit]
    shared_memory: list[bytes]
    ended_at_ms: int


@dataclass(slots=True)
class Tally:
    """What was done and found.

    Attributes:
        lives: starts of a server that were recorded.
        customers: who came in them.
        events: what was asked of the file system, and acknowledgements.
        cuts: images that were drawn and judged.
        unsynced: cuts when something was under way, so that there was something to draw.
        faults: how often each was found.
        first: the first fault with the seed, life and event that it was found at.
    """

    lives: int = 0
    customers: int = 0
    events: int = 0
    cuts: int = 0
    unsynced: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    first: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much to do.

    Attributes:
        seed: of everything that is drawn.
        lives: how many starts of the server, each but the first from what a cut left.
        customers: how many come in each life.
        cuts: at each event that is cut at.
        share: of the events that are cut at, drawn.
        store_class: the store under test.
    """

    seed: int
    lives: int = 1
    customers: int = 4
    cuts: int = 1
    share: float = 1.0
    store_class: type[WatchedStore] = WatchedStore


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """Give a folder that costs no disk."""
    parent = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)


def run(plan: Plan, founded: Path, tally: Tally) -> None:
    """Live, cut the power at every event, judge what is left, and go on from one of them.

    Args:
        plan: how much to do.
        founded: the database of a city that was just founded.
        tally: is added to.
    """
    drawn = random.Random(plan.seed)
    image: Image = {"": bytearray(founded.read_bytes())}
    at_ms = HandClock().real_ms
    with folder_in_memory() as folder:
        for number in range(plan.lives):
            lived = record(plan, image, drawn, first_number=number * plan.customers, at_ms=at_ms)
            image = judge_all(plan, lived, drawn, folder, tally)
            at_ms = lived.ended_at_ms + drawn.randrange(1, 1_000_000)


def found_small_city(folder: Path) -> Path:
    """Found the city in which all this happens."""
    return found(folder / DATABASE, cards=CARDS)


def record(
    plan: Plan, image: Image, drawn: random.Random, *, first_number: int, at_ms: int
) -> Lived:
    """Let a server start on what is on the disk, and write down what it does there."""
    with folder_in_memory() as folder:
        path = folder / DATABASE
        lay(image, path)
        clock = HandClock()
        clock.pass_ms(at_ms - clock.real_ms)
        with recording(path, drawn.randrange(2**32)) as recorder:
            life = Life(path, clock=clock, recorder=recorder, store_class=plan.store_class)
            asyncio.run(
                live(life, first_number=first_number, customers=plan.customers, drawn=drawn)
            )
    return Lived(
        image=image,
        events=recorder.events,
        commits=life.commits_made,
        shared_memory=life.shared_memory,
        ended_at_ms=clock.real_ms,
    )


def judge_all(plan: Plan, lived: Lived, drawn: random.Random, folder: Path, tally: Tally) -> Image:
    """Cut the power after every event, judge what is left, and return one of the images."""
    disk, acknowledged = Disk(lived.image), 0
    goes_on_after = drawn.randrange(len(lived.events))
    goes_on_with: Image = lived.image
    for at, event in enumerate(lived.events):
        disk.take(event)
        if isinstance(event, Acknowledged):
            acknowledged = event.commit
        if drawn.random() >= plan.share and at != goes_on_after:
            continue
        for _ in range(plan.cuts):
            image = disk.cut(drawn)
            fault = judge(image, lived, acknowledged, folder, drawn)
            tally.cuts += 1
            tally.unsynced += disk.under_way
            if fault is not None:
                tally.faults[fault] += 1
                tally.first = tally.first or f"seed {plan.seed}, event {at}: {fault}"
            if at == goes_on_after:
                goes_on_with = image
    for memory in lived.shared_memory:
        if stand_in_keys(memory):
            tally.faults[Fault.KEY_LEFT] += 1
    tally.lives += 1
    tally.customers += plan.customers
    tally.events += len(lived.events)
    return goes_on_with


def judge(
    image: Image, lived: Lived, acknowledged: int, folder: Path, drawn: random.Random
) -> Fault | None:
    """Return what is wrong with what a cut left, if anything is.

    Args:
        image: what is on the disk.
        lived: the life that it was cut out of.
        acknowledged: the last commit of which somebody was told; the next may be there too.
        folder: where the image can be laid out.
        drawn: whether old shared memory lies beside it, as after a cut of the power it may.
    """
    confirmed = lived.commits[acknowledged].destroyed
    if any(not confirmed.isdisjoint(stand_in_keys(content)) for content in image.values()):
        return Fault.KEY_LEFT
    path = folder / DATABASE
    lay(image, path)
    if lived.shared_memory and drawn.random() < STALE_MEMORY_CHANCE:
        path.with_name(DATABASE + "-shm").write_bytes(drawn.choice(lived.shared_memory))
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")  # this disk is made of memory
            if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                return Fault.UNREADABLE
            if connection.execute("PRAGMA foreign_key_check").fetchall():
                return Fault.HALF
            found_there = said(connection)
    except sqlite3.Error:
        return Fault.UNREADABLE
    if found_there in lived.commits[acknowledged : acknowledged + 2]:
        return None
    return Fault.LOST if found_there in lived.commits[:acknowledged] else Fault.HALF


def lay(image: Image, path: Path) -> None:
    """Put an image where a database can be opened."""
    for file in path.parent.glob(path.name + "*"):
        file.unlink()
    for name, content in image.items():
        path.with_name(path.name + name).write_bytes(content)
