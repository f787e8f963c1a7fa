"""Key records (鍵記録): one small file for each key, with its state, and its secret wrapped.

``<purpose>-<key id>.key`` is JSON. The secret is wrapped under the holder's storage key and bound
to purpose, key id and algorithm, so that no record can pass for another. What is left of a
destroyed key is its record without the secret, so that what it signed can still be checked.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

import msgspec
from msgspec import Meta

from keys import file_store
from keys.key_states import KEY_TABLE, KeyAct, KeyState
from keys.storage_key import Holder, StorageKey
from protocol.codec import UNREADABLE
from protocol.errors import KeyManagementError, Misuse
from protocol.secret import Secret
from protocol.statements import statement

SECRET_BYTES = 32
"""Every secret is a seed or a symmetric key of this length."""
KEY_ID_BYTES = 8
SUFFIX = ".key"

_Moment = Annotated[datetime, Meta(tz=True)]
_KeyId = Annotated[str, Meta(pattern="^([0-9a-f]{16}|[0-9]{4}-[0-9]{2}-[0-9]{2})$")]


class Algorithm(Enum):
    """What a key is made for."""

    ED25519 = "ed25519"
    X_WING = "x-wing"
    HMAC_SHA256 = "hmac-sha256"
    AES256_KEY_WRAP = "aes256-key-wrap"
    HKDF_SHA256 = "hkdf-sha256"


class Purpose(Enum):
    """What a key is there for; a city has one ring of keys for each."""

    AUTHORITY = "authority"
    SERVER = "server"
    BINDING = "binding"
    CHECKPOINT = "checkpoint"
    PIN_OPENING = "pin-opening"
    VERDICT = "verdict"
    PEPPER = "pepper"
    CODE = "code"
    BACK = "back"
    DAY = "day"

    @property
    def holder(self) -> Holder:
        """Who holds keys of this purpose."""
        match self:
            case Purpose.AUTHORITY:
                return Holder.AUTHORITY
            case Purpose.PIN_OPENING | Purpose.VERDICT | Purpose.PEPPER:
                return Holder.JUDGE
            case Purpose.CODE | Purpose.BACK:
                return Holder.RENDERER
            case _:
                return Holder.SERVER

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm of keys of this purpose."""
        match self:
            case Purpose.PIN_OPENING:
                return Algorithm.X_WING
            case Purpose.PEPPER:
                return Algorithm.HMAC_SHA256
            case Purpose.DAY:
                return Algorithm.AES256_KEY_WRAP
            case Purpose.BACK:
                return Algorithm.HKDF_SHA256
            case _:
                return Algorithm.ED25519


ANNOUNCED = (
    Purpose.PIN_OPENING,
    Purpose.BINDING,
    Purpose.CHECKPOINT,
    Purpose.VERDICT,
    Purpose.CODE,
)
"""The purposes whose public halves others must know; they stand in ``trust/city.json``."""


class PublicRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What everybody may know of a key.

    Attributes:
        purpose: what it is there for.
        algorithm: what it is made for.
        key_id: first 8 bytes of the SHA-256 of the public half in hexadecimal; random for a
            symmetric key; of a day key, the day.
        number: 1 and up within its purpose; the higher, the newer.
        created_at: when it was made.
        state: where it stands.
        until: of a retiring key, the end of its acceptance; None for no end.
        revoked_at: when it was revoked, if it was; what it signed from then on counts for nothing.
        public: the public half in raw form; empty for a symmetric key.
    """

    purpose: Purpose
    algorithm: Algorithm
    key_id: _KeyId
    number: Annotated[int, Meta(ge=1)]
    created_at: _Moment
    state: KeyState
    until: _Moment | None = None
    revoked_at: _Moment | None = None
    public: bytes = b""

    def accepted(self, now: datetime) -> bool:
        """Tell whether what is signed with it, or sealed to it, is still taken."""
        if self.state is KeyState.RETIRING:
            return self.until is None or now < self.until
        return self.state in (KeyState.NEXT, KeyState.ACTIVE)

    def spoke_at(self, moment: datetime) -> bool:
        """Tell whether a statement of that time may count: the key was not revoked by then."""
        return self.revoked_at is None or moment < self.revoked_at


class KeyRecord(PublicRecord, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key as its holder stores it.

    Attributes:
        format: this form of record.
        certificate: of authority and server, the certificate in PEM form; otherwise empty.
        wrapped: the secret under the storage key; empty once it is destroyed.
    """

    format: Literal["kofu-key/1"] = "kofu-key/1"
    certificate: str = ""
    wrapped: bytes = b""

    @classmethod
    def make(
        cls,
        purpose: Purpose,
        secret: Secret,
        storage_key: StorageKey,
        *,
        named: "Naming",
        public: bytes = b"",
        certificate: bytes = b"",
    ) -> Self:
        """Make the record of a new key.

        Args:
            purpose: what it is there for.
            secret: 32 bytes.
            storage_key: its holder's.
            named: number, time and state.
            public: the public half; empty for a symmetric key.
            certificate: in PEM form, if it has one.
        """
        if len(secret) != SECRET_BYTES:
            raise Misuse(f"a secret has {SECRET_BYTES} bytes")
        key_id = named.key_id or (key_id_of(public) if public else secrets.token_hex(KEY_ID_BYTES))
        bound = _bound(purpose, key_id, purpose.algorithm)
        return cls(
            purpose=purpose,
            algorithm=purpose.algorithm,
            key_id=key_id,
            number=named.number,
            created_at=named.at.replace(microsecond=0),
            state=named.state,
            public=public,
            certificate=certificate.decode("ascii"),
            wrapped=storage_key.wrap(secret, bound),
        )

    def secret(self, storage_key: StorageKey) -> Secret:
        """Return the secret, 32 bytes.

        Raises:
            KeyManagementError: it is destroyed, or the storage key does not open it.
        """
        if not self.wrapped:
            raise KeyManagementError(f"key {self.key_id} is destroyed")
        try:
            secret = storage_key.unwrap(
                self.wrapped, _bound(self.purpose, self.key_id, self.algorithm)
            )
        except KeyManagementError as error:
            raise KeyManagementError(f"{self.file_name}: {error}") from None
        if len(secret) != SECRET_BYTES:
            raise KeyManagementError(f"{self.file_name} holds no secret of {SECRET_BYTES} bytes")
        return secret

    def after(self, act: KeyAct, now: datetime, *, overlap: timedelta | None = None) -> "KeyRecord":
        """Return the record after an act.

        Args:
            act: what is done to the key.
            now: when.
            overlap: for how long a key that retires is accepted; None for no end.

        Raises:
            KeyManagementError: a key in this state takes no such act.
        """
        state = KEY_TABLE.next(self.state, act)
        if state is None:
            raise KeyManagementError(f"key {self.key_id} is {self.state.value}: no {act.value}")
        if not KEY_TABLE.moves(self.state, act):
            return self
        now = now.replace(microsecond=0)
        changed = msgspec.structs.replace(self, state=state)
        match act:
            case KeyAct.RETIRE:
                until = None if overlap is None else now + overlap
                return msgspec.structs.replace(changed, until=until)
            case KeyAct.REVOKE:
                return msgspec.structs.replace(changed, until=None, revoked_at=now)
            case KeyAct.DESTROY:
                return msgspec.structs.replace(changed, wrapped=b"")
            case _:
                return changed

    @property
    def file_name(self) -> str:
        """The name of its file."""
        return f"{self.purpose.value}-{self.key_id}{SUFFIX}"

    @property
    def open_half(self) -> PublicRecord:
        """What everybody may know of it."""
        fields = {name: getattr(self, name) for name in PublicRecord.__struct_fields__}
        return PublicRecord(**fields)


_Record = TypeVar("_Record", bound=PublicRecord)


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """What a new record is given.

    Attributes:
        number: within its purpose.
        at: when it is made, with a time zone.
        state: in which it begins.
        key_id: of a day key, the day; otherwise empty.
    """

    number: int
    at: datetime
    state: KeyState = KeyState.ACTIVE
    key_id: str = ""


def key_id_of(public: bytes) -> str:
    """Return the key id of a public half: 16 hexadecimal digits."""
    return sha256(public).hexdigest()[: 2 * KEY_ID_BYTES]


def newest_active(records: Iterable[_Record]) -> _Record | None:
    """Return the key that signs and seals, if there is one."""
    active = [record for record in records if record.state is KeyState.ACTIVE]
    return max(active, key=lambda record: record.number, default=None)


def load_records(folder: Path, purpose: Purpose) -> list[KeyRecord]:
    """Return a folder's records of one purpose, the oldest first.

    Raises:
        KeyManagementError: one is damaged, readable by others, or stands under another's name.
    """
    records = [read_record(path) for path in folder.glob(f"{purpose.value}-*{SUFFIX}")]
    return sorted(records, key=lambda record: record.number)


def read_record(path: Path) -> KeyRecord:
    """Read one record.

    Raises:
        KeyManagementError: it is missing, damaged, readable by others, or under another's name.
    """
    content = file_store.read_private(path)
    try:
        record = msgspec.json.decode(content.reveal(), type=KeyRecord)
    except UNREADABLE:
        raise KeyManagementError(f"{path} is damaged, or no key record of this version") from None
    fits = record.algorithm is record.purpose.algorithm
    if record.file_name != path.name or not fits:
        raise KeyManagementError(f"{path} holds the record of another key: {record.file_name}")
    if (record.state is KeyState.DESTROYED) == bool(record.wrapped):
        raise KeyManagementError(f"{path} is damaged: its state and its secret disagree")
    return record


def write_record(folder: Path, record: KeyRecord) -> None:
    """Write a new record.

    Raises:
        KeyManagementError: the key has one already, or the disk refuses.
    """
    file_store.write_private(folder / record.file_name, _text(record))


def change_record(folder: Path, record: KeyRecord) -> None:
    """Write a record in place of the key's former one; a destroyed secret is overwritten.

    Raises:
        KeyManagementError: the disk refuses.
    """
    path = folder / record.file_name
    if record.wrapped:
        file_store.replace_private(path, _text(record))
    else:
        file_store.replace_and_overwrite(path, _text(record))


def _text(record: KeyRecord) -> bytes:
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def _bound(purpose: Purpose, key_id: str, algorithm: Algorithm) -> bytes:
    return statement("key-record", purpose.value, key_id, algorithm.value)
