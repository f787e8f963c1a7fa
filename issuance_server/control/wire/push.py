"""What commands ask about card holders to be notified (プッシュ型お知らせ)."""

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta

from issuance_server.adapters.sqlite.push_reading import PushRow

ACT_PUSH_LIST = "push.list"


class PushPage(msgspec.Struct, frozen=True, kw_only=True, tag="push-page"):
    """What comes with ``push.list``.

    Attributes:
        as_of: the day whose end counts.
        with_addresses: whether names and addresses are wanted.
        after: the card after which the page begins; empty: the first.
    """

    as_of: dt.date
    with_addresses: bool
    after: Annotated[str, Meta(max_length=64)] = ""


class PushRows(msgspec.Struct, frozen=True, kw_only=True, tag="push-rows"):
    """A page, by card; a shorter one than ``PAGE_ROWS_MAX`` is the last."""

    rows: tuple[PushRow, ...]
