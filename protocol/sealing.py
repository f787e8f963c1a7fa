"""Sealing (封緘) and opening (開封) of telegrams: AES-256-GCM under per-direction keys."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocol.envelope import Direction, Envelope, EnvelopeKind, pack_header
from protocol.errors import KeyManagementError, SealError
from protocol.key_schedule import DirectionKeys
from protocol.limits import TELEGRAMS_PER_GENERATION_HARD_MAX
from protocol.replay_window import ReplayWindow

_NONCE_BYTES = 12


def _nonce(base: int, counter: int) -> bytes:
    """XOR the counter into the nonce base (RFC 8446 §5.3): never the same twice."""
    return (base ^ counter).to_bytes(_NONCE_BYTES, "big")


class Sealer:
    """Seals what one side sends in one generation; owns its counter."""

    def __init__(
        self, keys: DirectionKeys, *, direction: Direction, generation: int, line_id: bytes
    ) -> None:
        self._aead = AESGCM(keys.key.reveal())
        self._nonce_base = int.from_bytes(keys.nonce_base.reveal(), "big")
        self._direction = direction
        self._generation = generation
        self._line_id = line_id
        self.next_counter = 0

    def seal(self, plaintext: bytes) -> Envelope:
        """Return the sealed envelope under the next counter.

        Raises:
            KeyManagementError: these keys have sealed as much as they may (TP-033).
        """
        counter = self.next_counter
        if counter >= TELEGRAMS_PER_GENERATION_HARD_MAX:
            raise KeyManagementError("the keys of this generation are used up")
        self.next_counter = counter + 1
        header = pack_header(
            EnvelopeKind.TELEGRAM, self._direction, self._generation, self._line_id, counter
        )
        return Envelope(
            kind=EnvelopeKind.TELEGRAM,
            direction=self._direction,
            generation=self._generation,
            line_id=self._line_id,
            counter=counter,
            body=self._aead.encrypt(_nonce(self._nonce_base, counter), plaintext, header),
        )


class Opener:
    """Opens what the peer sends in one generation; owns the replay window."""

    def __init__(self, keys: DirectionKeys) -> None:
        self._aead = AESGCM(keys.key.reveal())
        self._nonce_base = int.from_bytes(keys.nonce_base.reveal(), "big")
        self._window = ReplayWindow()

    def open(self, envelope: Envelope) -> bytes:
        """Return the plaintext and strike the counter out.

        Raises:
            CounterReplayed: the counter was used or is too old.
            SealError: anything else; no difference is shown (TP-032).
        """
        self._window.check(envelope.counter)
        try:
            plaintext = self._aead.decrypt(
                _nonce(self._nonce_base, envelope.counter), envelope.body, envelope.header
            )
        except (InvalidTag, ValueError):
            raise SealError from None
        self._window.strike(envelope.counter)
        return plaintext
