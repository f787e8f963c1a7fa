"""What a node is, and whether it is what was declared."""

import io
import json
from pathlib import Path

import msgspec
import pytest

from issuance_server import config, manifest
from issuance_server.adapters.build import build_digest
from issuance_server.config import Config, ManifestMode, Node
from issuance_server.core.tables.loaded import LoadedTables
from issuance_server.manifest import ABSENT, Difference, NotAsDeclared, check, manifest_of
from issuance_server.observe.logging import EventLog

MINIMUM = """
[city]
code = "272035"
name = "豊中市"
prefecture = "大阪府"
mayor_title = "豊中市長"
mayor_name = "見本"
seal_text = "豊中市長之印"
call_centre = "06-0000-0000"
"""
TABLES = LoadedTables.founding(b"tables", 1)


def loaded(tmp_path: Path, text: str = MINIMUM) -> Config:
    """Return a configuration."""
    path = tmp_path / "server.toml"
    path.write_text(text, encoding="utf-8")
    return config.load(path)


def found(settings: Config, tables: LoadedTables | None = TABLES) -> dict[str, str]:
    """Return what a node with a configuration is."""
    return manifest_of(settings, tables, "konbini-kofu 1")


def test_a_node_names_program_schemas_tables_topology_and_configuration(tmp_path: Path) -> None:
    """Versions, counts and digests; nothing that needs to be kept secret."""
    items = found(loaded(tmp_path))

    assert build_digest() == items["build"]
    assert TABLES.digest.hex() == items["tables-city"]
    assert "embedded 127.0.0.1:18830" == items["topology-broker"]
    assert {"config", "schema-city", "schema-pin-judge", "tables-telegrams", "version"} < set(items)
    assert ABSENT == found(loaded(tmp_path), None)["tables-city"]


@pytest.mark.parametrize(
    ("more", "items"),
    [
        ("[rendering]\nworkers = 2\n", {"config", "topology-renderers"}),
        ("[broker]\nembedded = false\n", {"config", "topology-broker"}),
        ("[shutdown]\ndrain_seconds_max = 1\n", {"config"}),
        ('[node]\nmanifest = "follow"\n', set()),  # how it is held is not what it is
        ("[rendering]\nworkers = 1\n", set()),  # a default that is written out
    ],
)
def test_another_configuration_is_another_node(tmp_path: Path, more: str, items: set[str]) -> None:
    """One program for one server and one for several: the difference has a name."""
    declared = found(loaded(tmp_path))
    differing = manifest.differences(declared, found(loaded(tmp_path, MINIMUM + more)))

    assert items == {one.item for one in differing}


def test_a_node_that_differs_is_refused_with_every_item(tmp_path: Path) -> None:
    """The sentence names what differs, on both sides, and the way out."""
    items = found(loaded(tmp_path))
    declared = items | {"build": "approved", "version": "konbini-kofu 2", "gone": "1"}
    with pytest.raises(NotAsDeclared) as refused:
        check(declared, items, ManifestMode.DECLARED)

    assert f"build is {build_digest()}, declared approved" in str(refused.value)
    assert "version is konbini-kofu 1, declared konbini-kofu 2" in str(refused.value)
    assert "gone is -, declared 1" in str(refused.value)
    assert "manifest declare" in str(refused.value)
    assert Difference(item="gone", declared="1", found=ABSENT) in manifest.differences(
        declared, items
    )


def test_without_a_declared_manifest_nothing_starts(tmp_path: Path) -> None:
    """An omission is no permission; the sentence says how one is declared."""
    with pytest.raises(NotAsDeclared, match="no manifest is declared"):
        check(None, found(loaded(tmp_path)), ManifestMode.DECLARED)


def test_a_node_that_follows_starts_and_says_in_what_it_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nobody who changes the program has to declare every change."""
    stream = io.BytesIO()
    log = EventLog()
    log.configure(log_format="json", stream=stream)
    monkeypatch.setattr(manifest, "log", log)
    items = found(loaded(tmp_path))
    check(items | {"build": "approved"}, items, ManifestMode.FOLLOW)
    manifest.check_of(manifest.Child.RENDERER, ManifestMode.FOLLOW).on_difference("other")
    manifest.check_of(manifest.Child.PIN_JUDGE, ManifestMode.DECLARED).on_difference("other")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]

    assert ["manifest.differs", "child.differs", "child.refused"] == [one["event"] for one in lines]
    assert ("build", "approved") == (lines[0]["item"], lines[0]["declared"])


def test_a_node_is_held_to_the_manifest_unless_it_says_otherwise(tmp_path: Path) -> None:
    """A configuration that says nothing is the strict one."""
    settings = loaded(tmp_path)

    assert ManifestMode.DECLARED is settings.node.manifest
    follows = msgspec.structs.replace(settings, node=Node(manifest=ManifestMode.FOLLOW))
    assert found(settings) == found(follows)
    assert manifest.check_of(manifest.Child.RENDERER, settings.node.manifest).refuse
