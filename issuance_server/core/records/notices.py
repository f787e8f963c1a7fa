"""Records of 本人通知: who wants notices. Addresses stand in their table alone."""

from issuance_server.core.records.base import HouseRecord


class NoticeSubscribed(HouseRecord, frozen=True, kw_only=True, tag="notice-subscribed"):
    """From now on this resident is told of every certificate that is issued with their cards."""

    resident_id: str


class NoticeUnsubscribed(HouseRecord, frozen=True, kw_only=True, tag="notice-unsubscribed"):
    """No more notices; the address is erased."""

    resident_id: str
