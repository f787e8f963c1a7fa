"""The list of card holders to be notified: reading it is an act, for it names people."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta

from issuance_server.adapters.sqlite.push_reading import push_rows
from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.control import wire
from issuance_server.control.act_check import ActKind, Asked, check_subject, incomplete
from issuance_server.core.calendar import JST, civil
from issuance_server.core.facts import Now
from protocol.errors import KeyManagementError, Misuse

_MS_PER_S = 1_000


def push_subject(page: wire.PushPage) -> str:
    """Return what an operator signs: the day, whether addresses are read, and which page."""
    read = "with-addresses" if page.with_addresses else "without-addresses"
    return f"{page.as_of.isoformat()} {read} after {page.after or 'none'}"


async def _list(asked: Asked) -> None:
    page = asked.brought
    if not isinstance(page, wire.PushPage):
        raise incomplete()
    check_subject(asked.act, push_subject(page))
    today = civil(asked.now.business_ms).date()
    if page.as_of > today:
        raise KeyManagementError(f"{page.as_of} is still to come; today is {today}")


async def _answer(queries: Queries, now: Now, act: wire.Act) -> wire.Answer:
    page = act.brought
    if not isinstance(page, wire.PushPage):
        raise Misuse("the act was checked before")
    midnight = datetime.combine(page.as_of + timedelta(days=1), time(), JST)
    ahead_ms = now.business_ms - now.real_ms  # the day is the city's, registrations have real times
    rows = await push_rows(
        queries.reader,
        day=page.as_of.isoformat(),
        before_ms=int(midnight.timestamp()) * _MS_PER_S - ahead_ms,
        after=page.after,
        with_addresses=page.with_addresses,
    )
    return wire.PushRows(rows=tuple(rows))


PUSH_ACTS: Mapping[str, ActKind] = {wire.ACT_PUSH_LIST: ActKind(check=_list, answer=_answer)}
