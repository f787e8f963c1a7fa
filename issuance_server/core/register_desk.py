"""Records what operators change of the register copy, and asks for the change itself."""

from issuance_server.core import records as r
from issuance_server.core.copy_changes import CopyChange, NewExtract, StandIn, StandInOver
from issuance_server.core.effects import ChangeCopy, TakeExtract
from issuance_server.core.facts import Now
from issuance_server.core.outcome import Outcome
from issuance_server.core.register_feed import (
    EditBegun,
    EditEnded,
    Gap,
    Placed,
    RegisterSuppression,
    SuppressionEnded,
    SuppressionNoted,
)
from issuance_server.core.suppression import Suppression, SuppressionOrigin
from issuance_server.core.suppression_desk import record_suppression


def change_copy(change: CopyChange, operator: str, now: Now, out: Outcome) -> None:
    """Record a change of the copy; it takes effect with the record or not at all."""
    match change:
        case NewExtract():
            _take_extract(change, operator, now, out)
        case Placed():
            _feed(change, operator, now, out)
        case Gap(expected=expected, found=found):
            out.write(r.RegisterGapFound(at_ms=now.real_ms, expected=expected, found=found))
            out.log("register.feed_gap", expected=expected, found=found, operator=operator)
        case StandIn(until_ms=until_ms):
            out.write(r.StandInBegun(at_ms=now.real_ms, until_ms=until_ms))
            left_ms = until_ms - now.real_ms
            out.log("register.stand_in_begun", left_ms=left_ms, operator=operator)
        case StandInOver():
            out.write(r.StandInEnded(at_ms=now.real_ms))
            out.log("register.stand_in_ended", reason="operator", operator=operator)


def register_suppression_id(suppression_id: str) -> str:
    """Return a resident system's id of a suppression, told apart from those of operators."""
    return f"register/{suppression_id}"


def of_register(noted: RegisterSuppression, since_ms: int) -> Suppression:
    """Return a suppression as the copy keeps it."""
    return Suppression(
        suppression_id=register_suppression_id(noted.suppression_id),
        subject_kind=noted.subject_kind,
        subject_id=noted.subject_id,
        reason=noted.why,
        level=noted.level,
        since_ms=since_ms,
        until=noted.until,
        origin=SuppressionOrigin.REGISTER,
    )


def _take_extract(change: NewExtract, operator: str, now: Now, out: Outcome) -> None:
    counts = change.counts
    out.write(
        r.RegisterImported(
            at_ms=now.real_ms,
            file_digest=change.file_digest,
            households=counts.households,
            residents=counts.residents,
            records=counts.records,
            suppressions=counts.suppressions,
            edits=counts.edits,
            sequence=change.sequence,
            watermark_ms=change.as_of_ms,
        )
    )
    out.add(TakeExtract())
    out.log(
        "register.imported",
        digest=change.file_digest.hex(),
        households=counts.households,
        residents=counts.residents,
        records=counts.records,
        sequence=change.sequence,
        operator=operator,
    )


def _feed(change: Placed, operator: str, now: Now, out: Outcome) -> None:
    """Take changes; where all of them came again, that is only logged."""
    changes = change.changes
    for one in changes:
        match one:
            case SuppressionNoted(suppression=noted):
                record_suppression(of_register(noted, now.real_ms), now, out)
            case SuppressionEnded(suppression_id=suppression_id, for_a_time=False):
                lifted = register_suppression_id(suppression_id)
                out.write(r.SuppressionLifted(at_ms=now.real_ms, suppression_id=lifted))
            case EditBegun():
                out.log("register.edit_begun", subject_kind=one.subject_kind.value)
            case EditEnded():
                out.log("register.edit_ended", subject_kind=one.subject_kind.value)
    if changes:
        out.write(
            r.RegisterFed(
                at_ms=now.real_ms,
                first=changes[0].sequence,
                sequence=changes[-1].sequence,
                watermark_ms=changes[-1].as_of_ms,
            )
        )
        out.add(ChangeCopy(changes=changes))
    out.log(
        "register.fed",
        taken=len(changes),
        skipped=change.skipped,
        sequence=changes[-1].sequence if changes else 0,
        operator=operator,
    )
