"""Signing keys sign and show nothing; public keys are a line."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from keys.signing import PublicKeyFile, SigningKey
from protocol.errors import KeyManagementError
from protocol.secret import Secret
from protocol.statements import signature_holds, statement


@pytest.mark.parametrize(
    "made_again",
    [lambda key: SigningKey.from_seed(key.seed()), lambda key: SigningKey.from_pem(key.pem())],
)
def test_round_trip(made_again: Callable[[SigningKey], SigningKey]) -> None:
    """A key that is made again from its seed or its PEM form makes the same signatures."""
    key = SigningKey.generate()
    loaded = made_again(key)
    signed = statement("test", 1)

    assert key.public_key == loaded.public_key
    assert key.sign(signed) == loaded.sign(signed)
    assert signature_holds(loaded.public_key, loaded.sign(signed), signed)
    assert not signature_holds(loaded.public_key, loaded.sign(signed), statement("test", 2))


def test_rfc_8032_vector_1() -> None:
    """The key of RFC 8032 §7.1 TEST 1 has the public key and the signature given there."""
    seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    key = SigningKey.from_seed(Secret(bytes.fromhex(seed)))
    signature = (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )

    assert "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" == (
        key.public_key.hex()
    )
    assert signature == key.sign(b"").hex()


def test_a_key_shows_nothing() -> None:
    """Neither repr nor str nor format shows a key, and it cannot be pickled or copied deeply."""
    key = SigningKey.generate()

    assert "SigningKey(***)" == repr(key) == str(key) == f"{key}"
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.deepcopy(key)


@pytest.mark.parametrize("garbage", [b"", b"CANARY", b"-----BEGIN PRIVATE KEY-----\nQUJD\n"])
def test_garbage_is_refused_without_showing_it(garbage: bytes) -> None:
    """A damaged key is an error that tells nothing of its content."""
    with pytest.raises(KeyManagementError) as caught:
        SigningKey.from_pem(Secret(garbage))

    assert "CANARY" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("algorithm", [b"K0Vw", b"K2Vv"])
def test_a_key_of_another_kind_is_refused(algorithm: bytes) -> None:
    """One changed bit in its name gives an algorithm that nobody knows, or X448 cut short."""
    pem = SigningKey.from_seed(Secret(bytes(32))).pem().reveal()
    changed = pem.replace(b"MC4CAQAwBQYDK2Vw", b"MC4CAQAwBQYD" + algorithm)
    assert pem != changed

    with pytest.raises(KeyManagementError):
        SigningKey.from_pem(Secret(changed))


def test_public_key_line_round_trip(tmp_path: Path) -> None:
    """A public key comes back from its file, which is one line of four words."""
    written = PublicKeyFile(name="hana", key=SigningKey.generate().public_key)
    written.write(tmp_path / "hana.pub")

    assert written == PublicKeyFile.read(tmp_path / "hana.pub")
    assert (tmp_path / "hana.pub").read_text().startswith("kofu-public ed25519 hana ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kofu-public ed25519 hana",
        "kofu-public ed25519 hana ***",
        "kofu-public ed25519 hana QUJD",
        "kofu-public x-wing hana " + "A" * 43 + "=",
        "ssh-ed25519 ed25519 hana " + "A" * 43 + "=",
        "\udcff",
    ],
)
def test_public_key_garbage(tmp_path: Path, text: str) -> None:
    """What is no Ed25519 public key line is refused."""
    (tmp_path / "a.pub").write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(KeyManagementError):
        PublicKeyFile.read(tmp_path / "a.pub")
