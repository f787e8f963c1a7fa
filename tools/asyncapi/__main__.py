"""Write ``docs/asyncapi.json`` and ``docs/telegrams.md``; ``--check`` tells whether they agree.

Run from the top of the checkout::

    python -m tools.asyncapi            write both
    python -m tools.asyncapi --check    exit 1 when one differs from code and specification
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from protocol.errors import SetUpError
from tools.asyncapi.document import document
from tools.asyncapi.page import page
from tools.asyncapi.schemas import Schema
from tools.asyncapi.specification import Specification

DOCUMENT = Path("docs/asyncapi.json")
PAGE = Path("docs/telegrams.md")

_VECTORS = Path("tests/vectors")


def made() -> Schema:
    """Return the document of this checkout.

    Raises:
        SetUpError: the specification or a file of vectors is missing or incomplete.
    """
    return document(
        Specification.read(),
        telegrams=_vectors("telegrams")["telegrams"],
        envelopes=_vectors("envelopes"),
    )


def texts() -> dict[Path, str]:
    """Return the text of both files by their paths."""
    whole = made()
    return {
        DOCUMENT: json.dumps(whole, indent=2, ensure_ascii=False) + "\n",
        PAGE: page(whole),
    }


def main(arguments: list[str]) -> int:
    """Write the files or check them; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.asyncapi",
        description=f"Make {DOCUMENT} and {PAGE} from code and specification.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if one differs")
    chosen = parser.parse_args(arguments)
    try:
        wanted = texts()
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    if not chosen.check:
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
        return 0
    differing = [path for path, text in wanted.items() if _present(path) != text]
    for path in differing:
        print(f"{path} is out of date: run python -m tools.asyncapi", file=sys.stderr)
    return 1 if differing else 0


def _vectors(name: str) -> Any:
    path = _VECTORS / f"{name}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SetUpError(f"{path} is missing: make it with `make vectors`") from error


def _present(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
