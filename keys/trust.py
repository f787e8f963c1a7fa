"""What is believed: the public keys that a city announces, and the part that a terminal is told."""

from pathlib import Path
from typing import Annotated, ClassVar, Self

import msgspec
from msgspec import Meta

from keys import file_store
from keys.key_certificate import public_key_of, read_certificate
from keys.names import CITY_DIGITS
from keys.pin_sealing import PUBLIC_KEY_BYTES as PIN_SEALING_KEY_BYTES
from keys.signing import PUBLIC_KEY_BYTES, PublicKeyFile
from protocol.errors import KeyManagementError

_City = Annotated[str, Meta(pattern=f"^[0-9]{{{CITY_DIGITS}}}$")]
_Ed25519Key = Annotated[bytes, Meta(min_length=PUBLIC_KEY_BYTES, max_length=PUBLIC_KEY_BYTES)]
_SealingKey = Annotated[
    bytes, Meta(min_length=PIN_SEALING_KEY_BYTES, max_length=PIN_SEALING_KEY_BYTES)
]


class TerminalTrust(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal is told about a city. All of it is public; that it is unchanged matters.

    Attributes:
        city: municipality code, 6 digits.
        authority_certificate: certificate of the city's line authority, in PEM form.
        pin_sealing_key: what PINs are sealed to, 1216 bytes.
        binding_key: under what releases are signed, 32 bytes.
        checkpoint_key: under what the audit log's checkpoints are signed, 32 bytes.
    """

    city: _City
    authority_certificate: bytes
    pin_sealing_key: _SealingKey
    binding_key: _Ed25519Key
    checkpoint_key: _Ed25519Key

    FILE: ClassVar[str] = "trust.json"

    def save(self, folder: Path) -> None:
        """Write the trust to a new file of a folder: ``trust.json``, the city's ``city.json``.

        Raises:
            KeyManagementError: it exists already.
        """
        text = msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"
        file_store.write_public(folder / self.FILE, text)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the file that ``save`` writes.

        Raises:
            KeyManagementError: it is missing or damaged.
        """
        path = folder / cls.FILE
        if not path.exists():
            raise KeyManagementError(f"there is no {path}; issuance-keys makes it")
        text = file_store.read_public(path)
        try:
            trust = msgspec.json.decode(text, type=cls)
            public_key_of(read_certificate(trust.authority_certificate))
        except (msgspec.DecodeError, KeyManagementError):
            raise KeyManagementError(f"{path} is damaged; issuance-keys makes it") from None
        return trust


class CityTrust(TerminalTrust, frozen=True, kw_only=True):
    """Every public key that a city announces, for its own server and judge.

    Attributes:
        verdict_key: under what the PIN judge's verdicts are signed, 32 bytes.
    """

    FILE: ClassVar[str] = "city.json"

    verdict_key: _Ed25519Key

    def for_terminal(self) -> TerminalTrust:
        """Return the part that a terminal is told."""
        return TerminalTrust(
            city=self.city,
            authority_certificate=self.authority_certificate,
            pin_sealing_key=self.pin_sealing_key,
            binding_key=self.binding_key,
            checkpoint_key=self.checkpoint_key,
        )

    def public_keys(self) -> tuple[PublicKeyFile, ...]:
        """Return the keys as lines for people to compare and pass on."""
        return (
            PublicKeyFile(
                name=f"{self.city}/pin-sealing", key=self.pin_sealing_key, algorithm="x-wing"
            ),
            PublicKeyFile(name=f"{self.city}/binding", key=self.binding_key),
            PublicKeyFile(name=f"{self.city}/checkpoint", key=self.checkpoint_key),
            PublicKeyFile(name=f"{self.city}/verdict", key=self.verdict_key),
        )
