"""The manifest: what the city's node is, and what it has to be (ADR 0015).

In Takamatsu, 2024, a site of several servers had been given the program for one. A node that is not
what two operators declared does not take up business here.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import msgspec

from issuance_server.adapters.build import BuildCheck, build_digest
from issuance_server.adapters.pin_judge.store_file import SCHEMA_VERSION as JUDGE_SCHEMA_VERSION
from issuance_server.adapters.sqlite.schema import SCHEMA_VERSION
from issuance_server.config import Config, ManifestMode
from issuance_server.core.tables.loaded import LoadedTables
from issuance_server.observe.logging import log
from protocol.errors import SetUpError
from protocol.limits import PROTOCOL_VERSION, TABLES_VERSION

ABSENT = "-"


class NotAsDeclared(SetUpError):
    """The node is not what is declared; it must not take up business."""


class Child(Enum):
    """The processes that a server starts from its own program."""

    PIN_JUDGE = "pin-judge"
    RENDERER = "renderer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One item that is not as declared; what is missing on a side is ``ABSENT``."""

    item: str
    declared: str
    found: str


def manifest_of(config: Config, tables: LoadedTables | None, software: str) -> dict[str, str]:
    """Return what a node with this program and this configuration is.

    Args:
        config: the configuration; nothing in it is secret.
        tables: the city's tables in force.
        software: name and version of the program.
    """
    broker = config.broker
    where = "embedded" if broker.embedded else "outside"
    return {
        "build": build_digest(),
        "config": _config_digest(config),
        "protocol": str(PROTOCOL_VERSION),
        "schema-city": str(SCHEMA_VERSION),
        "schema-pin-judge": str(JUDGE_SCHEMA_VERSION),
        "tables-city": ABSENT if tables is None else tables.digest.hex(),
        "tables-telegrams": str(TABLES_VERSION),
        "topology-broker": f"{where} {broker.host}:{broker.port}",
        "topology-city": config.city.code,
        "topology-renderers": str(config.rendering.workers),
        "version": software,
    }


def differences(declared: Mapping[str, str], found: Mapping[str, str]) -> tuple[Difference, ...]:
    """Return the items in which a node differs from what is declared, by name."""
    pairs = {
        item: (declared.get(item, ABSENT), found.get(item, ABSENT))
        for item in sorted({*declared, *found})
    }
    return tuple(
        Difference(item=item, declared=wanted, found=is_)
        for item, (wanted, is_) in pairs.items()
        if wanted != is_
    )


def check(declared: Mapping[str, str] | None, found: Mapping[str, str], mode: ManifestMode) -> None:
    """Refuse a node that is not as declared, or log in what it differs, as the mode says.

    Raises:
        NotAsDeclared: it is not; the text names every item and the way out.
    """
    differing = differences(declared or {}, found)
    if not differing:
        return
    if mode is ManifestMode.FOLLOW:
        for one in differing:
            log("manifest.differs", item=one.item, declared=one.declared, found=one.found)
        return
    if declared is None:
        raise NotAsDeclared(
            "no manifest is declared for this city; compare what this node is (manifest show) with"
            " the release that was approved, then two operators: manifest declare"
        )
    items = "; ".join(f"{one.item} is {one.found}, declared {one.declared}" for one in differing)
    raise NotAsDeclared(
        f"this node is not as declared: {items}. Install and configure what was approved; if this"
        " is what was approved, two operators say so: manifest declare"
    )


def check_of(child: Child, mode: ManifestMode) -> BuildCheck:
    """Return what a server expects of a child: that it runs the server's own program."""

    def tell(build: str) -> None:
        log("child.refused" if refuse else "child.differs", child=child.value, build=build)

    refuse = mode is ManifestMode.DECLARED
    return BuildCheck(build=build_digest(), refuse=refuse, on_difference=tell)


def _config_digest(config: Config) -> str:
    """Digest what the configuration says, defaults and all, but not how strictly it is held."""
    values = msgspec.to_builtins(config, str_keys=True)
    del values["node"]
    return hashlib.sha256(msgspec.json.encode(values, order="sorted")).hexdigest()
