"""Operators: people of the city as named key pairs, and the acts that they sign.

An operator's private key is sealed under a passphrase: scrypt (RFC 7914) makes the key, AES-256-GCM
seals. (The passphrase encryption that PKCS#8 files commonly carry makes a guess cost less than a
millisecond; this one costs a tenth of a second and 64 MiB.) An act names what is done to what, why,
by whom, once (nonce) and until when, and its signature is good for that alone.
"""

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn, Self, final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from msgspec import Meta

from keys import file_store
from keys.authority import Authority
from keys.former_operators import REASON_CHARACTERS_MAX, former_operators
from keys.names import checked_name
from keys.operator_files import OperatorFile
from keys.signing import SEED_BYTES, SigningKey
from keys.trust import CityTrust
from protocol.codec import UNREADABLE
from protocol.errors import KeyManagementError
from protocol.secret import Secret
from protocol.statements import signature_holds, statement

PASSPHRASE_BYTES_MIN = 8
PASSPHRASE_BYTES_MAX = 1024
NONCE_BYTES = 16
ACT_VALID_MS_MAX = 15 * 60 * 1_000
"""An act that claims to be good for longer is refused: it was made ahead, not now."""

_SCRYPT_N = 1 << 16
_SCRYPT_R = 8
_SCRYPT_P = 1
_SEALING_KEY_BYTES = 32
_SALT_BYTES = 16
_ZERO_NONCE = bytes(12)  # every salt, and so every sealing key, is used once
_FORMAT = "kofu-operator-key/1"


class _KeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    operator: str
    salt: str
    sealed: str


class OperatorAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that an operator wants done.

    Attributes:
        act: what is done, such as ``card.unlock``.
        subject: to what, by reference; no personal data.
        reason: why, 1 to 200 characters; it goes into the audit log.
        operator: who, by the name in the ring.
        nonce: 16 random bytes; whoever executes acts refuses one that was seen.
        expires_at_ms: Unix time in milliseconds after which the act is void.
    """

    act: Annotated[str, Meta(min_length=1, max_length=64)]
    subject: Annotated[str, Meta(max_length=200)]
    reason: Annotated[str, Meta(min_length=1, max_length=REASON_CHARACTERS_MAX)]
    operator: Annotated[str, Meta(min_length=1, max_length=32)]
    nonce: Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
    expires_at_ms: Annotated[int, Meta(ge=0, le=1 << 53)]

    def statement(self) -> bytes:
        """Return the bytes that the operator signs."""
        return statement(
            "operator-act",
            self.act,
            self.subject,
            self.reason,
            self.operator,
            self.nonce,
            self.expires_at_ms,
        )


class SignedAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An act with its operator's Ed25519 signature, 64 bytes."""

    act: OperatorAct
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


@final
class Operator:
    """An operator whose key is unlocked: signs acts, shows only the name."""

    __slots__ = ("_key", "name")

    def __init__(self, name: str, key: SigningKey) -> None:
        self.name = name
        self._key = key

    @classmethod
    def create(cls, folder: Path, name: str, passphrase: Secret, authority: Authority) -> Self:
        """Make a key pair: ``NAME.key`` under the passphrase, and ``NAME.pub``.

        The authority signs the second, which is what makes an operator of whoever has the first.

        Args:
            folder: made if it is not there.
            name: letters, digits and hyphens, at most 32.
            passphrase: at least 8 bytes.
            authority: the city's.

        Raises:
            KeyManagementError: the name is taken or none, or the passphrase is too short or long.
        """
        checked_name(name, "an operator's name")
        if not PASSPHRASE_BYTES_MIN <= len(passphrase) <= PASSPHRASE_BYTES_MAX:
            raise KeyManagementError(
                f"a passphrase has {PASSPHRASE_BYTES_MIN} to {PASSPHRASE_BYTES_MAX} bytes"
            )
        public_path = file_store.private_folder(folder) / f"{name}.pub"
        if public_path.exists():
            raise KeyManagementError(f"{public_path} exists already and is never overwritten")
        key = SigningKey.generate()
        # A private half without a public one is what an interrupted call left; nobody obeys it.
        file_store.replace_private(folder / f"{name}.key", _seal(key, name, passphrase))
        signed = OperatorFile.appointed(name, key.public_key, authority)
        file_store.write_public(public_path, signed.text)
        return cls(name, key)

    @classmethod
    def unlock(cls, path: Path, passphrase: Secret) -> Self:
        """Open an operator's key file.

        Raises:
            KeyManagementError: no such file, damaged, readable by others, or another passphrase.
        """
        sealed = file_store.read_private(path)
        try:
            found = msgspec.json.decode(sealed.reveal(), type=_KeyFile)
            salt = base64.b64decode(found.salt, validate=True)
            box = base64.b64decode(found.sealed, validate=True)
        except (*UNREADABLE, ValueError):
            raise KeyManagementError(f"{path} is not an operator's key file") from None
        if found.format != _FORMAT or len(salt) != _SALT_BYTES:
            raise KeyManagementError(f"{path} is not an operator's key file of this version")
        try:
            seed = AESGCM(_sealing_key(passphrase, salt)).decrypt(
                _ZERO_NONCE, box, _sealed_for(found.operator)
            )
        except (InvalidTag, ValueError):
            raise KeyManagementError(f"{path}: the passphrase does not open this key") from None
        if len(seed) != SEED_BYTES:
            raise KeyManagementError(f"{path} is not an operator's key file")
        return cls(found.operator, SigningKey.from_seed(Secret(seed)))

    def sign(
        self, *, act: str, subject: str, reason: str, nonce: bytes, expires_at_ms: int
    ) -> SignedAct:
        """Sign an act in the operator's own name.

        Args:
            act: what is done, 1 to 64 characters.
            subject: to what, at most 200 characters.
            reason: why, 1 to 200 characters.
            nonce: 16 random bytes; for an act of two people both use the same.
            expires_at_ms: Unix time in milliseconds, at most 15 minutes ahead.

        Raises:
            KeyManagementError: a text is empty or too long; the message says which.
        """
        made = _checked(
            OperatorAct(
                act=act,
                subject=subject,
                reason=reason.strip(),
                operator=self.name,
                nonce=nonce,
                expires_at_ms=expires_at_ms,
            )
        )
        return SignedAct(act=made, signature=self._key.sign(made.statement()))

    @property
    def public_key(self) -> bytes:
        """The public half, 32 bytes."""
        return self._key.public_key

    def __repr__(self) -> str:
        return f"Operator({self.name})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an unlocked Operator is not written anywhere")


@final
class OperatorRing:
    """The public keys of the operators that a city knows."""

    __slots__ = ("_keys", "_unsigned")

    def __init__(
        self, keys: Mapping[str, bytes], *, unsigned: Mapping[str, bytes] | None = None
    ) -> None:
        """Take the operators.

        Args:
            keys: of each name the public key.
            unsigned: those whom the authority did not appoint; their acts are refused by name.
        """
        self._keys = dict(keys)
        self._unsigned = dict(unsigned or {})

    @classmethod
    def load(cls, folder: Path, trust: CityTrust) -> Self:
        """Read every ``NAME.pub`` of a folder; a folder that is not there has none.

        A key that was revoked is left out, and one that the authority did not sign is not obeyed.

        Args:
            folder: the operators' folder.
            trust: the city's; a process keeps the one that it started with, so that who exchanges
                the authority on the disk makes nobody an operator of it.

        Raises:
            KeyManagementError: a file is damaged, or names somebody else than its file name does.
        """
        former = {one.public for one in former_operators(folder)}
        keys: dict[str, bytes] = {}
        unsigned: dict[str, bytes] = {}
        for path in sorted(folder.glob("*.pub")):
            found = OperatorFile.read(path)
            if found.key not in former:
                (keys if found.signed_under(trust) else unsigned)[found.name] = found.key
        return cls(keys, unsigned=unsigned)

    @property
    def operators(self) -> dict[str, bytes]:
        """Each operator's name and public key (32 bytes), by name."""
        return dict(self._keys)

    @property
    def unsigned(self) -> dict[str, bytes]:
        """Those whose files bear no signature of the authority, as ``operators``."""
        return dict(self._unsigned)

    def verify(self, signed: SignedAct, now_ms: int, *, act: str, subject: str) -> OperatorAct:
        """Return the act if its operator signed exactly it and it is still good.

        Whether its nonce was used before is for the caller to ask, where that is remembered.

        Args:
            signed: what came in.
            now_ms: Unix time in milliseconds.
            act: what is to be done.
            subject: to what.

        Raises:
            KeyManagementError: unknown operator or not signed by the authority, bad signature,
                other act or subject, expired, good for too long, or without a reason; the message
                says which.
        """
        claimed = _checked(signed.act)
        key = self._keys.get(claimed.operator)
        if key is None and claimed.operator in self._unsigned:
            raise KeyManagementError(
                f"the city's authority has not signed the key of operator {claimed.operator}; make"
                " sure that it is this person's, and have it signed where the authority is kept:"
                f" issuance-keys operator sign {claimed.operator}"
            )
        if key is None:
            raise KeyManagementError("this operator is not known here")
        if not signature_holds(key, signed.signature, claimed.statement()):
            raise KeyManagementError("the signature under the act is not this operator's")
        if claimed.act != act:
            raise KeyManagementError(f"the operator signed another act than {act}")
        if claimed.subject != subject:
            raise KeyManagementError("the operator signed this act for another subject")
        if claimed.expires_at_ms <= now_ms:
            raise KeyManagementError("the signed act has expired; sign it again")
        if claimed.expires_at_ms > now_ms + ACT_VALID_MS_MAX:
            raise KeyManagementError("the signed act claims to be good for too long")
        return claimed

    def verify_two(
        self, first: SignedAct, second: SignedAct, now_ms: int, *, act: str, subject: str
    ) -> tuple[OperatorAct, OperatorAct]:
        """Return both acts if two operators with two keys signed the same.

        The same is act, subject, nonce and expiry; each gives a reason of their own.

        Raises:
            KeyManagementError: as ``verify``, or the two are one, or differ.
        """
        one = self.verify(first, now_ms, act=act, subject=subject)
        other = self.verify(second, now_ms, act=act, subject=subject)
        if self._keys[one.operator] == self._keys[other.operator]:
            raise KeyManagementError("this act needs two operators with keys of their own")
        if (one.nonce, one.expires_at_ms) != (other.nonce, other.expires_at_ms):
            raise KeyManagementError("the two operators did not sign the same act")
        return one, other


def _checked(act: OperatorAct) -> OperatorAct:
    """Apply the ranges, which a struct built in the process has not gone through."""
    try:
        msgspec.convert(msgspec.structs.asdict(act), OperatorAct)
    except msgspec.ValidationError as error:
        raise KeyManagementError(f"the act is not complete: {error}") from None
    if not act.reason.strip():
        raise KeyManagementError("an act needs a reason in words")
    return act


def _seal(key: SigningKey, name: str, passphrase: Secret) -> bytes:
    salt = secrets.token_bytes(_SALT_BYTES)
    box = AESGCM(_sealing_key(passphrase, salt)).encrypt(
        _ZERO_NONCE, key.seed().reveal(), _sealed_for(name)
    )
    file = _KeyFile(
        format=_FORMAT,
        operator=name,
        salt=base64.b64encode(salt).decode("ascii"),
        sealed=base64.b64encode(box).decode("ascii"),
    )
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def _sealing_key(passphrase: Secret, salt: bytes) -> bytes:
    scrypt = Scrypt(salt=salt, length=_SEALING_KEY_BYTES, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P)
    return scrypt.derive(passphrase.reveal())


def _sealed_for(name: str) -> bytes:
    return statement("operator-key", name)
