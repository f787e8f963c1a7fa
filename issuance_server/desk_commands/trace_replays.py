"""``issuance-server trace replay``: does this version decide as the one that recorded?"""

import argparse
import sys
from pathlib import Path

from issuance_server.core.replay import ReplayedSwitch
from issuance_server.desk_commands.parsing import Commands
from protocol.shells.trace_reading import read_trace
from protocol.trace.replay_words import outcome_lines
from protocol.trace.replaying import play

EXIT_SAME = 0
EXIT_OTHERWISE = 1


def add_replay(actions: Commands) -> None:
    """Add ``replay``."""
    replay = actions.add_parser(
        "replay",
        help="put a core trace through this version's core, and hold its decisions against it",
        epilog="exit status: 0 the same, 1 otherwise, or not all of it could be played",
    )
    replay.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="the parts of one recording, oldest first (FILE.1, FILE.2, FILE)",
    )
    replay.set_defaults(run=_replay)


def _replay(arguments: argparse.Namespace) -> int:
    entries = (entry for path in arguments.files for entry in read_trace(path))
    played = play(entries, ReplayedSwitch)
    sys.stdout.writelines(f"{line}\n" for line in outcome_lines(played))
    same = played.deviation is None and played.missed_at is None
    return EXIT_SAME if same else EXIT_OTHERWISE
