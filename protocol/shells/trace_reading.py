"""Reads traces in any of their forms: recorded, as lines of JSON, or written by hand."""

from collections.abc import Callable, Iterator
from pathlib import Path

from protocol.errors import SetUpError
from protocol.trace import plain, stream
from protocol.trace.entries import Entry
from protocol.trace.scenario import SUFFIX, ScenarioUnreadable, compile_scenario
from protocol.trace.stream import TraceDamaged

CHUNK_BYTES = 64 * 1024
SCENARIO_BYTES_MAX = 1024 * 1024
LINES_SUFFIX = ".jsonl"


def chunks_of(path: Path) -> Iterator[bytes]:
    """Give the bytes of a file."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def read_trace(
    path: Path, chunks: Callable[[Path], Iterator[bytes]] = chunks_of
) -> Iterator[Entry]:
    """Give the entries of a trace; what was readable is given before the error is raised.

    Args:
        path: ``.scenario.toml``, ``.jsonl``, or a recorded file of any other name.
        chunks: gives the bytes of a recorded file, such as one that still grows.

    Raises:
        SetUpError: it is missing, no trace, or damaged; the text names the file and the place.
    """
    try:
        if path.name.endswith(SUFFIX):
            yield from compile_scenario(_text(path))
        elif path.suffix == LINES_SUFFIX:
            with path.open(encoding="utf-8") as lines:
                for number, line in enumerate(lines, start=1):
                    yield plain.from_line(line, number)
        else:
            for placed in stream.read(chunks(path)):
                yield placed.entry
    except (TraceDamaged, plain.LineUnreadable, ScenarioUnreadable) as error:
        raise SetUpError(f"{path}: {error}") from None
    except UnicodeDecodeError:
        raise SetUpError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise SetUpError(f"{path} cannot be read: {error.strerror}") from None


def _text(path: Path) -> str:
    if path.stat().st_size > SCENARIO_BYTES_MAX:
        raise SetUpError(f"{path} is longer than {SCENARIO_BYTES_MAX} bytes; no scenario is")
    return path.read_text(encoding="utf-8")
