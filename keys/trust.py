"""What is believed: the public keys that a city announces, and the part that terminals are told.

``city.json`` has the public half of every key that a city ever used, with its state. What
terminals are told, ``trust.json``, is signed by the authority and numbered: a terminal takes a
higher number only, under the authority that it knows already.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, TypeVar

import msgspec
from msgspec import Meta

from keys import file_store
from keys.key_certificate import public_key_of, read_certificate
from keys.key_record import PublicRecord, Purpose, newest_active
from keys.names import CITY_DIGITS
from keys.pin_sealing import PUBLIC_KEY_BYTES as PIN_SEALING_KEY_BYTES
from keys.signing import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, PublicKeyFile
from protocol.codec import UNREADABLE
from protocol.errors import KeyManagementError
from protocol.statements import signature_holds, statement

BINDING_KEYS_MAX = 8
"""Keys that a terminal tries at most; a city has one, or two while it changes them."""

_City = Annotated[str, Meta(pattern=f"^[0-9]{{{CITY_DIGITS}}}$")]
_Ed25519Key = Annotated[bytes, Meta(min_length=PUBLIC_KEY_BYTES, max_length=PUBLIC_KEY_BYTES)]
_SealingKey = Annotated[
    bytes, Meta(min_length=PIN_SEALING_KEY_BYTES, max_length=PIN_SEALING_KEY_BYTES)
]
_Ed25519Keys = Annotated[tuple[_Ed25519Key, ...], Meta(min_length=1, max_length=BINDING_KEYS_MAX)]
_Signature = Annotated[bytes, Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]
_Trust = TypeVar("_Trust", bound=msgspec.Struct)


class TerminalTrust(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal is told about a city. All of it is public; that it is unchanged matters.

    Attributes:
        city: municipality code, 6 digits.
        serial: 1 and up; a higher one takes the place of a lower one.
        issued_at: when it was signed.
        authority_certificate: certificate of the city's line authority, in PEM form.
        pin_sealing_key: what PINs are sealed to, 1216 bytes.
        binding_keys: under any of these releases are signed, 32 bytes each.
        checkpoint_keys: under these the audit log's checkpoints are signed, 32 bytes each.
        signature: the authority's, over ``statement``, 64 bytes.
        format: this form of file.
    """

    city: _City
    serial: Annotated[int, Meta(ge=1)]
    issued_at: Annotated[datetime, Meta(tz=True)]
    authority_certificate: bytes
    pin_sealing_key: _SealingKey
    binding_keys: _Ed25519Keys
    checkpoint_keys: _Ed25519Keys
    signature: _Signature = bytes(SIGNATURE_BYTES)
    format: Literal["kofu-trust/1"] = "kofu-trust/1"

    FILE: ClassVar[str] = "trust.json"

    def statement(self) -> bytes:
        """Return the bytes that the authority signs."""
        return statement(
            "trust",
            self.city,
            self.serial,
            int(self.issued_at.timestamp()),
            self.authority_certificate,
            self.pin_sealing_key,
            self.binding_keys,
            self.checkpoint_keys,
        )

    def signed_under(self, authority_certificate: bytes) -> bool:
        """Tell whether the authority of a certificate signed this.

        Raises:
            KeyManagementError: the certificate is damaged.
        """
        authority_key = public_key_of(read_certificate(authority_certificate))
        return signature_holds(authority_key, self.signature, self.statement())

    def tells_the_same(self, other: "TerminalTrust") -> bool:
        """Tell whether another one says the same, whatever its number."""
        same = msgspec.structs.replace(
            other, serial=self.serial, issued_at=self.issued_at, signature=self.signature
        )
        return self == same

    def save(self, folder: Path) -> None:
        """Write ``trust.json``, or write it anew; after a crash it is the old or the new one.

        Raises:
            KeyManagementError: the disk refuses.
        """
        file_store.replace_public(folder / self.FILE, _text(self))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read ``trust.json`` of a folder.

        Raises:
            KeyManagementError: it is missing, damaged, or not signed by the authority in it.
        """
        path = folder / cls.FILE
        trust = _read(path, cls)
        try:
            holds = trust.signed_under(trust.authority_certificate)
        except KeyManagementError:
            holds = False
        if not holds:
            raise KeyManagementError(
                f"{path} is damaged or not signed by its authority; issuance-keys distribute "
                "writes it"
            )
        return trust


class CityTrust(msgspec.Struct, frozen=True, kw_only=True):
    """The public half of every key that a city ever used for others to check or to seal to.

    Attributes:
        city: municipality code, 6 digits.
        authority_certificate: certificate of the city's line authority, in PEM form.
        keys: by purpose and number, with their states.
    """

    city: _City
    authority_certificate: bytes
    keys: tuple[PublicRecord, ...]

    FILE: ClassVar[str] = "city.json"

    def save(self, folder: Path) -> None:
        """Write ``city.json``, or write it anew; after a crash it is the old or the new one.

        Raises:
            KeyManagementError: the disk refuses.
        """
        file_store.replace_public(folder / self.FILE, _text(self))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the file that ``save`` writes.

        Raises:
            KeyManagementError: it is missing or damaged.
        """
        path = folder / cls.FILE
        trust = _read(path, cls)
        try:
            public_key_of(read_certificate(trust.authority_certificate))
        except KeyManagementError:
            raise KeyManagementError(f"{path} is damaged; issuance-keys makes it") from None
        return trust

    def of(self, purpose: Purpose) -> tuple[PublicRecord, ...]:
        """Return every key of a purpose that there ever was, the oldest first."""
        return tuple(key for key in self.keys if key.purpose is purpose)

    def accepted(self, purpose: Purpose, now: datetime) -> tuple[bytes, ...]:
        """Return the public keys of a purpose that are accepted, the newest first."""
        return tuple(key.public for key in reversed(self.of(purpose)) if key.accepted(now))

    def code_keys(self) -> tuple[bytes, ...]:
        """Return the public keys that codes on sheets may be signed with, whenever it was.

        Paper outlives keys, so a key that is no longer used or was destroyed still counts; one that
        was revoked does not, for who stole it could date his sheets back.
        """
        return tuple(key.public for key in self.of(Purpose.CODE) if key.revoked_at is None)

    def newest(self, purpose: Purpose) -> bytes:
        """Return the public half of the key of a purpose that signs, or is sealed to.

        Raises:
            KeyManagementError: none is active.
        """
        found = newest_active(self.of(purpose))
        if found is None:
            raise KeyManagementError(f"city {self.city} announces no active {purpose.value} key")
        return found.public

    def with_keys(self, purpose: Purpose, keys: tuple[PublicRecord, ...]) -> "CityTrust":
        """Return a trust with other keys for one purpose."""
        others = [key for key in self.keys if key.purpose is not purpose]
        order = list(Purpose)
        ordered = sorted([*others, *keys], key=lambda key: (order.index(key.purpose), key.number))
        return msgspec.structs.replace(self, keys=tuple(ordered))

    def public_keys(self, now: datetime) -> tuple[PublicKeyFile, ...]:
        """Return the accepted keys as lines for people to compare and pass on."""
        return tuple(
            PublicKeyFile(
                name=f"{self.city}/{key.purpose.value}/{key.key_id}",
                key=key.public,
                algorithm=key.algorithm.value,
            )
            for key in self.keys
            if key.accepted(now)
        )


def _read(path: Path, kind: type[_Trust]) -> _Trust:
    if not path.exists():
        raise KeyManagementError(f"there is no {path}; issuance-keys makes it")
    try:
        return msgspec.json.decode(file_store.read_public(path), type=kind)
    except UNREADABLE:
        raise KeyManagementError(f"{path} is damaged; issuance-keys makes it") from None


def _text(trust: msgspec.Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(trust), indent=2) + b"\n"
