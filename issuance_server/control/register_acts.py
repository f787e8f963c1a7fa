"""Acts about the register copy: a full extract, batches of changes, stand-in operation."""

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from issuance_server.adapters.sqlite.register_reading import copy_state, read_index
from issuance_server.adapters.sqlite.register_stage import stage_digest, stage_path, taken
from issuance_server.control import wire
from issuance_server.control.act_check import ActKind, Asked, check_subject, incomplete
from issuance_server.core import inputs as i
from issuance_server.core.calendar import civil
from issuance_server.core.copy_changes import NewExtract, StandIn, StandInOver
from issuance_server.core.freshness import CLOCK_STEP_MS_MAX, STAND_IN_MS_MAX
from issuance_server.core.register_feed import (
    AnyChange,
    Gap,
    Placed,
    batch_subject,
    change_faults,
    is_from_the_future,
    placed,
)
from issuance_server.core.register_index import touched
from protocol.errors import KeyManagementError, KofuError, SetUpError

_pack = msgspec.msgpack.Encoder().encode
_MS_PER_HOUR = 3_600_000


def import_subject(brought: wire.StagedExtract) -> str:
    """Return what an operator signs to import an extract: its digest, and one of what comes."""
    whole = hashlib.sha256(_pack(brought)).hexdigest()
    return f"sha256:{brought.file_digest.hex()} {whole}"


def stand_in_subject(until_ms: int) -> str:
    """Return what operators sign to declare stand-in operation."""
    return f"until {until_ms}"


def gap_text(gap: Gap) -> str:
    """Return what an operator is told of missing changes."""
    return (
        f"changes are missing: number {gap.expected} is expected, {gap.found} came; nothing of it"
        f" was taken. Send the changes from {gap.expected} on, or import a full extract"
    )


async def _importing(asked: Asked) -> NewExtract:
    brought = asked.brought
    if not isinstance(brought, wire.StagedExtract):
        raise incomplete()
    check_subject(asked.act, import_subject(brought))
    if brought.set_back != (asked.act.act == wire.ACT_REGISTER_SET_BACK):
        raise incomplete()  # one operator alone would set the copy back
    state = await copy_state(asked.queries.reader)
    if brought.as_of_ms > asked.now.real_ms + CLOCK_STEP_MS_MAX:
        raise SetUpError("the extract is from the future; compare the clocks of both systems")
    if brought.sequence < state.sequence and not brought.set_back:
        raise SetUpError(
            f"the extract holds the changes up to {brought.sequence}, the copy those up to"
            f" {state.sequence} already; take a newer one, or, if the registers"
            " themselves were set back, let two operators import it with --set-back"
        )
    path = stage_path(asked.queries.reader.database, brought.stage)
    staged = await asyncio.to_thread(_taken, path, brought.stage_digest)
    return NewExtract(
        staged=str(staged),
        file_digest=brought.file_digest,
        counts=brought.counts,
        sequence=brought.sequence,
        as_of_ms=brought.as_of_ms,
    )


def _taken(path: Path, digest: bytes) -> Path:
    """Take over a stage, and hold it against what was signed."""
    try:
        staged = taken(path)
    except OSError as error:
        raise SetUpError("the extract is not where the command put it; import it again") from error
    if stage_digest(staged) != digest:
        staged.unlink(missing_ok=True)
        raise SetUpError("the staged extract is not the one that was signed; import it again")
    return staged


async def _feeding(asked: Asked) -> Placed | Gap:
    brought = asked.brought
    if not isinstance(brought, wire.FeedBatch):
        raise incomplete()
    check_subject(asked.act, batch_subject(brought.changes))
    state = await copy_state(asked.queries.reader)
    batch = placed(brought.changes, state.sequence)
    if isinstance(batch, Gap):
        return batch
    for change in batch.changes:
        _check(change, asked.now.real_ms)
    index = await read_index(asked.queries.reader, touched(batch.changes))
    for change in batch.changes:
        conflict = index.conflict(change)
        if conflict is not None:
            raise _broken(change, conflict)
    return batch


def _check(change: AnyChange, now_ms: int) -> None:
    if is_from_the_future(change, now_ms):
        raise _broken(change, "it is from the future; compare the clocks of both systems")
    faults = change_faults(change)
    if faults:
        raise _broken(change, ", ".join(f"{fault.reason}: {fault.item}" for fault in faults))


def _broken(change: AnyChange, why: str) -> SetUpError:
    return SetUpError(
        f"change {change.sequence} cannot be taken, and nothing of its batch was: {why}"
    )


def _missing(change: i.Change | None) -> KofuError | None:
    """Refuse what was recorded as a gap."""
    return SetUpError(gap_text(change)) if isinstance(change, Gap) else None


async def _standing_in(asked: Asked) -> StandIn:
    brought = asked.brought
    if not isinstance(brought, wire.StandInTime):
        raise incomplete()
    check_subject(asked.act, stand_in_subject(brought.until_ms))
    ahead_ms = brought.until_ms - asked.now.real_ms
    if not 0 < ahead_ms <= STAND_IN_MS_MAX:
        raise SetUpError(
            "stand-in operation ends at a time that has not come, and at most"
            f" {STAND_IN_MS_MAX // _MS_PER_HOUR} hours from now, which is"
            f" {civil(asked.now.real_ms):%Y-%m-%d %H:%M} by the machine's clock, whatever the"
            " city's business clock says; declare it again if it must last"
        )
    return StandIn(until_ms=brought.until_ms)


async def _ending_stand_in(asked: Asked) -> StandInOver:
    if asked.brought is not None:
        raise incomplete()
    state = await copy_state(asked.queries.reader)
    if not state.stands_in(asked.now.real_ms):
        raise KeyManagementError("stand-in operation is not declared, or has ended by itself")
    return StandInOver()


REGISTER_ACTS: Mapping[str, ActKind] = {
    wire.ACT_REGISTER_IMPORT: ActKind(check=_importing),
    wire.ACT_REGISTER_SET_BACK: ActKind(check=_importing, of_two=True),
    wire.ACT_REGISTER_FEED: ActKind(check=_feeding, refusal=_missing),
    wire.ACT_STAND_IN_BEGIN: ActKind(check=_standing_in, of_two=True),
    wire.ACT_STAND_IN_END: ActKind(check=_ending_stand_in, of_two=True),
}
