"""``issuance-server`` whose memory whoever started it may read: a program for tests alone.

The server itself has no switch for this, so that nobody can throw it in a city.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from issuance_server.__main__ import main
from issuance_server.desk_commands import serving


def command() -> list[str]:
    """Return how to start it; the words of ``issuance-server`` follow."""
    return [sys.executable, str(Path(__file__).resolve())]


def run_open(words: Sequence[str]) -> int:
    """Run a command as ``issuance-server`` does, but leave the process open to be looked into."""
    vars(serving)["harden"] = lambda: None
    return main(words)


if __name__ == "__main__":
    sys.exit(run_open(sys.argv[1:]))
