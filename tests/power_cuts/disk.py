"""A disk that forgets: from what was asked of the file system to what a power cut leaves.

Everything before the last sync of a file is there. Of what came after, each piece of a sector is
lost, kept, torn (its beginning is new, the rest is as before) or scrambled, independently of all
others; so are cuts of a file and, until the folder is synced, names. What was written and synced
next to a torn piece stays whole: SQLite assumes that of disks unless it is built otherwise
(https://www.sqlite.org/psow.html), and so does this disk.
"""

import random
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.power_cuts.recorder import Acknowledged, Created, Deleted, Event, Synced, Truncated
from tests.power_cuts.recorder import Written as WrittenEvent

SECTOR_BYTES = 512
KEPT_CHANCES = (0.0, 0.1, 0.5, 0.9, 1.0)
"""How likely an unsynced piece survives; one of them for a whole cut: losses come together."""
TORN_CHANCE = 0.08
SCRAMBLED_CHANCE = 0.02

Image: TypeAlias = dict[str, bytearray]
"""What is on the disk, by the ending of the file's name; the database's own is empty."""


@dataclass(slots=True)
class File:
    """A file: what is on the disk for certain, and what is under way.

    Attributes:
        durable: what is on the disk for certain.
        under_way: pieces of at most one sector at their offsets, and cuts as bare sizes.
    """

    durable: bytearray = field(default_factory=bytearray)
    under_way: list[tuple[int, bytes] | int] = field(default_factory=list)

    def write(self, offset: int, content: bytes) -> None:
        """Split into pieces that do not cross a sector's border."""
        done = 0
        while done < len(content):
            size = SECTOR_BYTES - (offset + done) % SECTOR_BYTES
            self.under_way.append((offset + done, content[done : done + size]))
            done += size

    def sync(self) -> None:
        """Bring everything to the disk."""
        for change in self.under_way:
            _carry_out(self.durable, change)
        self.under_way.clear()

    def survivor(self, drawn: random.Random) -> bytearray:
        """Return what a power cut leaves of the file."""
        left = bytearray(self.durable)
        kept = drawn.choice(KEPT_CHANCES)
        for change in self.under_way:
            fate = drawn.random()
            if fate >= kept:
                continue
            if isinstance(change, tuple):
                _carry_out(left, _hurt(change, drawn))
            else:
                _carry_out(left, change)
        return left


class Disk:
    """The files of one database, as far as recorded events have brought them."""

    def __init__(self, image: Image) -> None:
        self._files = {name: File(durable=bytearray(found)) for name, found in image.items()}
        self._named = dict(self._files)  # what the folder says on the disk

    def take(self, event: Event) -> None:
        """Let an event happen."""
        match event:
            case Created(name=name):
                self._files[name] = File()
            case WrittenEvent(name=name, offset=offset, content=content):
                self._files[name].write(offset, content)
            case Truncated(name=name, size=size):
                self._files[name].under_way.append(size)
            case Synced(name=name):
                if name in self._files:
                    self._files[name].sync()
                if name:  # the layer syncs the folder with the first sync of a log
                    self._named = dict(self._files)
            case Deleted(name=name):
                del self._files[name]
            case Acknowledged():
                pass

    @property
    def under_way(self) -> bool:
        """Whether anything could be lost."""
        return self._named != self._files or any(one.under_way for one in self._files.values())

    def cut(self, drawn: random.Random) -> Image:
        """Return what is left if the power goes now."""
        left: Image = {}
        for name in sorted(self._files.keys() | self._named.keys()):
            now, before = self._files.get(name), self._named.get(name)
            file = now if drawn.random() < 0.5 else before
            if file is not None:
                left[name] = file.survivor(drawn)
        return left


def _carry_out(content: bytearray, change: tuple[int, bytes] | int) -> None:
    if isinstance(change, int):
        del content[change:]
        content.extend(bytes(change - len(content)))
        return
    offset, piece = change
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(piece)] = piece


def _hurt(change: tuple[int, bytes], drawn: random.Random) -> tuple[int, bytes]:
    """Return a piece as the dying disk wrote it: mostly whole."""
    offset, piece = change
    fate = drawn.random()
    if fate < TORN_CHANCE:
        return offset, piece[: drawn.randrange(len(piece))]
    if fate < TORN_CHANCE + SCRAMBLED_CHANCE:
        return offset, drawn.randbytes(len(piece))
    return change
