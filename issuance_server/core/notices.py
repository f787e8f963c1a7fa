"""本人通知: the holder who asked for it is told that a certificate was issued.

The notice says when, which kind and at which store, and nothing else. It waits in an outbox, into
which it came with the record of the printing itself: a notice can come twice, but not be lost.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from issuance_server.core import records as r
from issuance_server.core.asides import NoticeAddress
from issuance_server.core.effects import KeepAside
from issuance_server.core.facts import Now
from issuance_server.core.notice_changes import Subscribing, Unsubscribing
from issuance_server.core.outcome import Outcome
from protocol.kinds import Kind

TRIES_MAX = 8
"""How often one notice is tried; with the waits below, over about a day."""
FIRST_WAIT_MS = 60_000
WAIT_MS_MAX = 6 * 60 * 60 * 1_000
KEPT_MS = 90 * 24 * 60 * 60 * 1_000
"""How long what was sent, or given up, stands in the outbox."""
ADDRESS_CHARACTERS_MAX = 254
"""RFC 5321 §4.5.3.1.3: a path has 256 octets, of which two are its brackets."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


class NoticeState(Enum):
    """Where a notice stands."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"  # tried as often as it may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One notice, ready to go. Its ``repr`` does not show the address.

    Attributes:
        key: names the notice for ever; a second sending has the same one.
        address: where to.
        issued_at: when the paper was out, by the city's business clock.
        kind: of the certificate.
        store: where, with its chain.
        tries: how often it was tried before.
    """

    key: str
    address: str
    issued_at: datetime
    kind: Kind
    store: str
    tries: int

    def __repr__(self) -> str:
        return f"Letter({self.key})"


def is_address(text: str) -> bool:
    """Tell whether this can be written to: an ASCII mail address, without display name."""
    return len(text) <= ADDRESS_CHARACTERS_MAX and _ADDRESS.fullmatch(text) is not None


def notice_key(issuance_id: bytes) -> str:
    """Return the notice's name; it says nothing of the issuance, and is the same every time."""
    return hashlib.sha256(b"konbini-kofu notice" + issuance_id).hexdigest()[:32]


def wait_ms(tries: int) -> int:
    """Return how long to wait after a try that failed.

    Args:
        tries: how many were made, at least one.
    """
    return min(FIRST_WAIT_MS << (tries - 1), WAIT_MS_MAX)


def change_subscription(
    change: Subscribing | Unsubscribing, operator: str, now: Now, out: Outcome
) -> None:
    """Record that somebody wants notices, or none any more."""
    kind = r.NoticeSubscribed if isinstance(change, Subscribing) else r.NoticeUnsubscribed
    out.write(kind(at_ms=now.real_ms, resident_id=change.resident_id))
    if isinstance(change, Subscribing):
        address = NoticeAddress(
            resident_id=change.resident_id, address=change.address, at_ms=now.real_ms
        )
        out.add(KeepAside(address))
    event = "subscribed" if isinstance(change, Subscribing) else "unsubscribed"
    out.log(f"notice.{event}", operator=operator)
