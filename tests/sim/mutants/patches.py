"""The patches and what their heads say.

A head is everything before the first line of the difference, in entries of the form ``Word: text``;
lines that begin with a blank go on with the entry before.
"""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
SEEDS_MAX = 3_000
"""Within so many seeds the simulation has to find a bug."""
MODES = ("safety", "liveness")
_NAME = re.compile(r"\d\d-[a-z0-9-]+")
_ENTRIES = frozenset({"Bug", "Breaks", "Seen", "Finder"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """One way to look for a bug.

    Attributes:
        configurations: of the explorer, by name; none: it is the simulation.
        mode: of the simulation.
        store: of the simulation, ``memory`` or ``sqlite``.
    """

    configurations: tuple[str, ...] = ()
    mode: str = "safety"
    store: str = "memory"

    @property
    def name(self) -> str:
        """How it is called in tables."""
        if self.configurations:
            return f"explorer {', '.join(self.configurations)}"
        behind = "" if self.store == "memory" else f" {self.store}"
        return f"simulation {self.mode}{behind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One planted bug.

    Attributes:
        name: number and words, as its file is called.
        bug: what is wrong.
        breaks: the rule of the domain's list that it breaks, and how.
        seen: where such a fault was seen; empty where it was not.
        finders: what looks for it, one after the other.
        patch: where the difference stands.
    """

    name: str
    bug: str
    breaks: str
    seen: str
    finders: tuple[Finder, ...]
    patch: Path


def mutants(folder: Path = FOLDER) -> tuple[Mutant, ...]:
    """Return all planted bugs in order."""
    return tuple(read(path) for path in sorted(folder.glob("*.patch")))


def read(path: Path) -> Mutant:
    """Return what a patch says of itself.

    Raises:
        ValueError: its name or its head is not as it has to be.
    """
    if _NAME.fullmatch(path.stem) is None:
        raise ValueError(f"{path.name}: a patch is called NN-name.patch")
    head = _head(path)
    return Mutant(
        name=path.stem,
        bug=head["Bug"],
        breaks=head["Breaks"],
        seen=head.get("Seen", ""),
        finders=tuple(_finder(path, one.strip()) for one in head["Finder"].split(";")),
        patch=path,
    )


def _head(path: Path) -> dict[str, str]:
    head: dict[str, str] = {}
    word = ""
    for line in path.read_text().splitlines():
        if line.startswith("--- "):
            break
        text = line
        if not line.startswith(" "):
            word, _, text = line.partition(":")
            if word not in _ENTRIES:
                raise ValueError(f"{path.name}: {word!r} is no entry of a head")
        head[word] = f"{head.get(word, '')} {text.strip()}".strip()
    missing = _ENTRIES - {"Seen"} - set(head)
    if missing:
        raise ValueError(f"{path.name}: the head lacks {', '.join(sorted(missing))}")
    return head


def _finder(path: Path, text: str) -> Finder:
    kind, _, rest = text.partition(" ")
    words = rest.split()
    if kind == "explorer":
        return Finder(configurations=tuple(name.strip() for name in rest.split(",")))
    if kind == "simulation" and words and words[0] in MODES:
        return Finder(mode=words[0], store=words[1] if len(words) > 1 else "memory")
    raise ValueError(f"{path.name}: {text!r} is no finder")
