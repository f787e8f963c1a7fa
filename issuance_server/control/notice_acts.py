"""Acts about notices to holders (本人通知)."""

import hashlib
from collections.abc import Mapping

from issuance_server.adapters.sqlite.outbox import subscription_rows
from issuance_server.adapters.sqlite.suppressions import subject_known
from issuance_server.control import wire
from issuance_server.control.act_check import ActKind, Asked, check_subject, incomplete
from issuance_server.core.notice_changes import Subscribing, Unsubscribing
from issuance_server.core.notices import is_address
from issuance_server.core.register import is_numbered_rightly
from issuance_server.core.suppression import SubjectKind
from protocol.errors import KeyManagementError
from protocol.statements import statement


def subscription_subject(asked: wire.NewSubscription) -> str:
    """Return what an operator signs to subscribe: a digest, for the audit trail has no address."""
    signed = statement("notice-subscription", asked.resident_id, asked.address, asked.blind)
    return hashlib.sha256(signed).hexdigest()


async def _subscription(asked: Asked) -> Subscribing:
    brought = asked.brought
    if not isinstance(brought, wire.NewSubscription):
        raise incomplete()
    check_subject(asked.act, subscription_subject(brought))
    if not is_numbered_rightly(brought.resident_id):
        raise KeyManagementError(
            f"{brought.resident_id} is no number of a resident: the check digit is wrong; read it"
            " again from the record"
        )
    if not is_address(brought.address):
        raise KeyManagementError(
            "that is no mail address that can be written to; write it as name@example.jp"
        )
    if not await subject_known(asked.queries.reader, SubjectKind.PERSON, brought.resident_id):
        raise KeyManagementError(
            f"the register copy has no resident {brought.resident_id}; check the number"
        )
    return Subscribing(resident_id=brought.resident_id, address=brought.address)


async def _ending(asked: Asked) -> Unsubscribing:
    if asked.brought is not None:
        raise incomplete()
    resident_id = asked.act.subject
    rows = await subscription_rows(asked.queries.reader)
    if resident_id not in {row.resident_id for row in rows}:
        raise KeyManagementError(f"{resident_id} gets no notices; see: notice list --subscriptions")
    return Unsubscribing(resident_id=resident_id)


NOTICE_ACTS: Mapping[str, ActKind] = {
    wire.ACT_NOTICE_SUBSCRIBE: ActKind(check=_subscription),
    wire.ACT_NOTICE_UNSUBSCRIBE: ActKind(check=_ending),
}
