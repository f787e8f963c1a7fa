"""Erases what applicants by 本籍 typed, when it is not needed any more."""

from issuance_server.adapters.sqlite.statement import TablesBeside

_COUNT = (
    "SELECT count(*) FROM domicile_applicant JOIN domicile_request USING (request_id)"
    " WHERE decided_at_ms < ?"
)
_WORDS = "UPDATE domicile_request SET words = NULL WHERE decided_at_ms < ?"
_TYPED = (
    "DELETE FROM domicile_applicant WHERE request_id IN"
    " (SELECT request_id FROM domicile_request WHERE decided_at_ms < ?)"
)


async def forget_applicants(tables: TablesBeside, before_ms: int) -> int:
    """Erase what was typed for requests that were decided before a time; return how many.

    What is left says that there was a request, and how it ended.
    """
    ((count,),) = await tables.read(_COUNT, (before_ms,))
    if count:
        await tables.write_aside(_WORDS, (before_ms,))
        await tables.write_aside(_TYPED, (before_ms,))
    return int(count)
