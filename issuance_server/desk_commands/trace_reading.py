"""Traces as files: read in any form, as far as they can be read."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from protocol.errors import SetUpError
from protocol.shells.trace_reading import read_trace
from protocol.trace import stream
from protocol.trace.entries import Entry
from protocol.trace.stream import TraceDamaged

CHUNK_BYTES = 64 * 1024
WRITTEN_SUFFIXES = frozenset({".jsonl", ".toml"})


def entries_of(
    path: Path, chunks: Callable[[Path], Iterator[bytes]] | None = None
) -> Iterator[Entry]:
    """Read a trace in any form; what was readable is given before the error is raised.

    Args:
        path: of the file.
        chunks: gives its bytes, where it is a recorded trace that still grows.

    Raises:
        SetUpError: it is no trace, or damaged; the text names the file and the place.
    """
    try:
        if chunks is None or path.suffix in WRITTEN_SUFFIXES:
            yield from read_trace(path)
            return
        for placed in stream.read(chunks(path)):
            yield placed.entry
    except SetUpError:
        sys.stdout.flush()
        raise
    except TraceDamaged as error:
        sys.stdout.flush()
        raise SetUpError(f"{path}: {error}") from None


def chunks_of(path: Path) -> Iterator[bytes]:
    """Give the bytes of a file."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
