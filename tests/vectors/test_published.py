"""The primitives that our code uses give the values that their specifications publish."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA3_256, SHA256, Hash
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from issuance_server.core.audit_tree import AuditTree
from keys.day_keys import DayKeys
from keys.key_record import KeyRecord, Naming, Purpose, write_record
from keys.pin_sealing import PinOpener
from keys.signing import SigningKey
from keys.storage_key import StorageKey
from protocol.errors import KeyManagementError
from protocol.secret import Secret
from protocol.statements import signature_holds
from tests.vectors.reading import flipped, octets, vector

MLKEM_CIPHERTEXT_BYTES = 1_088
MLKEM_PUBLIC_BYTES = 1_184
X25519_BYTES = 32
X_WING_LABEL = rb"\.//^" + b"\\"
"""The label of the combiner (draft-connolly-cfrg-xwing-kem): a picture of an X-wing."""

KDFS = {0x0001: KDF.HKDF_SHA256, 0x0011: KDF.SHAKE256}


def published(name: str) -> list[dict[str, Any]]:
    """Return the vectors of one file, byte strings undone."""
    found: list[dict[str, Any]] = vector(f"published/{name}")["vectors"]
    return found


def test_every_file_names_its_source() -> None:
    """A published file says what it is and where its values come from."""
    files = sorted((Path(__file__).parent / "published").glob("*.json"))

    assert 8 == len(files)
    for file in files:
        content = vector(f"published/{file.stem}")
        assert {"description", "source", "vectors"} == content.keys()
        assert all(isinstance(content[key], str) for key in ("description", "source"))


@pytest.mark.parametrize("case", published("x_wing"))
def test_x_wing(case: dict[str, str]) -> None:
    """The PIN judge's key expands as in the draft, and decapsulates to the draft's secret."""
    opener = PinOpener(Secret(octets(case["sk"])))
    ciphertext = octets(case["ct"])
    ephemeral = X25519PrivateKey.from_private_bytes(octets(case["eseed"])[X25519_BYTES:])

    assert ephemeral.public_key().public_bytes_raw() == ciphertext[MLKEM_CIPHERTEXT_BYTES:]
    assert case["seed"] == case["sk"]
    assert case["pk"] == opener.public_key.hex()
    assert case["ss"] == decapsulated(opener, ciphertext).hex()
    assert case["ss"] != decapsulated(opener, flipped(ciphertext, 500)).hex()


def decapsulated(opener: PinOpener, ciphertext: bytes) -> bytes:
    """Decapsulate as the draft says: SHA3-256 over both secrets, the X25519 part and the label."""
    mlkem, x25519 = opener._private_key
    x25519_ciphertext = ciphertext[MLKEM_CIPHERTEXT_BYTES:]
    combined = Hash(SHA3_256())
    combined.update(mlkem.decapsulate(ciphertext[:MLKEM_CIPHERTEXT_BYTES]))
    combined.update(x25519.exchange(X25519PublicKey.from_public_bytes(x25519_ciphertext)))
    combined.update(x25519_ciphertext + opener.public_key[MLKEM_PUBLIC_BYTES:] + X_WING_LABEL)
    return combined.finalize()


@pytest.mark.parametrize("case", published("hpke_pq_x_wing"))
def test_hpke_with_x_wing(case: dict[str, Any]) -> None:
    """KEM and key schedule of the library that seals PIN blocks are those of the HPKE draft.

    The library seals without associated data, which every published encryption has. So the
    published key seals once more without any, and the library must open that.
    """
    opener = PinOpener(Secret(octets(case["skRm"])))
    suite = Suite(KEM.MLKEM768_X25519, KDFS[case["kdf_id"]], AEAD.CHACHA20_POLY1305)
    private_key = MLKEM768X25519PrivateKey(*opener._private_key)
    encapsulated, info = octets(case["enc"]), octets(case["info"])
    cipher = ChaCha20Poly1305(octets(case["key"]))
    sealed = encapsulated + cipher.encrypt(octets(case["base_nonce"]), b"once more", None)

    assert case["pkRm"] == opener.public_key.hex()
    assert case["shared_secret"] == decapsulated(opener, encapsulated).hex()
    assert b"once more" == suite.decrypt(sealed, private_key, info)
    for published_one in case["encryptions"]:
        nonce, aad = octets(published_one["nonce"]), octets(published_one["aad"])
        sealed_one = cipher.encrypt(nonce, octets(published_one["pt"]), aad)
        assert published_one["ct"] == sealed_one.hex()
    for refused, refused_info in ((flipped(sealed, 7), info), (sealed, flipped(info, 0))):
        with pytest.raises(InvalidTag):
            suite.decrypt(refused, private_key, refused_info)


@pytest.mark.parametrize("case", published("hkdf_sha256"), ids=lambda case: case["name"])
def test_hkdf(case: dict[str, Any]) -> None:
    """Extract gives the published key, and expand, which our key schedule uses, its output."""
    info, prk = octets(case["info"]), octets(case["prk"])

    assert prk == HKDF.extract(SHA256(), octets(case["salt"]), octets(case["ikm"]))
    for key, agrees in ((prk, True), (flipped(prk, 0), False)):
        expand = HKDFExpand(algorithm=SHA256(), length=case["length"], info=info)
        assert agrees == (case["okm"] == expand.derive(key).hex())


@pytest.mark.parametrize("case", published("aes_key_wrap"), ids=lambda case: case["name"])
def test_aes_key_wrap(case: dict[str, str], tmp_path: Path) -> None:
    """A day key wraps as published, and a changed wrapped key does not unwrap."""
    day = "2026-03-02"
    kek, key_data, wrapped = (octets(case[name]) for name in ("kek", "key_data", "wrapped"))
    storage_key = StorageKey.generate()
    named = Naming(number=1, at=datetime.now(UTC), key_id=day)
    write_record(tmp_path, KeyRecord.make(Purpose.DAY, Secret(kek), storage_key, named=named))
    day_keys = DayKeys(tmp_path, storage_key)

    assert wrapped == aes_key_wrap(kek, key_data) == day_keys.wrap(day, Secret(key_data))
    assert Secret(key_data) == day_keys.unwrap(day, wrapped)
    with pytest.raises(InvalidUnwrap):
        aes_key_unwrap(kek, flipped(wrapped, 9))
    with pytest.raises(KeyManagementError):
        day_keys.unwrap(day, flipped(wrapped, 9))


def test_merkle_roots() -> None:
    """The audit tree has the reference root after every leaf, and no other leaf gives it."""
    tree = AuditTree()
    for case in published("merkle_roots"):
        before = AuditTree(tree.size, tree.frontier)
        before.append(octets(case["leaf"]) + b"\0")
        tree.append(octets(case["leaf"]))

        assert (case["size"], case["root"]) == (tree.size, tree.root().hex())
        assert case["root"] != before.root().hex()


@pytest.mark.parametrize("case", published("ed25519"), ids=lambda case: case["name"])
def test_ed25519(case: dict[str, str]) -> None:
    """A seed gives the published key and signature, and a changed signature does not hold."""
    key = SigningKey.from_seed(Secret(octets(case["seed"])))
    public_key, message, signature = (
        octets(case[name]) for name in ("public_key", "message", "signature")
    )

    assert public_key == key.public_key
    assert signature == key.sign(message)
    assert signature_holds(public_key, signature, message)
    assert not signature_holds(public_key, flipped(signature, 5), message)
    assert not signature_holds(public_key, signature, message + b"\0")


@pytest.mark.parametrize("case", published("aes_256_gcm"), ids=lambda case: case["name"])
def test_aes_256_gcm(case: dict[str, str]) -> None:
    """The AEAD seals as published, and a changed tag, nonce or associated data does not open."""
    cipher = AESGCM(octets(case["key"]))
    nonce, aad = octets(case["iv"]), octets(case["aad"])
    sealed = octets(case["ciphertext"]) + octets(case["tag"])

    assert sealed == cipher.encrypt(nonce, octets(case["plaintext"]), aad)
    assert case["plaintext"] == cipher.decrypt(nonce, sealed, aad).hex()
    for changed in (
        (nonce, flipped(sealed, -1), aad),
        (flipped(nonce, 0), sealed, aad),
        (nonce, sealed, aad + b"\0"),
    ):
        with pytest.raises(InvalidTag):
            cipher.decrypt(*changed)


@pytest.mark.parametrize(
    "case",
    published("aes_256_gcm_wycheproof"),
    ids=lambda case: f"{case['name']} {case['comment']}".strip(),
)
def test_aes_256_gcm_of_project_wycheproof(case: dict[str, Any]) -> None:
    """Valid encryptions are made and opened as published; manipulated tags never open."""
    cipher = AESGCM(octets(case["key"]))
    nonce, aad, plaintext = octets(case["iv"]), octets(case["aad"]), octets(case["plaintext"])
    sealed = octets(case["ciphertext"]) + octets(case["tag"])

    if case["result"] == "valid":
        assert sealed == cipher.encrypt(nonce, plaintext, aad)
        assert plaintext == cipher.decrypt(nonce, sealed, aad)
    else:
        assert sealed != cipher.encrypt(nonce, plaintext, aad)
        with pytest.raises(InvalidTag):
            cipher.decrypt(nonce, sealed, aad)
