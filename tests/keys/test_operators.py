"""Operators: keys under a passphrase, and acts that are good for one thing, once, for a while."""

import copy
import pickle
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from keys.authority import Authority
from keys.operator_files import OperatorFile, sign_operator
from keys.operators import ACT_VALID_MS_MAX, Operator, OperatorRing, SignedAct
from keys.trust import CityTrust
from protocol.errors import KeyManagementError
from protocol.secret import Secret

PASSPHRASE = Secret(b"CANARY correct horse")
NOW_MS = 1_764_000_000_000
NONCE = bytes(range(16))

AUTHORITY = Authority.generate("272035", not_before=datetime(2026, 1, 1, tzinfo=UTC))
TRUST = CityTrust(city="272035", authority_certificate=AUTHORITY.certificate_pem, keys=())

Folder = tuple[Path, Operator, Operator]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder with two operators."""
    folder = tmp_path_factory.mktemp("operators")
    hana = Operator.create(folder, "hana", PASSPHRASE, AUTHORITY)
    return folder, hana, Operator.create(folder, "taro", PASSPHRASE, AUTHORITY)


@pytest.fixture(scope="module")
def ring(made: Folder) -> OperatorRing:
    """The ring that knows both."""
    return OperatorRing.load(made[0], TRUST)


def unlock_card(operator: Operator, **changes: object) -> SignedAct:
    """Sign the act of these tests, with changes."""
    wanted: dict[str, object] = {
        "act": "card.unlock",
        "subject": "card-7",
        "reason": "holder came to the counter",
        "nonce": NONCE,
        "expires_at_ms": NOW_MS + 60_000,
    }
    return operator.sign(**(wanted | changes))  # type: ignore[arg-type]  # a test's table


def test_a_signed_act_verifies(made: Folder, ring: OperatorRing) -> None:
    """The ring returns the act that was signed, also after it went through MessagePack."""
    signed = unlock_card(made[1])
    sent = msgspec.msgpack.decode(msgspec.msgpack.encode(signed), type=SignedAct)

    act = ring.verify(sent, NOW_MS, act="card.unlock", subject="card-7")

    assert signed.act == act
    assert "hana" == act.operator


def test_unlocking_gives_the_same_key(made: Folder) -> None:
    """The key file opens with its passphrase, and the signatures are the same."""
    unlocked = Operator.unlock(made[0] / "hana.key", PASSPHRASE)

    assert "hana" == unlocked.name
    assert unlock_card(made[1]) == unlock_card(unlocked)


def test_another_passphrase_does_not_open(made: Folder) -> None:
    """The error shows neither passphrase."""
    with pytest.raises(KeyManagementError, match="does not open") as caught:
        Operator.unlock(made[0] / "hana.key", Secret(b"CANARY wrong horse"))

    assert "CANARY" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_renamed_key_does_not_open(made: Folder, tmp_path: Path) -> None:
    """The operator's name is sealed in, so nobody can pass a key off as another's."""
    path = tmp_path / "taro.key"
    path.write_bytes((made[0] / "hana.key").read_bytes().replace(b'"hana"', b'"taro"'))
    path.chmod(0o600)

    with pytest.raises(KeyManagementError, match="does not open"):
        Operator.unlock(path, PASSPHRASE)


@pytest.mark.parametrize("garbage", [b"", b"{}", b"CANARY", b'{"format": 1}'])
def test_garbage_is_no_key_file(tmp_path: Path, garbage: bytes) -> None:
    """The error names the file and nothing of its content."""
    path = tmp_path / "a.key"
    path.write_bytes(garbage)
    path.chmod(0o600)

    with pytest.raises(KeyManagementError, match="not an operator's key file") as caught:
        Operator.unlock(path, PASSPHRASE)
    assert "CANARY" not in str(caught.value).replace(str(path), "")


def test_files(made: Folder) -> None:
    """The key file is private and holds no key in the clear."""
    text = (made[0] / "hana.key").read_bytes()

    assert 0o100600 == (made[0] / "hana.key").stat().st_mode
    assert made[1]._key.seed().reveal() not in text
    assert made[1]._key.seed().reveal().hex().encode() not in text
    assert b"CANARY" not in text


def test_nothing_is_overwritten(made: Folder) -> None:
    """A name is given once."""
    with pytest.raises(KeyManagementError, match="exists already"):
        Operator.create(made[0], "hana", PASSPHRASE, AUTHORITY)


@pytest.mark.parametrize(
    ("name", "passphrase"),
    [("../x", b"long enough"), ("", b"long enough"), ("x", b"short"), ("x", bytes(1025))],
)
def test_bad_names_and_passphrases(tmp_path: Path, name: str, passphrase: bytes) -> None:
    """Neither a name that leaves the folder nor a passphrase out of range makes a key."""
    with pytest.raises(KeyManagementError):
        Operator.create(tmp_path, name, Secret(passphrase), AUTHORITY)

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("act", "subject", "now_ms", "why"),
    [
        ("city.reopen", "card-7", NOW_MS, "another act"),
        ("card.unlock", "card-8", NOW_MS, "another subject"),
        ("card.unlock", "card-7", NOW_MS + 60_000, "expired"),
        ("card.unlock", "card-7", NOW_MS + 60_000 - ACT_VALID_MS_MAX - 1, "too long"),
    ],
)
def test_what_an_act_is_not_good_for(
    made: Folder, ring: OperatorRing, act: str, subject: str, now_ms: int, why: str
) -> None:
    """Another act, another subject, too late, too early: each is refused with its reason."""
    with pytest.raises(KeyManagementError, match=why):
        ring.verify(unlock_card(made[1]), now_ms, act=act, subject=subject)


def test_unknown_operator(made: Folder, tmp_path: Path, ring: OperatorRing) -> None:
    """Whoever is not in the ring is unknown; a ring without a folder knows nobody."""
    stranger = Operator.create(tmp_path, "jiro", PASSPHRASE, AUTHORITY)

    with pytest.raises(KeyManagementError, match="not known"):
        ring.verify(unlock_card(stranger), NOW_MS, act="card.unlock", subject="card-7")
    assert {} == OperatorRing.load(tmp_path / "none", TRUST).operators


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "another reason"},
        {"operator": "taro"},
        {"nonce": bytes(16)},
        {"expires_at_ms": NOW_MS + 60_001},
        {"subject": "card-8"},
    ],
)
def test_a_changed_act_is_not_signed(
    made: Folder, ring: OperatorRing, change: dict[str, object]
) -> None:
    """Every field is under the signature."""
    signed = unlock_card(made[1])
    forged = SignedAct(
        act=msgspec.structs.replace(signed.act, **change), signature=signed.signature
    )

    with pytest.raises(KeyManagementError, match="signature"):
        ring.verify(forged, NOW_MS, act="card.unlock", subject=forged.act.subject)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_an_act_needs_a_reason(made: Folder, reason: str) -> None:
    """No reason, a blank one and one that is too long are refused before anything is signed."""
    with pytest.raises(KeyManagementError, match="reason"):
        unlock_card(made[1], reason=reason)


def test_two_operators(made: Folder, ring: OperatorRing) -> None:
    """Two keys over the same act count as two people; each has a reason of their own."""
    first, second = unlock_card(made[1]), unlock_card(made[2], reason="I saw the identity card")

    acts = ring.verify_two(first, second, NOW_MS, act="card.unlock", subject="card-7")

    assert ("hana", "taro") == tuple(act.operator for act in acts)


def test_one_operator_is_not_two(made: Folder, ring: OperatorRing) -> None:
    """The same key twice, or two acts with other nonces, are no act of two people."""
    hana, taro = unlock_card(made[1]), unlock_card(made[2], nonce=bytes(16))

    with pytest.raises(KeyManagementError, match="two operators"):
        ring.verify_two(hana, hana, NOW_MS, act="card.unlock", subject="card-7")
    with pytest.raises(KeyManagementError, match="same act"):
        ring.verify_two(hana, taro, NOW_MS, act="card.unlock", subject="card-7")


def test_one_key_under_two_names_is_not_two(made: Folder) -> None:
    """A ring in which one key has two names does not make two people of it."""
    _, hana, _ = made
    double = Operator("taro", hana._key)
    ring = OperatorRing({"hana": hana.public_key, "taro": hana.public_key})

    with pytest.raises(KeyManagementError, match="two operators"):
        ring.verify_two(
            unlock_card(hana), unlock_card(double), NOW_MS, act="card.unlock", subject="card-7"
        )


def test_a_ring_file_must_be_its_own(made: Folder, tmp_path: Path) -> None:
    """A public key file under another's name is refused."""
    (tmp_path / "taro.pub").write_bytes((made[0] / "hana.pub").read_bytes())

    with pytest.raises(KeyManagementError, match="holds the key of hana"):
        OperatorRing.load(tmp_path, TRUST)


def forged(name: str, key: bytes, how: str, signature: bytes) -> OperatorFile:
    """Return a public file that the authority did not sign as it stands."""
    other = Authority.generate("272035", not_before=datetime(2026, 1, 1, tzinfo=UTC))
    elsewhere = replace(AUTHORITY, city="131016")
    return {
        "unsigned": OperatorFile(name=name, key=key),
        "damaged": OperatorFile(name=name, key=key, signature=signature[::-1]),
        "another's signature": OperatorFile(name=name, key=key, signature=signature),
        "another authority": OperatorFile.appointed(name, key, other),
        "another city": OperatorFile.appointed(name, key, elsewhere),
    }[how]


@pytest.mark.parametrize(
    "how",
    ["unsigned", "damaged", "another's signature", "another authority", "another city"],
)
def test_who_writes_a_file_is_no_operator(made: Folder, tmp_path: Path, how: str) -> None:
    """The authority appoints; whom it did not is refused by name, with the way out."""
    signature = OperatorFile.read(made[0] / "hana.pub").signature
    taro = made[2]
    (tmp_path / "taro.pub").write_bytes(forged("taro", taro.public_key, how, signature).text)
    ring = OperatorRing.load(tmp_path, TRUST)

    assert ({}, {"taro": taro.public_key}) == (ring.operators, ring.unsigned)
    with pytest.raises(KeyManagementError, match=r"operator taro; .* operator sign taro"):
        ring.verify(unlock_card(taro), NOW_MS, act="card.unlock", subject="card-7")
    sign_operator(tmp_path, "taro", AUTHORITY)
    signed = OperatorRing.load(tmp_path, TRUST)
    assert ({"taro": taro.public_key}, {}) == (signed.operators, signed.unsigned)


@pytest.mark.parametrize(
    "more", ["x", "kofu-appointed", "kofu-appointed !", "kofu-appointed AA==\n\n"]
)
def test_damaged_file_is_named(made: Folder, tmp_path: Path, more: str) -> None:
    """Neither obeyed nor passed over."""
    first = (made[0] / "hana.pub").read_text().splitlines()[0]
    (tmp_path / "hana.pub").write_text(f"{first}\n{more}\n")

    with pytest.raises(KeyManagementError, match=r"hana.pub is missing or holds no operator's key"):
        OperatorRing.load(tmp_path, TRUST)


def test_an_operator_shows_only_the_name(made: Folder) -> None:
    """An unlocked key is neither shown, pickled nor copied."""
    assert "Operator(hana)" == repr(made[1])
    with pytest.raises(TypeError):
        pickle.dumps(made[1])
    with pytest.raises(TypeError):
        copy.deepcopy(made[1])
