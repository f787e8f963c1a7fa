"""Makes ``docs/register-extract.schema.json`` from the types of extract and feed.

``python -m issuance_server.observe.register_schema`` writes it; with ``--check`` it only says
whether it is up to date.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from issuance_server.core.register_extract import AnyLine
from issuance_server.core.register_feed import AnyChange

PAGE = Path("docs/register-extract.schema.json")


def schema() -> dict[str, Any]:
    """Return the JSON Schema: ``$defs/Line`` of an extract, ``$defs/Change`` of the feed."""
    (line, change), components = msgspec.json.schema_components(
        [AnyLine, AnyChange], ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One line of a full extract of the registers, or of their change feed",
        "description": "Made by `make docs` from core/register_extract.py and"
        " core/register_feed.py; do not edit by hand. docs/operating/register.md explains it.",
        "anyOf": [{"$ref": "#/$defs/Line"}, {"$ref": "#/$defs/Change"}],
        "$defs": {"Line": line, "Change": change, **components},
    }


def main(arguments: list[str] | None = None) -> int:
    """Write or check the schema; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m issuance_server.observe.register_schema",
        description="Make docs/register-extract.schema.json from the types.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if out of date")
    options = parser.parse_args(arguments)
    text = msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"
    if not options.check:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PAGE} is out of date: run `make docs` and commit it", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
