"""How much recordings may take: the configuration's ``[trace]``."""

from typing import Annotated

import msgspec
from msgspec import Meta

from protocol.shells.trace_file import PART_BYTES_MAX, PARTS_MAX, QUEUED_BYTES_MAX, Bounds

_MEGABYTE_BYTES = 1024 * 1024


class Trace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Recordings (``run --trace FILE``, ``run --core-trace FILE``)."""

    part_megabytes_max: Annotated[
        int, Meta(ge=1, le=16_384, description="a larger file is put aside, and a new one begun")
    ] = PART_BYTES_MAX // _MEGABYTE_BYTES
    parts_max: Annotated[
        int, Meta(ge=1, le=1_000, description="so many files are kept of each; the oldest goes")
    ] = PARTS_MAX
    waiting_megabytes_max: Annotated[
        int, Meta(ge=1, le=1_024, description="what waits for the disk; more is left out, counted")
    ] = QUEUED_BYTES_MAX // _MEGABYTE_BYTES

    def bounds(self) -> Bounds:
        """Return how much one recording may take."""
        return Bounds(
            part_bytes=self.part_megabytes_max * _MEGABYTE_BYTES,
            parts=self.parts_max,
            queued_bytes=self.waiting_megabytes_max * _MEGABYTE_BYTES,
        )
