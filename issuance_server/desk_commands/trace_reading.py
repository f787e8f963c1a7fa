"""Traces as files: read in either form, as far as they can be read."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from protocol.errors import SetUpError
from protocol.trace import plain, stream
from protocol.trace.entries import Entry
from protocol.trace.stream import TraceDamaged

CHUNK_BYTES = 64 * 1024


def entries_of(
    path: Path, chunks: Callable[[Path], Iterator[bytes]] | None = None
) -> Iterator[Entry]:
    """Read a trace in either form; what was readable is given before the error is raised.

    Raises:
        SetUpError: it is no trace, or damaged; the text names the file and the place.
    """
    try:
        if path.suffix == ".jsonl":
            with path.open(encoding="utf-8") as lines:
                for number, line in enumerate(lines, start=1):
                    yield plain.from_line(line, number)
            return
        for placed in stream.read((chunks or chunks_of)(path)):
            yield placed.entry
    except (TraceDamaged, plain.LineUnreadable) as error:
        sys.stdout.flush()
        raise SetUpError(f"{path}: {error}") from None


def chunks_of(path: Path) -> Iterator[bytes]:
    """Give the bytes of a file."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
