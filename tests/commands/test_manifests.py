"""``issuance-server manifest``, and a server that is another node than was declared."""

import json
import re
import sqlite3
from contextlib import closing
from typing import Any

from issuance_server.desk_commands.serving import EXIT_NOT_AS_DECLARED
from tests.commands.desk import Commands


def shown(commands: Commands) -> Any:
    """Return what ``manifest show`` says to a program."""
    return json.loads(commands.run("manifest", "show", "--json").out)


def configure(commands: Commands, old: str, new: str) -> None:
    """Change the configuration."""
    text = commands.config.read_text(encoding="utf-8")
    assert old in text
    commands.config.write_text(text.replace(old, new), encoding="utf-8")


def test_a_new_city_is_as_declared(untouched: Commands) -> None:
    """Its first manifest was declared when it was founded."""
    told = untouched.run("manifest", "show")

    assert 0 == told.status
    assert "as declared" in told.out
    found = shown(untouched)
    assert [] == found["differing"]
    assert found["found"] == found["declared"]


def test_another_node_does_not_start_until_two_declare_it(commands: Commands) -> None:
    """The refusal has an exit status of its own and names what differs; a declaration ends it."""
    configure(commands, 'manifest = "follow"', 'manifest = "declared"')
    configure(commands, "backs = true", "backs = false")
    refused = commands.run("run")
    assert EXIT_NOT_AS_DECLARED == refused.status == 3
    assert "this node is not as declared: config is" in refused.err
    assert "manifest declare" in refused.err
    told = commands.run("manifest", "show")
    assert (1, ["config"]) == (told.status, shown(commands)["differing"])

    alone = commands.act("manifest", "declare", "--second-operator", "mado-1")
    assert 0 != alone.status
    assert ["config"] == shown(commands)["differing"]
    declared = commands.act_of_two("manifest", "declare")
    assert (0, True) == (declared.status, declared.err.startswith("declared: build "))
    assert [] == shown(commands)["differing"]


def test_clock_is_not_set_where_paper_counts(commands: Commands) -> None:
    """Not by an option either, and before anything is started."""
    commands.config.write_text(
        re.sub(
            r"(?m)^(heartbeat|business|manifest) = .*\n|(?<=specimen = )true",
            lambda found: "" if found[1] else "false",
            commands.config.read_text(encoding="utf-8"),
        ),
        encoding="utf-8",
    )
    refused = commands.run("run", "--clock", "2026-11-30T10:00:00")

    assert 1 == refused.status
    assert "--clock sets the business clock to 2026-11-30T10:00:00 while" in refused.err
    assert "city.specimen = true" in refused.err


def test_loading_tables_declares_them(commands: Commands) -> None:
    """Hours and fees are changed by a signed act of their own; the node stays as declared."""
    before = shown(commands)["declared"]["tables-city"]
    file = commands.folder / "tables.toml"
    file.write_text("# another one\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert 0 == commands.act_of_two("tables", "load", str(file)).status

    after = shown(commands)
    assert before != after["declared"]["tables-city"]
    assert [] == after["differing"]


def test_tables_that_nobody_loaded_are_found(commands: Commands) -> None:
    """Written into the database behind the city's back, they are not what was declared."""
    with closing(sqlite3.connect(commands.database)) as connection, connection:
        connection.execute(
            "INSERT INTO city_tables (loaded_at_ms, digest, content)"
            " SELECT loaded_at_ms, zeroblob(32), content FROM city_tables"
        )

    assert ["tables-city"] == shown(commands)["differing"]
