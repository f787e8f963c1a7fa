"""``issuance-server trace``: look at recorded traces, compare them, turn them into other forms."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from issuance_server.desk_commands.parsing import Commands
from issuance_server.desk_commands.tables import print_json, print_table
from issuance_server.desk_commands.trace_replays import add_replay
from protocol.errors import SetUpError
from protocol.shells.trace_reading import CHUNK_BYTES, chunks_of, read_trace
from protocol.trace import diagram, plain, stream
from protocol.trace.comparing import differences
from protocol.trace.conversation import Conversation, told
from protocol.trace.entries import Entry, Happened, Header, Known, Said, Unknown
from protocol.trace.statistics import MEDIAN, P99, Statistics, quantile, statistics
from protocol.trace.wording import wording

FOLLOW_INTERVAL_MS = 200
DIFFERENCES_SHOWN_MAX = 20
EXIT_DONE = 0
EXIT_DIFFERENT = 1


def add_commands(commands: Commands) -> None:
    """Add ``trace`` with what can be done to one."""
    group = commands.add_parser("trace", help="look at recorded traces, compare and convert them")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    shown = actions.add_parser("show", help="what happened, line by line")
    _add_file(shown)
    shown.add_argument("--line", metavar="TERMINAL", help="of this terminal or line only")
    shown.add_argument(
        "--issuance", metavar="ID", help="of this issuance only; its beginning will do"
    )
    shown.add_argument("--kind", action="append", metavar="TELEGRAM", help="these telegrams only")
    shown.add_argument("--since", type=_seconds, default=0, metavar="S", help="from this second on")
    shown.add_argument("--until", type=_seconds, metavar="S", help="up to this second")
    shown.add_argument(
        "--follow", action="store_true", help="go on as the file grows, until Ctrl-C"
    )
    shown.add_argument(
        "--json", action="store_true", help="an object to the line, nothing left out"
    )
    shown.set_defaults(run=_show)

    diff = actions.add_parser("diff", help="what is different in two traces of the same course")
    diff.add_argument("first", type=Path, metavar="A")
    diff.add_argument("second", type=Path, metavar="B")
    diff.add_argument(
        "--ignore",
        action="append",
        default=["software"],
        metavar="FIELD",
        help="fields that may differ",
    )
    diff.add_argument("--lines", action="store_true", help="compare what happens to lines as well")
    diff.set_defaults(run=_diff)

    converted = actions.add_parser(
        "convert",
        help="to another form, which the suffix names: .trace, .jsonl, .mmd (Mermaid) or .svg",
    )
    converted.add_argument(
        "source", type=Path, metavar="FROM", help="a .trace, .jsonl or .scenario.toml file"
    )
    converted.add_argument("target", type=Path, metavar="TO", help="a file that does not exist yet")
    converted.add_argument("--issuance", metavar="ID", help="which one a diagram shows")
    converted.set_defaults(run=_convert)

    add_replay(actions)

    counted = actions.add_parser("stats", help="how many of each, how long, how much was repeated")
    _add_file(counted)
    counted.add_argument("--json", action="store_true", help="print JSON instead of tables")
    counted.set_defaults(run=_stats)


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a .trace, .jsonl or .scenario.toml file"
    )


def _seconds(text: str) -> int:
    try:
        return max(0, round(float(text) * 1_000))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds") from None


def _show(arguments: argparse.Namespace) -> int:
    wanted = _filter(arguments)
    conversation = Conversation()
    chunks = growing if arguments.follow else chunks_of
    for entry in read_trace(arguments.file, chunks):
        known = conversation.follow(entry) if isinstance(entry, Said) else None
        if not wanted(entry, known.issuance if known is not None else None):
            continue
        if arguments.json:
            line = "" if isinstance(entry, Unknown) else plain.to_line(entry)
        else:
            line = wording(entry, known)
        sys.stdout.write(line + "\n")
        if arguments.follow:
            sys.stdout.flush()
    return EXIT_DONE


def _filter(arguments: argparse.Namespace) -> Callable[[Entry, bytes | None], bool]:
    """Return what decides whether an entry is shown."""
    of_line = arguments.line
    narrowed = of_line or arguments.issuance or arguments.kind

    def wanted(entry: Entry, issuance: bytes | None) -> bool:
        at_ms = getattr(entry, "at_ms", 0)
        if at_ms < arguments.since or (arguments.until is not None and at_ms > arguments.until):
            return False
        if not isinstance(entry, Said | Happened):
            return not narrowed
        line = entry.line.hex() if entry.line is not None else ""
        if of_line and of_line not in (entry.terminal, line):
            return False
        if arguments.issuance and not (issuance or b"").hex().startswith(
            arguments.issuance.lower()
        ):
            return False
        kind = entry.telegram.get("telegram") if isinstance(entry, Said) else None
        return not arguments.kind or kind in arguments.kind

    return wanted


def _diff(arguments: argparse.Namespace) -> int:
    found = differences(
        read_trace(arguments.first),
        read_trace(arguments.second),
        ignore=frozenset(arguments.ignore),
        with_line_words=arguments.lines,
    )
    count = 0
    for difference in found:
        count += 1
        if count <= DIFFERENCES_SHOWN_MAX:
            sys.stdout.write(f"{difference}\n")
    if count > DIFFERENCES_SHOWN_MAX:
        sys.stdout.write(f"and {count - DIFFERENCES_SHOWN_MAX} more\n")
    sys.stderr.write(f"{count or 'no'} differences\n")
    return EXIT_DIFFERENT if count else EXIT_DONE


def _convert(arguments: argparse.Namespace) -> int:
    writers: dict[str, Callable[[Path], Iterator[bytes]]] = {
        ".trace": _as_trace,
        ".jsonl": _as_lines,
        ".mmd": lambda source: _as_diagram(source, arguments.issuance, diagram.mermaid),
        ".svg": lambda source: _as_diagram(source, arguments.issuance, diagram.svg),
    }
    target: Path = arguments.target
    writer = writers.get(target.suffix)
    if writer is None:
        raise SetUpError(f"{target}: the form is named by its suffix: {', '.join(writers)}")
    if target.exists():
        raise SetUpError(f"{target} exists already; name another file")
    parts = writer(arguments.source)
    begun = next(parts)  # before the file is made: what cannot be read leaves none behind
    with target.open("xb") as file:
        file.write(begun)
        for part in parts:
            file.write(part)
    return EXIT_DONE


def _as_trace(source: Path) -> Iterator[bytes]:
    for entry in _known(source):
        yield stream.encode(entry)


def _as_lines(source: Path) -> Iterator[bytes]:
    for entry in _known(source):
        yield plain.to_line(entry).encode() + b"\n"


def _as_diagram(source: Path, issuance: str | None, draw: Callable[..., str]) -> Iterator[bytes]:
    header = next(iter(read_trace(source)))
    telegrams = list(told(read_trace(source)))
    about = dict.fromkeys(one.issuance for one in telegrams if one.issuance is not None)
    chosen = [one for one in about if one.hex().startswith((issuance or "").lower())]
    if len(chosen) != 1:
        there = ", ".join(one.hex() for one in chosen or about) or "none"
        raise SetUpError(f"name one issuance with --issuance; there are: {there}")
    terminal = next(one.said.terminal for one in telegrams if one.issuance == chosen[0])
    city = header.city if isinstance(header, Header) else ""
    yield draw(diagram.steps_of(telegrams, chosen[0]), terminal, city).encode()


def _stats(arguments: argparse.Namespace) -> int:
    found = statistics(read_trace(arguments.file))
    rows = [
        (
            kind,
            count,
            found.repeated[kind],
            *([quantile(waits, MEDIAN), quantile(waits, P99)] if waits else ["", ""]),
        )
        for kind, count in found.telegrams.most_common()
        for waits in [found.waits_ms.get(kind)]
    ]
    columns = ("telegram", "count", "copies", "median_ms", "p99_ms")
    if arguments.json:
        print_json(
            _summary(found) | {"telegrams": [dict(zip(columns, r, strict=True)) for r in rows]}
        )
        return EXIT_DONE
    for name, value in _summary(found).items():
        shown = (
            ", ".join(f"{n} {c}" for n, c in value.items()) if isinstance(value, dict) else value
        )
        sys.stdout.write(f"{name:>12}  {shown}\n")
    print_table(columns, rows)
    return EXIT_DONE


def _summary(found: Statistics) -> dict[str, object]:
    return {
        "seconds": found.until_ms / 1_000,
        "terminals": len(found.terminals),
        "issuances": len(found.issuances),
        "bytes_up": found.bytes_up,
        "bytes_down": found.bytes_down,
        "refusals": dict(found.refusals.most_common()),
        "line": dict(found.words.most_common()),
        "drops": dict(found.drops.most_common()),
        "missed": found.missed,
    }


def _known(source: Path) -> Iterator[Known]:
    for entry in read_trace(source):
        if not isinstance(entry, Unknown):
            yield entry


def growing(path: Path) -> Iterator[bytes]:
    """Read on as a file grows; where another one takes its name, this one is at its end."""
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK_BYTES)
            if chunk:
                yield chunk
            elif not path.exists() or path.stat().st_ino != os.fstat(file.fileno()).st_ino:
                return
            else:
                time.sleep(FOLLOW_INTERVAL_MS / 1_000)
