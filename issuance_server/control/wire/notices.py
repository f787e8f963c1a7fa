"""What commands say and ask about notices to holders (本人通知)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from issuance_server.adapters.sqlite.outbox import NoticeRow, SubscriptionRow
from issuance_server.core.notices import ADDRESS_CHARACTERS_MAX

ACT_NOTICE_SUBSCRIBE = "notice.subscribe"
ACT_NOTICE_UNSUBSCRIBE = "notice.unsubscribe"
BLIND_BYTES = 16
NOTICES_LISTED_MAX = 1_000

_ResidentId = Annotated[str, Meta(min_length=1, max_length=20)]


class NewSubscription(msgspec.Struct, frozen=True, kw_only=True, tag="new-subscription"):
    """What comes with ``notice.subscribe``. Its ``repr`` does not show the address.

    Attributes:
        resident_id: 宛名番号.
        address: where notices go.
        blind: random; without it nobody can find the address by the digest that is signed.
    """

    resident_id: _ResidentId
    address: Annotated[str, Meta(max_length=ADDRESS_CHARACTERS_MAX)]
    blind: Annotated[bytes, Meta(min_length=BLIND_BYTES, max_length=BLIND_BYTES)]

    def __repr__(self) -> str:
        return f"NewSubscription({self.resident_id})"


class ListNotices(msgspec.Struct, frozen=True, kw_only=True, tag="list-notices"):
    """The latest notices of the outbox, and who wants any."""

    limit: Annotated[int, Meta(ge=1, le=NOTICES_LISTED_MAX)]


class Notices(msgspec.Struct, frozen=True, kw_only=True, tag="notices"):
    """Oldest first; subscriptions by 宛名番号."""

    rows: tuple[NoticeRow, ...]
    subscriptions: tuple[SubscriptionRow, ...]
