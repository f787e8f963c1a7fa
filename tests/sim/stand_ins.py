"""What stands in the place of cryptography, handshakes and rendering, so that a world costs little.

Each is held against the real part by ``test_stand_ins.py``: the same accepted, the same refused.

- Signatures: a digest over key and statement, in place of Ed25519. Public and private key are one.
- PIN blocks: bound to their ``info`` and damaged by any change, in place of HPKE.
- Handshakes: ``tests.protocol.stand_in``, with fresh bytes from the dice, in place of TLS 1.3.
- Certificates: one line of text for each sheet, which names its holder, in place of a PDF.
- Sizes: pieces and padding of sealed certificates are small. The seals themselves are real.
- Day keys: wrapped with real AES key wrap, kept in a dictionary in place of a folder.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

import issuance_server.adapters.pin_judge.judge
import issuance_server.core.state
import protocol.codec
import protocol.padding
import protocol.sealed_certificate
import terminal_sim.core.issuance_desk
import terminal_sim.desk_work
import terminal_sim.machine
from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.core.tables.reading import read_tables
from keys.operators import OperatorAct, SignedAct
from keys.pepper import Pepper
from protocol.errors import KeyManagementError, MalformedTelegram, SealError
from protocol.handshake_port import Peer, Role
from protocol.secret import Secret
from protocol.telegrams import PieceGiven
from tests.protocol.stand_in import StandInPort

PIECE_BYTES = 1_024
SEALED_BASE_BYTES = 512
SEALED_SHEET_BYTES = 512
PIECE_BUCKET_BYTES = 2_048
_PIN_FIELD_BYTES = 16
_TAG_BYTES = 16
_KEY_BYTES = 32

Draw = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class StandInKey:
    """Signs; whoever knows the public key could sign as well, and in here nobody does."""

    public_key: bytes

    def sign(self, signed: bytes) -> bytes:
        """Return 64 bytes."""
        return hashlib.sha512(self.public_key + signed).digest()


def signature_holds(public_key: bytes, signature: bytes, signed: bytes) -> bool:
    """Tell whether a signature is good."""
    return hashlib.sha512(public_key + signed).digest() == signature


@dataclass(frozen=True, slots=True)
class StandInSealer:
    """Seals PINs."""

    draw: Draw

    def seal(self, pin: Secret, info: bytes) -> bytes:
        """Return a block that opens for this ``info`` only."""
        nonce = self.draw(_TAG_BYTES)
        field_ = bytes([len(pin)]) + pin.reveal()
        mask = hashlib.sha256(nonce + b"mask").digest()[:_PIN_FIELD_BYTES]
        body = bytes(
            a ^ b for a, b in zip(field_.ljust(_PIN_FIELD_BYTES, b"\0"), mask, strict=True)
        )
        return nonce + body + _tag(nonce + body, info)


class StandInOpener:
    """Opens them."""

    def open(self, block: bytes, info: bytes) -> Secret:
        """Return the digits.

        Raises:
            SealError: whatever is wrong.
        """
        sealed, tag = block[:-_TAG_BYTES], block[-_TAG_BYTES:]
        if len(block) != 3 * _TAG_BYTES or tag != _tag(sealed, info):
            raise SealError
        nonce, body = sealed[:_TAG_BYTES], sealed[_TAG_BYTES:]
        mask = hashlib.sha256(nonce + b"mask").digest()[:_PIN_FIELD_BYTES]
        plain = bytes(a ^ b for a, b in zip(body, mask, strict=True))
        return Secret(plain[1 : 1 + plain[0]])


def _tag(sealed: bytes, info: bytes) -> bytes:
    return hashlib.sha256(sealed + info).digest()[:_TAG_BYTES]


class Peppers:
    """One pepper, for ever."""

    def __init__(self, secret: bytes) -> None:
        self._pepper = Pepper(key_id="pepper-1", secret=Secret(secret))
        self.key_ids = frozenset({"pepper-1"})

    def newest(self) -> Pepper:
        """Return it."""
        return self._pepper

    def accepted(self) -> list[Pepper]:
        """Return it."""
        return [self._pepper]


class StandInRing:
    """Operators' signatures: all are good in here; what is signed is looked at as in earnest."""

    operators: ClassVar = {"mado-1": b"1", "mado-2": b"2"}

    @classmethod
    def load(cls, _folder: Any, _trust: Any = None) -> "StandInRing":
        """Return the ring."""
        return cls()

    def verify(self, signed: SignedAct, now_ms: int, *, act: str, subject: str) -> OperatorAct:
        """Return the act."""
        if (signed.act.act, signed.act.subject) != (act, subject) or (
            signed.act.expires_at_ms <= now_ms
        ):
            raise KeyManagementError("another act, or too late")
        return signed.act

    def verify_two(
        self, first: SignedAct, second: SignedAct, now_ms: int, *, act: str, subject: str
    ) -> tuple[OperatorAct, OperatorAct]:
        """Return both acts."""
        one = self.verify(first, now_ms, act=act, subject=subject)
        return one, self.verify(second, now_ms, act=act, subject=subject)


@dataclass(slots=True)
class JudgeKeysHere:
    """What the judge holds."""

    city: str
    peppers: Peppers
    verdict: StandInKey
    pin_opener: StandInOpener = field(default_factory=StandInOpener)
    jpki: None = None
    trust: None = None


class DayKeysHere:
    """Day keys on a disk that never forgets; a key that was destroyed is gone at once."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._keys: dict[str, bytes] = {}

    def wrap(self, day: str, data_key: Secret) -> bytes:
        """Wrap under the day's key, made at the first call."""
        key = self._keys.get(day)
        if key is None:
            key = self._keys[day] = self._draw(_KEY_BYTES)
        return aes_key_wrap(key, data_key.reveal())

    def unwrap(self, day: str, wrapped: bytes) -> Secret:
        """Return the data key.

        Raises:
            KeyManagementError: the day's key is gone, or is another.
        """
        if day not in self._keys:
            raise KeyManagementError(f"there is no key of {day}")
        try:
            return Secret(aes_key_unwrap(self._keys[day], wrapped))
        except InvalidUnwrap:
            raise KeyManagementError("wrapped under another key") from None

    def destroy(self, day: str) -> None:
        """Destroy a day's key."""
        self._keys.pop(day, None)

    def days(self) -> tuple[str, ...]:
        """Return the days whose keys exist."""
        return tuple(sorted(self._keys))


class DrawnEntropy:
    """Entropy of the server, from the dice."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def draw(self, count: int) -> Secret:
        """Return so many bytes."""
        return Secret(self._draw(count))


def port(role: Role, shows: Peer, draw: Draw, trusts: bytes | None = None) -> StandInPort:
    """Return one end of handshakes, with fresh bytes from the dice."""
    return StandInPort(role=role, shows=shows, trusts=trusts, started=int.from_bytes(draw(7)) << 32)


def sheet_text(order: CertificateOrder, copy: int, sheet: int, sheets: int) -> bytes:
    """Return what a sheet shows: whose, under which number, which of how many, and the address."""
    shown = [
        order.holder_id,
        order.issuance_id.hex(),
        order.numbers[copy],
        sheet,
        sheets,
        order.household.address,
    ]
    return json.dumps(shown).encode()


def sheets_of(issuance_id: bytes) -> int:
    """Return how many sheets a copy has: one or two, whatever is asked for."""
    return 1 + issuance_id[0] % 2


def rendered(order: CertificateOrder) -> Rendered:
    """Make a certificate."""
    each = sheets_of(order.issuance_id)
    lines = [
        sheet_text(order, copy, sheet, each)
        for copy in range(len(order.numbers))
        for sheet in range(1, each + 1)
    ]
    pdf = b"\n".join(lines)
    return Rendered(
        pdf=pdf, sheets=len(lines), sheets_per_copy=each, sheet_digests=page_digests(pdf)
    )


def page_digests(pdf: bytes) -> tuple[bytes, ...]:
    """Return the digest of every page.

    Raises:
        MalformedTelegram: it is no certificate.
    """
    lines = pdf.split(b"\n")
    if not all(line.startswith(b'["') for line in lines):
        raise MalformedTelegram("$.pdf")
    return tuple(hashlib.sha256(line).digest() for line in lines)


def gate(order: CertificateOrder, made: Rendered, *, deep: bool) -> str | None:
    """Look at what a renderer made, as ``certificates.gate`` does: is it what was ordered?"""
    return None if made.pdf == rendered(order).pdf else "other-document"


class _NodeSecrets:
    """``secrets`` for terminals: from the dice of the node that is running."""

    def __init__(self, draw: Draw) -> None:
        self.token_bytes = draw


def _sizes() -> Iterator[tuple[ModuleType, str, int]]:
    yield protocol.sealed_certificate, "PIECE_BYTES", PIECE_BYTES
    yield protocol.sealed_certificate, "SEALED_BASE_BYTES", SEALED_BASE_BYTES
    yield protocol.sealed_certificate, "SEALED_SHEET_BYTES", SEALED_SHEET_BYTES
    yield terminal_sim.core.issuance_desk, "PIECE_BYTES", PIECE_BYTES


def _that_verify() -> list[ModuleType]:
    """Return every module of the product that verifies signatures."""
    return [
        module
        for name, module in sorted(sys.modules.items())
        if name.partition(".")[0] in _PRODUCT and hasattr(module, "signature_holds")
    ]


_PRODUCT = frozenset({"protocol", "keys", "issuance_server", "terminal_sim"})
_cache: dict[bytes, Any] = {}


def _read_tables(content: bytes) -> Any:
    """Read a city's tables once for all worlds; they are values."""
    if content not in _cache:
        _cache[content] = read_tables(content)
    return _cache[content]


@contextmanager
def in_place(draw: Draw) -> Iterator[None]:
    """Put the stand-ins in place while the block runs.

    Args:
        draw: gives random bytes to terminals.
    """
    judge: ModuleType = issuance_server.adapters.pin_judge.judge
    replaced: Sequence[tuple[Any, str, Any]] = (
        *_sizes(),
        *((module, "signature_holds", signature_holds) for module in _that_verify()),
        (judge, "OperatorRing", StandInRing),
        (terminal_sim.desk_work, "page_digests", page_digests),
        (terminal_sim.desk_work, "secrets", _NodeSecrets(draw)),
        (terminal_sim.machine, "secrets", _NodeSecrets(draw)),
        (issuance_server.core.state, "read_tables", _read_tables),
    )
    with pytest.MonkeyPatch.context() as patch:
        for place, name, value in replaced:
            patch.setattr(place, name, value)
        floors: dict[Any, int] = dict(protocol.padding.BUCKET_FLOOR_BYTES)
        floors[PieceGiven] = PIECE_BUCKET_BYTES
        patch.setattr(protocol.codec, "BUCKET_FLOOR_BYTES", floors)
        yield
