"""PIN blocks open for their own attempt and nothing else, and all look alike."""

import pickle

import pytest
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey

from keys.pin_sealing import (
    _SUITE,
    PIN_BLOCK_BYTES,
    PUBLIC_KEY_BYTES,
    PinOpener,
    PinSealer,
)
from protocol.errors import KeyManagementError, Misuse, SealError
from protocol.limits import PIN_BLOCK_BYTES_MAX
from protocol.secret import Secret

INFO = b"challenge and attempt"


@pytest.fixture(scope="module")
def opener() -> PinOpener:
    """A PIN judge's key."""
    return PinOpener.generate()


@pytest.fixture(scope="module")
def sealer(opener: PinOpener) -> PinSealer:
    """A terminal's half."""
    return PinSealer(opener.public_key)


@pytest.mark.parametrize("pin", [b"0000", b"1234", b"123456", b"987654321098"])
def test_round_trip_of_constant_length(opener: PinOpener, sealer: PinSealer, pin: bytes) -> None:
    """Every PIN comes back, and every block has the one length."""
    block = sealer.seal(Secret(pin), INFO)

    assert Secret(pin) == opener.open(block, INFO)
    assert 1152 == PIN_BLOCK_BYTES == len(block) <= PIN_BLOCK_BYTES_MAX


def test_blocks_of_one_pin_differ(sealer: PinSealer) -> None:
    """Two blocks of the same PIN cannot be told to be that."""
    assert sealer.seal(Secret(b"1234"), INFO) != sealer.seal(Secret(b"1234"), INFO)


def test_another_attempt_does_not_open(opener: PinOpener, sealer: PinSealer) -> None:
    """Other info, another key or another length: the same error, without a cause."""
    block = sealer.seal(Secret(b"1234"), INFO)

    for judge, sent, info in (
        (opener, block, INFO + b"!"),
        (opener, block, b""),
        (PinOpener.generate(), block, INFO),
        (opener, block[:-1], INFO),
        (opener, block + b"\0", INFO),
        (opener, b"", INFO),
    ):
        with pytest.raises(SealError) as caught:
            judge.open(sent, info)
        assert "the seal does not open" == str(caught.value)
        assert caught.value.__cause__ is None


def test_tampered_blocks_do_not_open(opener: PinOpener, sealer: PinSealer) -> None:
    """A bit turned over anywhere, in the key's part, the PIN's or the tag, spoils the block."""
    block = sealer.seal(Secret(b"1234"), INFO)

    for place in (*range(0, PIN_BLOCK_BYTES, 37), *range(1100, PIN_BLOCK_BYTES)):
        changed = bytearray(block)
        changed[place] ^= 1 << (place % 8)
        with pytest.raises(SealError):
            opener.open(bytes(changed), INFO)


@pytest.mark.parametrize(
    "field",
    [
        b"\x041234".ljust(16, b"\0")[:-1] + b"\1",
        b"\x031234".ljust(16, b"\0"),
        b"\x05123a5".ljust(16, b"\0"),
        b"\xff" * 16,
        bytes(16),
        b"\x0d1234567890123".ljust(16, b"\0"),
    ],
)
def test_a_well_sealed_field_that_is_no_pin(opener: PinOpener, field: bytes) -> None:
    """A block that opens to something else than a padded PIN is refused all the same."""
    private = opener._private_key
    public = MLKEM768X25519PublicKey(private[0].public_key(), private[1].public_key())
    block = _SUITE.encrypt(field, public, INFO)

    with pytest.raises(SealError):
        opener.open(block, INFO)


@pytest.mark.parametrize("pin", [b"", b"123", b"1234567890123", b"12a4", "１２３４".encode()])
def test_only_pins_are_sealed(sealer: PinSealer, pin: bytes) -> None:
    """What is no PIN is our own bug, and the message does not repeat it."""
    with pytest.raises(Misuse) as caught:
        sealer.seal(Secret(pin), INFO)

    assert "a PIN has 4 to 12 digits" == str(caught.value)


def test_the_key_shows_nothing(opener: PinOpener) -> None:
    """A judge's key is neither shown nor pickled."""
    assert "PinOpener(***)" == repr(opener)
    with pytest.raises(TypeError):
        pickle.dumps(opener)


@pytest.mark.parametrize("key", [b"", bytes(PUBLIC_KEY_BYTES - 1), b"\xff" * PUBLIC_KEY_BYTES])
def test_bad_public_keys(key: bytes) -> None:
    """What is no X-Wing public key is refused when it is taken, not when it is used."""
    with pytest.raises(KeyManagementError):
        PinSealer(key)


def test_x_wing_key_expansion() -> None:
    """The first test vector of draft-connolly-cfrg-xwing-kem: both ends of the public key."""
    seed = "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"
    public_key = PinOpener(Secret(bytes.fromhex(seed))).public_key.hex()

    assert public_key.startswith("e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5")
    assert public_key.endswith("859edb06eff389b27dce59844570216223593d4ba32d9abac8cd049040ef6534")
