"""Rings (鍵束): all keys of one purpose, as their holder uses them.

The newest active key signs and seals; every key that is accepted opens. A ring reads its records
anew when the last look is older than ``REREAD_S``, so what ``issuance-keys`` changes is taken up
without a restart; a folder that cannot be read meanwhile leaves the ring as it was.
"""

import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, NamedTuple, TypeAlias, TypeVar, final

from keys.key_record import KeyRecord, Purpose, load_records, newest_active
from keys.pepper import Pepper
from keys.pin_sealing import PinOpener
from keys.signing import SigningKey
from keys.storage_key import StorageKey
from protocol.errors import KeyManagementError, SealError
from protocol.secret import Secret

REREAD_S = 10.0
"""A change of the records is taken up within this time."""
URGENT_REREAD_S = 0.5
"""So soon a ring may look again when none of its keys fits what somebody sealed."""

K = TypeVar("K")
Clock: TypeAlias = Callable[[], datetime]


def real_time() -> datetime:
    """Return the real time, UTC."""
    return datetime.now(UTC)


class Times(NamedTuple):
    """The clocks of a ring.

    Attributes:
        now: tells which keys are accepted.
        monotonic_s: tells when to look at the folder again.
    """

    now: Clock = real_time
    monotonic_s: Callable[[], float] = time.monotonic


class Held(NamedTuple, Generic[K]):
    """A key with its record."""

    record: KeyRecord
    key: K


class Ring(Generic[K]):
    """The keys of one purpose."""

    def __init__(
        self,
        folder: Path,
        purpose: Purpose,
        storage_key: StorageKey,
        make: Callable[[Secret], K],
        times: Times,
    ) -> None:
        """Read the records.

        Args:
            folder: where they lie.
            purpose: of which keys.
            storage_key: their holder's.
            make: makes the key of its secret.
            times: the clocks.

        Raises:
            KeyManagementError: none is active, or one is damaged.
        """
        self._folder = folder
        self._purpose = purpose
        self._storage_key = storage_key
        self._make = make
        self._times = times
        self._made: dict[str, K] = {}
        self._records = self._read()
        self._read_at_s = times.monotonic_s()

    def newest(self) -> Held[K]:
        """Return the key that signs and seals."""
        self._look_again()
        record = newest_active(self._records)
        assert record is not None, "a ring without an active key is never taken up"
        return next(held for held in self._held() if held.record.number == record.number)

    def accepted(self, within_s: float = REREAD_S) -> list[Held[K]]:
        """Return the keys that are accepted now, the newest first.

        Args:
            within_s: how old the last look at the folder may be.
        """
        self._look_again(within_s)
        now = self._times.now()
        return [held for held in self._held() if held.record.accepted(now)]

    @property
    def key_ids(self) -> frozenset[str]:
        """The ids of all keys that there ever were."""
        return frozenset(record.key_id for record in self._records)

    def _held(self) -> list[Held[K]]:
        return [
            Held(record, self._made[record.key_id])
            for record in reversed(self._records)
            if record.key_id in self._made
        ]

    def _look_again(self, within_s: float = REREAD_S) -> None:
        if self._times.monotonic_s() - self._read_at_s < within_s:
            return
        self._read_at_s = self._times.monotonic_s()
        with contextlib.suppress(KeyManagementError):
            self._records = self._read()

    def _read(self) -> list[KeyRecord]:
        records = load_records(self._folder, self._purpose)
        if newest_active(records) is None:
            raise KeyManagementError(
                f"{self._folder} holds no active {self._purpose.value} key; "
                "issuance-keys create makes a city's keys, issuance-keys list shows them"
            )
        now = self._times.now()
        self._made = {
            record.key_id: self._made.get(record.key_id) or self._made_of(record)
            for record in records
            if record.accepted(now)
        }
        return records

    def _made_of(self, record: KeyRecord) -> K:
        key = self._make(record.secret(self._storage_key))
        public = getattr(key, "public_key", record.public)
        if public != record.public:
            raise KeyManagementError(f"{record.file_name}: its two halves are not of one pair")
        return key


@final
class SigningRing:
    """Signs with the newest active key."""

    __slots__ = ("_ring",)

    def __init__(
        self, folder: Path, purpose: Purpose, storage_key: StorageKey, times: Times
    ) -> None:
        self._ring = Ring(folder, purpose, storage_key, SigningKey.from_seed, times)

    def sign(self, signed: bytes) -> bytes:
        """Return the signature of a statement, 64 bytes."""
        return self._ring.newest().key.sign(signed)

    def signer(self) -> SigningKey:
        """Return the key that signs, for what is to name it as well."""
        return self._ring.newest().key

    @property
    def public_key(self) -> bytes:
        """The public half of the key that signs, 32 bytes."""
        return self._ring.newest().key.public_key

    def __repr__(self) -> str:
        return "SigningRing(***)"


@final
class PinOpeningRing:
    """Opens PIN blocks with whatever accepted key they were sealed to."""

    __slots__ = ("_ring",)

    def __init__(self, folder: Path, storage_key: StorageKey, times: Times) -> None:
        self._ring = Ring(folder, Purpose.PIN_OPENING, storage_key, PinOpener, times)

    def open(self, block: bytes, info: bytes) -> Secret:
        """Return the PIN's digits.

        A terminal may have been told of a new key before this ring has looked at its folder again,
        so a block that no key opens is tried once more after a look.

        Raises:
            SealError: no accepted key opens it; not a word about why.
        """
        tried: set[str] = set()
        for within_s in (REREAD_S, URGENT_REREAD_S):
            for record, key in self._ring.accepted(within_s):
                if record.key_id not in tried:
                    tried.add(record.key_id)
                    with contextlib.suppress(SealError):
                        return key.open(block, info)
        raise SealError

    @property
    def public_key(self) -> bytes:
        """What terminals are to seal to, 1216 bytes."""
        return self._ring.newest().key.public_key

    def __repr__(self) -> str:
        return "PinOpeningRing(***)"


@final
class PepperRing:
    """The peppers: new verifiers are made under the newest, old ones name theirs."""

    __slots__ = ("_ring",)

    def __init__(self, folder: Path, storage_key: StorageKey, times: Times) -> None:
        self._ring = Ring(folder, Purpose.PEPPER, storage_key, lambda secret: secret, times)

    def newest(self) -> Pepper:
        """Return the pepper for new verifiers."""
        return _pepper(self._ring.newest())

    def accepted(self) -> list[Pepper]:
        """Return the peppers under which verifiers are still good, the newest first."""
        return [_pepper(held) for held in self._ring.accepted()]

    @property
    def key_ids(self) -> frozenset[str]:
        """The ids of all peppers that there ever were."""
        return self._ring.key_ids

    def __repr__(self) -> str:
        return "PepperRing(***)"


@final
class BackRing:
    """The secrets of the backs: sheets are made under the newest, paper outlives the others."""

    __slots__ = ("_ring",)

    def __init__(self, folder: Path, storage_key: StorageKey, times: Times) -> None:
        self._ring = Ring(folder, Purpose.BACK, storage_key, lambda secret: secret, times)

    def newest(self) -> Secret:
        """Return the secret for new backs, 32 bytes."""
        return self._ring.newest().key

    def accepted(self) -> tuple[Secret, ...]:
        """Return the secrets that backs are still read with, the newest first."""
        return tuple(held.key for held in self._ring.accepted())

    def __repr__(self) -> str:
        return "BackRing(***)"


def _pepper(held: Held[Secret]) -> Pepper:
    return Pepper(key_id=held.record.key_id, secret=held.key)
