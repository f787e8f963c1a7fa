"""What every telegram (電文) has: its kind, and, of a reply, what it answers."""

from typing import Annotated

import msgspec
from msgspec import Meta

from protocol.fields import Digest


class RequestRef(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Names one copy of a request: key generation, counter, and SHA-256 of its plaintext.

    An array of exactly three: a later version adds fields to maps only (TP-042, TP-043).
    """

    generation: Annotated[int, Meta(ge=0, lt=1 << 32)]
    counter: Annotated[int, Meta(ge=0, le=1 << 53)]
    digest: Digest


class Telegram(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="telegram"):
    """What all telegrams share.

    Attributes:
        in_reply_to: of a reply, the copy of the request that it answers; otherwise absent.
    """

    in_reply_to: RequestRef | None = None
