"""Issuing as a whole: whether it goes on, who stops and reopens it, and what a node has to be."""

from typing import Annotated

import msgspec
from msgspec import Meta

from issuance_server.core.records import IssuingStopped

ACT_ISSUANCE_STOP = "issuance.stop"
ACT_ISSUANCE_REOPEN = "issuance.reopen"
ACT_MANIFEST_DECLARE = "manifest.declare"

ITEMS_MAX = 32
ITEM_CHARACTERS_MAX = 200

_Word = Annotated[str, Meta(max_length=ITEM_CHARACTERS_MAX)]


class NewManifest(msgspec.Struct, frozen=True, kw_only=True, tag="new-manifest"):
    """What comes with ``manifest.declare``: what the node has to be, by name."""

    items: Annotated[dict[_Word, _Word], Meta(min_length=1, max_length=ITEMS_MAX)]


class ReadStatus(msgspec.Struct, frozen=True, kw_only=True, tag="read-status"):
    """Whether certificates are issued now, and what a node has to be."""


class Live(msgspec.Struct, frozen=True, kw_only=True, tag="live"):
    """What only a running server knows of itself.

    Attributes:
        draining: it was told to stop, and takes nothing new.
        evidence_lost: what it could not keep for too long; it takes nothing new.
        open_issuances: issuances not yet at an end.
    """

    draining: bool
    evidence_lost: tuple[str, ...]
    open_issuances: int


class Status(msgspec.Struct, frozen=True, kw_only=True, tag="status"):
    """Whether certificates are issued now.

    Attributes:
        live: what a running server says of itself; None: none runs.
        stopped: why nothing is issued in the whole city; None: it is not stopped.
        declared: the manifest; None: none was ever declared.
    """

    live: Live | None
    stopped: IssuingStopped | None
    declared: dict[str, str] | None
