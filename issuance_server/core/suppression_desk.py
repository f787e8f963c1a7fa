"""Records suppressions that are set and lifted; the tables change in the same transaction."""

from issuance_server.core import records as r
from issuance_server.core.facts import Now
from issuance_server.core.outcome import Outcome
from issuance_server.core.suppression import LiftedSuppression, NewSuppression, Suppression


def set_suppression(change: NewSuppression, operator: str, now: Now, out: Outcome) -> None:
    """Let a suppression take effect: from this commit on no page of the subject is released."""
    new = change.suppression
    record_suppression(new, now, out)
    out.log(
        "suppression.set",
        suppression=new.suppression_id,
        subject_kind=new.subject_kind.value,
        operator=operator,
    )


def record_suppression(new: Suppression, now: Now, out: Outcome) -> None:
    """Record a suppression, whoever set it: an operator here, or the registers by their feed."""
    out.write(
        r.SuppressionSet(
            at_ms=now.real_ms,
            suppression_id=new.suppression_id,
            subject_kind=new.subject_kind,
            subject_id=new.subject_id,
            reason=new.reason,
            level=new.level,
            until_day=None if new.until is None else new.until.isoformat(),
            origin=new.origin,
        )
    )


def lift_suppression(change: LiftedSuppression, operator: str, now: Now, out: Outcome) -> None:
    """Let a suppression end, for good."""
    out.write(r.SuppressionLifted(at_ms=now.real_ms, suppression_id=change.suppression_id))
    out.log("suppression.lifted", suppression=change.suppression_id, operator=operator)
