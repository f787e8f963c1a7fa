"""Makes ``docs/register-extract.schema.json`` from the types of extract and feed.

``python -m issuance_server.observe.register_schema`` writes it; with ``--check`` it only says
whether it is up to date.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec

from issuance_server.core.register_extract import AnyLine
from issuance_server.core.register_feed import AnyChange
from issuance_server.observe.generated import write_or_check

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


def text() -> str:
    """Return the file's whole text."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write or check the schema; returns the exit status."""
    return write_or_check(
        PAGE,
        text,
        arguments,
        program="python -m issuance_server.observe.register_schema",
        description="Make docs/register-extract.schema.json from the types.",
    )


if __name__ == "__main__":
    sys.exit(main())
