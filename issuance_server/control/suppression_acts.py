"""Acts about suppressions: looked at closely, for a mistake protects nobody.

One operator sets a suppression, so that it works at once; two lift it.
"""

import hashlib
from collections.abc import Mapping
from datetime import date

from issuance_server.adapters.sqlite import suppressions
from issuance_server.control import wire
from issuance_server.control.act_check import ActKind, Asked, check_subject, incomplete
from issuance_server.core.calendar import civil
from issuance_server.core.register import is_numbered_rightly
from issuance_server.core.suppression import (
    LiftedSuppression,
    NewSuppression,
    SubjectKind,
    Suppression,
    SuppressionOrigin,
)
from protocol.errors import KeyManagementError
from protocol.statements import statement

_OF_SUBJECT = {SubjectKind.PERSON: "resident", SubjectKind.HOUSEHOLD: "household"}


def addition_subject(added: wire.AddedSuppression) -> str:
    """Return what an operator signs to set a suppression: its id, and a digest of the rest.

    The id is drawn at random, so that neither the log nor the act tells whom it is about.
    """
    signed = statement(
        "suppression",
        added.suppression_id,
        added.subject_kind.value,
        added.subject_id,
        added.why.value,
        added.level.value,
        "" if added.until is None else added.until.isoformat(),
    )
    return f"{added.suppression_id} {hashlib.sha256(signed).hexdigest()}"


async def _addition(asked: Asked) -> NewSuppression:
    brought = asked.brought
    if not isinstance(brought, wire.AddedSuppression):
        raise incomplete()
    check_subject(asked.act, addition_subject(brought))
    word = _OF_SUBJECT[brought.subject_kind]
    if not is_numbered_rightly(brought.subject_id):
        raise KeyManagementError(
            f"{brought.subject_id} is no number of a {word}: the check digit is wrong; read it"
            " again from the record"
        )
    reader = asked.queries.reader
    if not await suppressions.subject_known(reader, brought.subject_kind, brought.subject_id):
        raise KeyManagementError(
            f"the register copy has no {word} {brought.subject_id}; nothing is issued for who is"
            " not in it, so check the number, or wait until the copy has it"
        )
    today = civil(asked.now.business_ms).date()
    if brought.until is not None and brought.until < today:
        raise KeyManagementError(
            f"{brought.until} is over; leave --until out, for a suppression goes on until it is"
            " lifted"
        )
    if await _row(asked, brought.suppression_id) is not None:
        raise KeyManagementError(f"there is a suppression {brought.suppression_id} already")
    return NewSuppression(
        suppression=Suppression(
            suppression_id=brought.suppression_id,
            subject_kind=brought.subject_kind,
            subject_id=brought.subject_id,
            reason=brought.why,
            level=brought.level,
            since_ms=asked.now.real_ms,
            until=brought.until,
        )
    )


async def _lifting(asked: Asked) -> LiftedSuppression:
    if asked.brought is not None:
        raise incomplete()
    suppression_id = asked.act.subject
    row = await _row(asked, suppression_id)
    if row is None:
        raise KeyManagementError(
            f"no suppression {suppression_id} is in force; see: suppression list"
        )
    if row.origin != SuppressionOrigin.OPERATOR.value:
        raise KeyManagementError(
            f"suppression {suppression_id} came from the resident system; lift it there, and the"
            " copy follows"
        )
    return LiftedSuppression(suppression_id=suppression_id)


SUPPRESSION_ACTS: Mapping[str, ActKind] = {
    wire.ACT_SUPPRESSION_ADD: ActKind(check=_addition),
    wire.ACT_SUPPRESSION_LIFT: ActKind(check=_lifting, of_two=True),
}


async def _row(asked: Asked, suppression_id: str) -> suppressions.SuppressionRow | None:
    rows = await suppressions.suppressions(asked.queries.reader, str(date.min))
    return next((row for row in rows if row.suppression == suppression_id), None)
