"""Reads who holds which card, and whether it was ever used, for プッシュ型お知らせ."""

from typing import Any

import msgspec

from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.core.push import PushState
from issuance_server.core.register import Household

PAGE_ROWS_MAX = 10_000

_SQL = (
    "SELECT c.card_ref, c.resident_id, c.kind,"
    " EXISTS (SELECT 1 FROM issuance i WHERE i.card_ref = c.card_ref AND i.fee_state = 'earned'"
    "  AND i.business_day <= ?1) AS used, h.record"
    " FROM card c JOIN resident r USING (resident_id) JOIN household h USING (household_id)"
    " WHERE c.card_ref > ?2 AND c.registered_at_ms < ?3"
    " AND (c.withdrawn_at_ms IS NULL OR c.withdrawn_at_ms >= ?3) AND r.standing = 'current'"
    " AND NOT EXISTS (SELECT 1 FROM suppression s WHERE s.resident_id = r.resident_id"
    "  OR s.household_id = r.household_id)"
    " ORDER BY c.card_ref LIMIT ?4"
)
"""Nobody is written to who left, died, or is protected: a letter can betray an address."""


class PushRow(msgspec.Struct, frozen=True, kw_only=True):
    """A card holder. Its ``repr`` does not show name and address.

    Attributes:
        state: one of ``PushState``.
        resident_id: 宛名番号.
        card_ref: the card's reference.
        name: 氏名, if letters are to be written.
        address: 住所, likewise.
    """

    state: str
    resident_id: str
    card_ref: str
    name: str | None = None
    address: str | None = None

    def __repr__(self) -> str:
        return f"PushRow({self.card_ref})"


async def push_rows(
    reader: Reader, *, day: str, before_ms: int, after: str, with_addresses: bool
) -> list[PushRow]:
    """Return a page of card holders, by card.

    Args:
        reader: of the city's database.
        day: what was issued until then counts as used, ``YYYY-MM-DD``.
        before_ms: cards that were registered before count, Unix time in milliseconds.
        after: the card after which the page begins; empty: the first.
        with_addresses: whether names and addresses are read.
    """
    rows = await reader.all(_SQL, (day, after, before_ms, PAGE_ROWS_MAX))
    return [_row(row, with_addresses=with_addresses) for row in rows]


def _row(row: Any, *, with_addresses: bool) -> PushRow:
    if row["used"]:
        state = PushState.USES
    else:
        state = PushState.CERTIFICATE if row["kind"] == "mynumber" else PushState.CARD
    plain = PushRow(state=state.value, resident_id=row["resident_id"], card_ref=row["card_ref"])
    if not with_addresses:
        return plain
    household = msgspec.msgpack.decode(row["record"], type=Household)
    member = household.member(row["resident_id"])
    name = None if member is None else member.name
    return msgspec.structs.replace(plain, name=name, address=household.address)
