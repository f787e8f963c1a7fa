"""``issuance-keys card``: fictitious cards to register at the counter."""

import argparse
import json
import sys
from pathlib import Path
from typing import TypeAlias

from keys.cards import CardFile

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  # argparse has no public name for it


def add_card(words: _Commands) -> None:
    """Add ``card`` to the command line of ``issuance-keys``."""
    group = words.add_parser("card", help="make fictitious cards")
    actions = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    create = actions.add_parser(
        "create",
        help="make a fictitious 住民基本台帳カード",
        description="Make a fictitious 住民基本台帳カード; it works once it is registered: "
        "issuance-server card register begin. (個人番号カード: issuance-keys jpki issue.)",
    )
    create.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to make")
    create.add_argument("--holder", default="", metavar="TEXT", help="a note for people")
    create.add_argument("--json", action="store_true", help="results for programs")
    create.set_defaults(command=_create)


def _create(chosen: argparse.Namespace) -> None:
    CardFile.create(chosen.out, holder=chosen.holder)
    print(
        f"{chosen.out} is a fictitious card that no city knows. To register it: "
        f"issuance-server card register begin --card {chosen.out} --resident ID",
        file=sys.stderr,
    )
    if chosen.json:
        print(json.dumps({"card": str(chosen.out)}))
