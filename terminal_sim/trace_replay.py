"""``terminal-sim trace replay``: does this version decide as the one that recorded?"""

import argparse
import sys
from pathlib import Path
from typing import Any

from protocol.shells.trace_reading import read_trace
from protocol.trace.replay_words import outcome_lines
from protocol.trace.replaying import play
from terminal_sim.core.replay import ReplayedTerminal
from terminal_sim.result import Exit


def add_trace_replay(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add ``trace replay``."""
    group = commands.add_parser("trace", help="play a terminal's core trace again")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    replay = actions.add_parser(
        "replay",
        help="put a core trace through this version's core, and hold its decisions against it",
        epilog="exit codes: 0 the same, 1 otherwise, or not all of it could be played",
    )
    replay.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="the parts of one recording, oldest first (FILE.1, FILE.2, FILE)",
    )


def run_trace_replay(arguments: argparse.Namespace) -> int:
    """Play the trace, and tell what came of it."""
    entries = (entry for path in arguments.files for entry in read_trace(path))
    played = play(entries, ReplayedTerminal)
    sys.stdout.writelines(f"{line}\n" for line in outcome_lines(played))
    same = played.deviation is None and played.missed_at is None
    return Exit.DONE if same else Exit.SET_UP
