"""Files of ``docs/`` that programs make: written, or only compared with what they would be."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def write_or_check(
    path: Path,
    made: Callable[[], str],
    arguments: Sequence[str] | None,
    *,
    program: str,
    description: str,
) -> int:
    """Run such a program: write the file, or with ``--check`` say whether it is up to date.

    Args:
        path: of the file, from the checkout's folder.
        made: gives its whole text.
        arguments: of the command line; those of the process if None.
        program: how it is started, for its help.
        description: what it does, for its help.

    Returns:
        the exit status: 1 if the file is out of date.
    """
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if out of date")
    options = parser.parse_args(arguments)
    text = made()
    if not options.check:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    print(f"{path} is out of date: run `make docs` and commit it", file=sys.stderr)
    return 1
