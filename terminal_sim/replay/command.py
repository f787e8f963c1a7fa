"""``terminal-sim replay``: let recorded or written conversations happen again at a live city."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from protocol.errors import SetUpError
from protocol.shells.trace_reading import LINES_SUFFIX, read_trace
from protocol.trace.entries import Entry, Said
from terminal_sim.journal import locked_storage
from terminal_sim.opening import Clock
from terminal_sim.replay.cast import CARDS_FOLDER, Cast, read_mapping, read_pins
from terminal_sim.replay.hand import Hand, Wallet
from terminal_sim.replay.playing import Pace, Played, Player
from terminal_sim.replay.report import as_it_was, lines_of, plain_report, words_of
from terminal_sim.replay.script import Script, script_of

EXIT_AS_RECORDED = 0
EXIT_DIFFERENT = 1
EXIT_USAGE = 2
_README = "README.md"


def run_replay(arguments: argparse.Namespace, folders: Sequence[Path]) -> int:
    """Play all files, one after the other, and tell what came of them.

    Args:
        arguments: of the command line.
        folders: where terminals are.

    Returns:
        the exit code.
    """
    try:
        return _run(arguments, folders)
    except SetUpError as error:
        sys.stderr.write(f"terminal-sim: {error}\n")
        return EXIT_USAGE


def play_all(
    script: Script,
    hands: Sequence[dict[str, Hand]],
    speed: float | None,
    *,
    ignore: frozenset[str] = frozenset(),
    to_the_end: bool = False,
) -> list[Played]:
    """Play copies of a script at once.

    Args:
        script: what is played.
        hands: for each copy who plays whom.
        speed: 1 as recorded, 2 twice as fast; 0: without waiting; None: as fits the trace.
        ignore: names of fields that are not compared.
        to_the_end: go on after an answer of another kind.

    Raises:
        SetUpError: broker or city do not answer, a card is missing, or a terminal is in use.
    """
    factor = (1.0 if script.by_hand else None) if speed is None else speed or None
    pace = Pace(factor=factor, to_the_end=to_the_end)
    clock = Clock()
    players = [Player(script, one, pace, clock=clock, ignore=ignore) for one in hands]

    async def together() -> list[Played]:
        return await asyncio.gather(*(player.play() for player in players))

    with ExitStack() as stack:
        for one in hands:
            for hand in one.values():
                stack.enter_context(locked_storage(hand.config.storage))
        return asyncio.run(together())


def _run(arguments: argparse.Namespace, folders: Sequence[Path]) -> int:
    record: Path | None = arguments.record
    if record is not None and (len(arguments.files) > 1 or arguments.parallel > 1):
        arguments.usage_error("--record: of one copy of one file")
    if record is not None and record.suffix != LINES_SUFFIX:
        raise SetUpError(f"{record}: what was said is written as lines of JSON; name a .jsonl")
    if record is not None and record.exists():
        raise SetUpError(f"{record} exists already; name another file")
    cast = _cast(arguments, folders)
    result = EXIT_AS_RECORDED
    for path in arguments.files:
        entries, damage = _readable(path)
        script = script_of(entries)
        hands = cast.hands(script.terminals, arguments.parallel)
        copies = play_all(script, hands, arguments.speed, ignore=frozenset(arguments.ignore))
        for number, played in enumerate(copies, start=1):
            name = str(path) if len(copies) == 1 else f"{path} (copy {number})"
            _tell(name, played, as_json=arguments.json)
            result = result if played.as_recorded else max(result, EXIT_DIFFERENT)
        if damage is not None:
            sys.stderr.write(f"terminal-sim: {damage}; what comes before was played\n")
            result = EXIT_USAGE
        if record is not None:
            lines = lines_of(as_it_was(script, copies[0], keep_patterns=False))
            record.write_text(lines, encoding="utf-8")
    return result


def _readable(path: Path) -> tuple[list[Entry], SetUpError | None]:
    """Return the entries of a trace, and why there are no more, if it is damaged.

    Raises:
        SetUpError: no telegram can be read.
    """
    entries: list[Entry] = []
    try:
        for entry in read_trace(path):
            entries.append(entry)  # noqa: PERF402  # what was read before an error is kept
    except SetUpError as error:
        if not any(isinstance(entry, Said) for entry in entries):
            raise
        return entries, error
    return entries, None


def _tell(name: str, played: Played, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(plain_report(name, played), ensure_ascii=False) + "\n")
        return
    for line in words_of(name, played):
        sys.stdout.write(line + "\n")


def _cast(arguments: argparse.Namespace, folders: Sequence[Path]) -> Cast:
    there = next((folder for folder in folders if folder.is_dir()), None)
    beside = None if there is None else there.resolve().parent
    pins_file: Path | None = arguments.pins
    if pins_file is None and beside is not None and (beside / _README).is_file():
        pins_file = beside / _README
    wallet = Wallet(
        files=dict(arguments.card),
        folder=None if beside is None else beside / CARDS_FOLDER,
        pins={} if pins_file is None else read_pins(pins_file),
    )
    copies = () if arguments.mapping is None else read_mapping(arguments.mapping)
    if copies and len(copies) < arguments.parallel:
        raise SetUpError(f"{arguments.mapping} says who plays whom in {len(copies)} copies only")
    return Cast(folders=folders, wallet=wallet, copies=copies)
