"""Acts about requests by 本籍: one operator finds the person, another one agrees."""

import hashlib
from collections.abc import Mapping

from issuance_server.adapters.sqlite import domicile_reading
from issuance_server.adapters.sqlite.domicile_reading import RequestRow
from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.control import wire
from issuance_server.control.act_check import ActKind, Asked, check_subject, incomplete
from issuance_server.core.calendar import civil
from issuance_server.core.domicile_changes import Approval, Match, Rejection, RequestState
from issuance_server.core.domicile_desk import usable_day
from issuance_server.core.facts import Now
from issuance_server.core.register import is_numbered_rightly
from protocol.errors import KeyManagementError, Misuse

_HEX_DIGITS = 32


def match_subject(found: wire.FoundPerson) -> str:
    """Return what an operator signs to say who it is."""
    return f"{found.request} {found.resident_id}"


def rejection_subject(told: wire.ToldWords) -> str:
    """Return what an operator signs to reject: a digest of the words, which may be personal."""
    return f"{told.request} {hashlib.sha256(told.words.encode()).hexdigest()}"


async def _show(asked: Asked) -> None:
    if asked.brought is not None:
        raise incomplete()
    await _row(asked, asked.act.subject)


async def _shown(queries: Queries, _now: Now, act: wire.Act) -> wire.Answer:
    request_id = bytes.fromhex(act.signed.act.subject)
    row = await domicile_reading.request_row(queries.reader, request_id)
    if row is None:
        raise Misuse("the act was checked before")
    applicant = await domicile_reading.applicant_row(queries.reader, request_id)
    return wire.ShownApplicant(row=row, applicant=applicant)


async def _match(asked: Asked) -> Match:
    found = asked.brought
    if not isinstance(found, wire.FoundPerson):
        raise incomplete()
    check_subject(asked.act, match_subject(found))
    await _open_row(asked, found.request, RequestState.ACCEPTED, RequestState.MATCHED)
    if not is_numbered_rightly(found.resident_id):
        raise KeyManagementError(
            f"{found.resident_id} is no number of a person: the check digit is wrong; read it"
            " again from the record"
        )
    if not await domicile_reading.stands_in_register(asked.queries.reader, found.resident_id):
        raise KeyManagementError(
            f"no family register of this city has {found.resident_id}; look for the person by"
            " 本籍 and 筆頭者, or reject the request"
        )
    return Match(request_id=bytes.fromhex(found.request), resident_id=found.resident_id)


async def _approve(asked: Asked) -> Approval:
    if asked.brought is not None:
        raise incomplete()
    row = await _open_row(asked, asked.act.subject, RequestState.MATCHED)
    if row.matched_by == asked.act.operator:
        raise KeyManagementError(
            f"{asked.act.operator} has found the person; another operator is to approve"
        )
    request_id, reader = bytes.fromhex(row.request), asked.queries.reader
    applicant = await domicile_reading.applicant_row(reader, request_id)
    if applicant is None:
        raise KeyManagementError("what was typed is erased; reject the request")
    if await domicile_reading.card_of_serial(reader, applicant.certificate_serial):
        raise KeyManagementError("this card is registered meanwhile; reject the request")
    today = civil(asked.now.business_ms).date()
    return Approval(request_id=request_id, usable_from=usable_day(today))


async def _reject(asked: Asked) -> Rejection:
    told = asked.brought
    if not isinstance(told, wire.ToldWords):
        raise incomplete()
    check_subject(asked.act, rejection_subject(told))
    await _open_row(asked, told.request, RequestState.ACCEPTED, RequestState.MATCHED)
    return Rejection(request_id=bytes.fromhex(told.request), words=told.words)


DOMICILE_ACTS: Mapping[str, ActKind] = {
    wire.ACT_DOMICILE_SHOW: ActKind(check=_show, answer=_shown),
    wire.ACT_DOMICILE_MATCH: ActKind(check=_match),
    wire.ACT_DOMICILE_APPROVE: ActKind(check=_approve),
    wire.ACT_DOMICILE_REJECT: ActKind(check=_reject),
}


async def _open_row(asked: Asked, request: str, *states: RequestState) -> RequestRow:
    row = await _row(asked, request)
    if row.state not in {state.value for state in states}:
        raise KeyManagementError(
            f"the request is {row.state} already; see: domicile-request show {request}"
        )
    return row


async def _row(asked: Asked, request: str) -> RequestRow:
    try:
        request_id = bytes.fromhex(request)
    except ValueError:
        request_id = b""
    row = None
    if len(request) == _HEX_DIGITS:
        row = await domicile_reading.request_row(asked.queries.reader, request_id)
    if row is None:
        raise KeyManagementError(f"there is no request {request}; see: domicile-request list")
    return row
