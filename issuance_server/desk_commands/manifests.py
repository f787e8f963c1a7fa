"""``issuance-server manifest show | declare``: what this node is, and what it has to be."""

import argparse
import sys

from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.adapters.sqlite.tables_projections import tables_in_force
from issuance_server.city import City, software
from issuance_server.control import wire
from issuance_server.control.issuing_acts import manifest_subject
from issuance_server.desk_commands.acts import do_act
from issuance_server.desk_commands.parsing import Commands, add_act, add_config, of_city
from issuance_server.desk_commands.reach import ask
from issuance_server.desk_commands.tables import print_json, print_table
from issuance_server.manifest import ABSENT, differences, manifest_of
from protocol.errors import SetUpError

EXIT_AS_DECLARED = 0
EXIT_DIFFERS = 1


async def show_manifest(city: City, arguments: argparse.Namespace) -> int:
    """Print what this node is beside what is declared; exit status 1 if they differ."""
    found = await _found(city)
    answer = await ask(city, wire.ReadStatus())
    if not isinstance(answer, wire.Status):
        raise SetUpError("the server gave another answer than was asked")
    declared = answer.declared or {}
    differing = [one.item for one in differences(declared, found)]
    if arguments.json:
        print_json({"found": found, "declared": answer.declared, "differing": differing})
    else:
        rows = [
            (
                item,
                found.get(item, ABSENT),
                declared.get(item, ABSENT) if item in differing else "as declared",
            )
            for item in sorted({*found, *declared})
        ]
        print_table(("item", "this node", "declared"), rows)
    return EXIT_DIFFERS if differing else EXIT_AS_DECLARED


async def declare_manifest(city: City, arguments: argparse.Namespace) -> int:
    """Declare that the city's node is this one, signed by two operators with a reason."""
    items = await _found(city)
    await do_act(
        city,
        arguments,
        act=wire.ACT_MANIFEST_DECLARE,
        subject=manifest_subject(items),
        brought=wire.NewManifest(items=items),
    )
    sys.stderr.write(f"declared: build {items['build']}; a server that differs will not start\n")
    return EXIT_AS_DECLARED


def add_commands(commands: Commands) -> None:
    """Add ``manifest``."""
    group = commands.add_parser("manifest", help="what this node is, and what it has to be")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    shown = actions.add_parser("show", help="what this node is, beside what is declared")
    add_config(shown, json=True)
    shown.set_defaults(run=of_city(show_manifest))
    declared = actions.add_parser(
        "declare", help="declare that the city's node is this one (two operators)"
    )
    add_act(declared, of_two=True)
    declared.set_defaults(run=of_city(declare_manifest))


async def _found(city: City) -> dict[str, str]:
    """Return what a server would be that were started now."""
    tables = await tables_in_force(Reader(city.paths.database))
    return manifest_of(city.config, tables, software())
