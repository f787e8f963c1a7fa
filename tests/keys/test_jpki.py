"""The simulated JPKI: what it certifies, and everything at which a city's check says no."""

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID

from keys.jpki import JpkiAuthority, serial_of
from keys.jpki_check import CertificateFinding, CheckedCertificate, JpkiCheck
from keys.mynumber_card import MyNumberCard
from protocol.errors import KeyManagementError
from protocol.limits import CARD_CERTIFICATE_BYTES_MAX
from protocol.secret import Secret
from protocol.statements import certificate_proof

NOW = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)
PIN = Secret(b"493817260584")
BOUND: dict[str, Any] = {
    "challenge": b"c" * 32,
    "visit_id": b"v" * 16,
    "attempt": 1,
    "terminal": "7E-0001",
    "city": "272035",
}


@dataclass
class Scene:
    """An authority, what it publishes, and a card."""

    authority: JpkiAuthority
    published: Path
    card: MyNumberCard
    check: JpkiCheck

    def look(self, **changes: Any) -> CheckedCertificate:
        """Have the card sign, and check it."""
        assert self.card.present(PIN)
        asked: dict[str, Any] = {
            "certificate": self.card.certificate,
            "signature": self.card.sign(**BOUND),
            "statement": certificate_proof(**BOUND, certificate=self.card.certificate),
            "now": NOW,
        }
        asked |= changes
        return self.check.check(asked.pop("certificate"), **asked)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    authority = JpkiAuthority.create(tmp_path / "jpki", NOW)
    published = tmp_path / "trust"
    authority.publish(published, NOW)
    card = MyNumberCard.create(
        tmp_path / "a.card.json",
        holder="見本",
        pin=PIN,
        certify=lambda key: authority.issue(key, now=NOW),
    )
    return Scene(authority, published, card, JpkiCheck(published))


def test_good_certificate(scene: Scene) -> None:
    """It is good, and its serial is told; it fits the telegram."""
    serial = serial_of(scene.card.certificate)

    assert CheckedCertificate(finding=CertificateFinding.GOOD, serial=serial) == scene.look()
    assert len(scene.card.certificate) <= CARD_CERTIFICATE_BYTES_MAX


@pytest.mark.parametrize(
    "change",
    [
        {"signature": bytes(64)},
        {"signature": b"\xff" * 64},
        {"signature": b"short"},
        {"statement": b"another statement"},
        {"certificate": b""},
        {"certificate": b"\x30\x03\x02\x01\x00"},
    ],
    ids=["zeros", "ones", "short", "statement", "nothing", "no certificate"],
)
def test_bad_signature_is_forged(scene: Scene, change: dict[str, bytes]) -> None:
    """Whatever is not signed by the certificate's key is forged, and no serial is told."""
    assert CheckedCertificate(finding=CertificateFinding.FORGED) == scene.look(**change)


def test_every_bit_of_the_certificate_counts(scene: Scene) -> None:
    """The card signs the digest of its own: one with a bit changed anywhere is forged.

    The authority's signature alone would let a few bits of the encoding pass.
    """
    good = scene.card.certificate
    changed = [
        bytes([*good[:at], good[at] ^ (1 << at % 8), *good[at + 1 :]]) for at in range(len(good))
    ]
    assert scene.card.present(PIN)
    signature = scene.card.sign(**BOUND)

    assert {CertificateFinding.FORGED} == {
        scene.check.check(
            one,
            signature=signature,
            statement=certificate_proof(**BOUND, certificate=one),
            now=NOW,
        ).finding
        for one in changed
    }


def test_no_damage_is_more_than_a_refusal(scene: Scene) -> None:
    """Whatever a stranger sends in the place of a certificate is forged: no error, no warning."""
    dice, findings = random.Random(5), set()
    for _ in range(1_500):
        sent = bytearray(scene.card.certificate)
        for _ in range(dice.choice((1, 1, 2, 4, 16))):
            at = dice.randrange(len(sent))
            match dice.randrange(3):
                case 0:
                    sent[at] = dice.randrange(256)
                case 1:
                    del sent[at : at + dice.randrange(1, 20)]
                case _:
                    sent[at:at] = dice.randbytes(dice.randrange(1, 9))
            sent = sent or bytearray(b"0")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = scene.check.check(
                bytes(sent), signature=bytes(64), statement=b"statement", now=NOW
            )
        findings.add(found.finding)

    assert {CertificateFinding.FORGED} == findings


def test_other_authority(scene: Scene, tmp_path: Path) -> None:
    """A certificate of another authority with the same name is forged."""
    other = JpkiAuthority.create(tmp_path / "other", NOW)
    scene.card = MyNumberCard.create(
        tmp_path / "b.card.json",
        holder="見本",
        pin=PIN,
        certify=lambda key: other.issue(key, now=NOW),
    )

    assert CertificateFinding.FORGED is scene.look().finding


@pytest.mark.parametrize(
    ("now", "finding"),
    [
        (NOW - timedelta(seconds=1), CertificateFinding.NOT_CHECKABLE),
        (NOW + timedelta(hours=23), CertificateFinding.GOOD),
        (NOW + timedelta(days=1), CertificateFinding.NOT_CHECKABLE),
        (NOW + timedelta(days=5 * 365), CertificateFinding.EXPIRED),
        (NOW + timedelta(days=3650), CertificateFinding.NOT_CHECKABLE),
    ],
    ids=["authority not yet", "good", "list too old", "expired", "authority expired"],
)
def test_times(scene: Scene, now: datetime, finding: CertificateFinding) -> None:
    """Validity is of the authority, the certificate and the list; an old list proves nothing."""
    assert finding is scene.look(now=now).finding


def test_revoked(scene: Scene) -> None:
    """Revoked is known with the next list, without a restart."""
    scene.authority.revoke(serial_of(scene.card.certificate), NOW)
    before = scene.look().finding
    scene.authority.publish(scene.published, NOW)

    assert CertificateFinding.GOOD is before
    assert CertificateFinding.REVOKED is scene.look().finding


def test_revoking_what_was_never_issued(scene: Scene) -> None:
    """An unknown serial, and one that is revoked already, are refused."""
    serial = serial_of(scene.card.certificate)
    scene.authority.revoke(serial, NOW)

    with pytest.raises(KeyManagementError, match="revoked already"):
        scene.authority.revoke(serial, NOW)
    with pytest.raises(KeyManagementError, match="no certificate"):
        scene.authority.revoke("0" * 32, NOW)


@pytest.mark.parametrize("file", ["authority.crt", "revocations.crl"])
@pytest.mark.parametrize("content", [None, b"", b"damaged"])
def test_without_what_is_published_nothing_is_accepted(
    scene: Scene, file: str, content: bytes | None
) -> None:
    """A missing or damaged file fails closed."""
    if content is None:
        (scene.published / file).unlink()
    else:
        (scene.published / file).write_bytes(content)

    assert CertificateFinding.NOT_CHECKABLE is scene.look().finding


def test_list_of_another_authority(scene: Scene, tmp_path: Path) -> None:
    """A list that another authority signed proves nothing."""
    other = JpkiAuthority.create(tmp_path / "other", NOW)
    other.publish(tmp_path / "others", NOW)
    foreign = (tmp_path / "others" / "revocations.crl").read_bytes()
    (scene.published / "revocations.crl").write_bytes(foreign)

    assert CertificateFinding.NOT_CHECKABLE is scene.look().finding


def _usage(**changes: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    usual = dict.fromkeys(names, False) | {"digital_signature": True}
    return x509.KeyUsage(**(usual | changes))


def _made(
    authority: JpkiAuthority,
    key: Any,
    extensions: list[x509.ExtensionType],
) -> bytes:
    """Sign a certificate with the authority's key as the authority would never do it."""
    pem = (authority.folder / "authority.key").read_bytes()
    own = serialization.load_pem_private_key(pem, password=None)
    assert isinstance(own, ec.EllipticCurvePrivateKey)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.certificate.subject)
        .serial_number(5)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .public_key(key)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(own, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


_CLIENT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
_END = x509.BasicConstraints(ca=False, path_length=None)


@pytest.mark.parametrize(
    "extensions",
    [
        lambda: [x509.BasicConstraints(ca=True, path_length=None), _usage(), _CLIENT],
        lambda: [_END, _usage(digital_signature=False, key_agreement=True), _CLIENT],
        lambda: [_END, _usage(content_commitment=True), _CLIENT],
        lambda: [_END, _usage(), x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])],
        lambda: [_END, _usage()],
        lambda: [_END, _usage(), _CLIENT, x509.InhibitAnyPolicy(1)],
    ],
    ids=["authority", "agreement", "署名用", "server", "no purpose", "unknown critical"],
)
def test_certificate_for_another_use(
    scene: Scene, extensions: Callable[[], list[x509.ExtensionType]]
) -> None:
    """A certificate of the authority that is not for authentication by an end user is refused."""
    key = scene.card._key
    certificate = _made(scene.authority, key.public_key(), extensions())
    fit = _made(scene.authority, key.public_key(), [_END, _usage(), _CLIENT])
    scene.card.certificate = certificate

    assert CertificateFinding.FORGED is scene.look().finding
    scene.card.certificate = fit
    assert CertificateFinding.GOOD is scene.look().finding


@pytest.mark.parametrize(
    "key",
    [
        lambda: ec.generate_private_key(ec.SECP384R1()).public_key(),
        lambda: ed25519.Ed25519PrivateKey.generate().public_key(),
    ],
    ids=["P-384", "Ed25519"],
)
def test_key_of_another_kind(scene: Scene, key: Callable[[], Any]) -> None:
    """One curve, one algorithm: nothing is negotiated."""
    scene.card.certificate = _made(scene.authority, key(), [_END, _usage(), _CLIENT])

    assert CertificateFinding.FORGED is scene.look().finding
