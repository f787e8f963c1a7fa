"""What commands say and ask about the register copy."""

from typing import Annotated

import msgspec
from msgspec import Meta

from issuance_server.adapters.sqlite.register_reading import CopySizes, EditRow
from issuance_server.core.register_extract import Counts
from issuance_server.core.register_feed import CHANGES_PER_BATCH_MAX, SEQUENCE_MAX, AnyChange

ACT_REGISTER_IMPORT = "register.import"
ACT_REGISTER_SET_BACK = "register.set-back"
ACT_REGISTER_FEED = "register.feed"
ACT_STAND_IN_BEGIN = "register.stand-in-begin"
ACT_STAND_IN_END = "register.stand-in-end"
_DIGEST_BYTES = 32
_TIME_MS_MAX = 1 << 53

_Digest = Annotated[bytes, Meta(min_length=_DIGEST_BYTES, max_length=_DIGEST_BYTES)]


class StagedExtract(msgspec.Struct, frozen=True, kw_only=True, tag="staged-extract"):
    """What comes with ``register.import`` and ``register.set-back``.

    Attributes:
        stage: names the file beside the database in which the extract's rows lie ready.
        stage_digest: SHA-256 of that file.
        file_digest: SHA-256 of the extract.
        counts: what is in it.
        sequence: number of the last change that is in it.
        as_of_ms: when the registers were like this.
        set_back: the registers themselves were set back, so that it may be older than the copy;
            of ``register.set-back``, which takes two operators, and of nothing else.
    """

    stage: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
    stage_digest: _Digest
    file_digest: _Digest
    counts: Counts
    sequence: Annotated[int, Meta(ge=0, le=SEQUENCE_MAX)]
    as_of_ms: Annotated[int, Meta(ge=0, le=_TIME_MS_MAX)]
    set_back: bool = False


class FeedBatch(msgspec.Struct, frozen=True, kw_only=True, tag="feed-batch"):
    """What comes with ``register.feed``: changes in order."""

    changes: Annotated[tuple[AnyChange, ...], Meta(min_length=1, max_length=CHANGES_PER_BATCH_MAX)]


class StandInTime(msgspec.Struct, frozen=True, kw_only=True, tag="stand-in-time"):
    """What comes with ``register.stand-in-begin``: when it ends by itself."""

    until_ms: Annotated[int, Meta(ge=0, le=_TIME_MS_MAX)]


class ReadRegister(msgspec.Struct, frozen=True, kw_only=True, tag="read-register"):
    """How the register copy stands."""


class RegisterStatus(msgspec.Struct, frozen=True, kw_only=True, tag="register-status"):
    """How the register copy stands.

    Attributes:
        as_of_ms: as of when it is.
        age_ms: how old that is now.
        sequence: number of the last change that it holds.
        gap_expected: number of the first change that is missing.
        gap_found: number that came instead.
        gap_at_ms: when that was seen.
        stand_in_since_ms: since when stand-in operation is declared; None: it is not.
        stand_in_until_ms: when it ends by itself.
        sizes: what the copy holds.
        edits: what staff has open, the oldest first; not more than a thousand.
    """

    as_of_ms: int
    age_ms: int
    sequence: int
    gap_expected: int | None
    gap_found: int | None
    gap_at_ms: int | None
    stand_in_since_ms: int | None
    stand_in_until_ms: int | None
    sizes: CopySizes
    edits: tuple[EditRow, ...]
