"""Acts about issuing as a whole: one operator stops it, two reopen it and declare the manifest."""

import hashlib
from collections.abc import Mapping

import msgspec

from issuance_server.control import wire
from issuance_server.control.act_check import ActKind, Asked, check_subject, incomplete
from issuance_server.core.issuing_changes import DeclareManifest, ReopenIssuing, StopIssuing

ALL_ISSUING = "all-issuing"
"""What operators sign to stop or reopen issuing in the whole city."""


def manifest_subject(items: Mapping[str, str]) -> str:
    """Return what operators sign to declare a manifest: the digest of its items."""
    packed = msgspec.json.encode(dict(items), order="sorted")
    return f"manifest {hashlib.sha256(packed).hexdigest()}"


async def _stopping(asked: Asked) -> StopIssuing:
    _check_nothing_else(asked)
    return StopIssuing()


async def _reopening(asked: Asked) -> ReopenIssuing:
    _check_nothing_else(asked)
    return ReopenIssuing()


async def _declaring(asked: Asked) -> DeclareManifest:
    brought = asked.brought
    if not isinstance(brought, wire.NewManifest):
        raise incomplete()
    check_subject(asked.act, manifest_subject(brought.items))
    return DeclareManifest(items=tuple(sorted(brought.items.items())))


ISSUING_ACTS: Mapping[str, ActKind] = {
    wire.ACT_ISSUANCE_STOP: ActKind(check=_stopping),
    wire.ACT_ISSUANCE_REOPEN: ActKind(check=_reopening, of_two=True),
    wire.ACT_MANIFEST_DECLARE: ActKind(check=_declaring, of_two=True),
}


def _check_nothing_else(asked: Asked) -> None:
    if asked.brought is not None:
        raise incomplete()
    check_subject(asked.act, ALL_ISSUING)
