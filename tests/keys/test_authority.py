"""The line authority and the key certificates that it makes."""

import hashlib
import ssl
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from keys.authority import Authority, KeyCertificate
from keys.key_certificate import peer_of, public_key_of, read_certificate
from keys.storage_key import StorageKey
from protocol.errors import KeyManagementError

LINE_ID = bytes.fromhex("00112233445566aa")


def test_a_terminal_and_its_line_are_named(authority: Authority, not_before: datetime) -> None:
    """The certificate names terminal and line as URIs, for client authentication only."""
    made = authority.issue_terminal("T-0001", LINE_ID, not_before=not_before, days=30)
    names = made.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    usage = made.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)

    assert ["kofu:terminal:T-0001", "kofu:line:00112233445566aa"] == (
        names.value.get_values_for_type(x509.UniformResourceIdentifier)
    )
    assert [ExtendedKeyUsageOID.CLIENT_AUTH] == list(usage.value)
    assert ("T-0001", LINE_ID) == (made.names.name, made.names.line_id)
    assert timedelta(days=30) == made.not_after - made.certificate.not_valid_before_utc


def test_a_server_is_named_by_its_city(authority: Authority, not_before: datetime) -> None:
    """The certificate names the city as a URI, for server authentication only."""
    made = authority.issue_server("272035", not_before=not_before)
    usage = made.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)

    assert [ExtendedKeyUsageOID.SERVER_AUTH] == list(usage.value)
    assert ("272035", b"") == (made.names.name, made.names.line_id)


def test_the_authority_signed_it(authority: Authority, not_before: datetime) -> None:
    """The certificate verifies under the authority's, which may sign one level and no more."""
    made = authority.issue_server("272035", not_before=not_before)
    own = read_certificate(authority.certificate_pem)
    constraints = own.extensions.get_extension_for_class(x509.BasicConstraints).value

    made.certificate.verify_directly_issued_by(own)
    assert (True, 0) == (constraints.ca, constraints.path_length)


def test_fingerprint_and_public_key(authority: Authority, not_before: datetime) -> None:
    """The fingerprint is SHA-256 of the DER form; the public key is the private key's."""
    made = authority.issue_terminal("T-0001", LINE_ID, not_before=not_before)
    der = made.certificate.public_bytes(serialization.Encoding.DER)

    assert hashlib.sha256(der).digest() == made.fingerprint
    assert made.signing_key.public_key == made.public_key


def test_round_trips(tmp_path: Path, authority: Authority, not_before: datetime) -> None:
    """Authority and key certificate come back from their files."""
    storage_key = StorageKey.generate()
    own = Authority.generate("131016", not_before=not_before)
    own.save(tmp_path, storage_key, not_before)
    loaded = Authority.load(tmp_path, storage_key)
    made = authority.issue_server("272035", not_before=not_before)
    made.save(tmp_path, "line")

    assert (own.city, own.certificate_pem) == (loaded.city, loaded.certificate_pem)
    assert own.signing_key.public_key == loaded.signing_key.public_key
    assert made == KeyCertificate.load(tmp_path, "line")
    assert 0o100600 == (tmp_path / "line.key").stat().st_mode


def test_nothing_is_overwritten(tmp_path: Path, authority: Authority, not_before: datetime) -> None:
    """A second key certificate does not take the place of the first."""
    made = authority.issue_server("272035", not_before=not_before)
    made.save(tmp_path, "line")

    with pytest.raises(KeyManagementError, match="exists already"):
        made.save(tmp_path, "line")


def test_key_and_certificate_must_be_a_pair(
    tmp_path: Path, authority: Authority, not_before: datetime
) -> None:
    """A key with another's certificate is refused on loading."""
    for name in ("a", "b"):
        authority.issue_server("272035", not_before=not_before).save(tmp_path, name)
    (tmp_path / "a.crt").write_bytes((tmp_path / "b.crt").read_bytes())

    with pytest.raises(KeyManagementError, match="not of one pair"):
        KeyCertificate.load(tmp_path, "a")


@pytest.mark.parametrize(
    ("terminal_id", "line_id"),
    [("", LINE_ID), ("a/b", LINE_ID), ("T" * 33, LINE_ID), ("-x", LINE_ID), ("T-1", b"short")],
)
def test_bad_names(
    authority: Authority, not_before: datetime, terminal_id: str, line_id: bytes
) -> None:
    """An id that could not be a file name or a topic is not certified."""
    with pytest.raises(KeyManagementError):
        authority.issue_terminal(terminal_id, line_id, not_before=not_before)


def test_the_private_key_is_not_shown(authority: Authority, not_before: datetime) -> None:
    """The repr of a key certificate and of an authority has nothing of a private key."""
    made = authority.issue_server("272035", not_before=not_before)
    body = made.private_key_pem.reveal().decode().splitlines()[1]

    assert body not in repr(made)
    assert "SigningKey(***)" in repr(authority)


def test_an_authority_names_nobody(authority: Authority) -> None:
    """The authority's own certificate is no end of a line."""
    with pytest.raises(KeyManagementError, match="names nobody"):
        peer_of(read_certificate(authority.certificate_pem))


@pytest.mark.parametrize(
    ("good", "bad"),
    [("a003020102", "a003020112"), ("06032b6570032100", "06032b656f032100")],
    ids=["version 19", "a key of another algorithm"],
)
def test_a_certificate_of_another_world_is_refused(
    authority: Authority, good: str, bad: str
) -> None:
    """One changed byte, as fuzzing found it; the sentence is the same as for any damage."""
    der = read_certificate(authority.certificate_pem).public_bytes(serialization.Encoding.DER)
    changed = der.replace(bytes.fromhex(good), bytes.fromhex(bad))
    assert der != changed

    with pytest.raises(KeyManagementError, match="damaged"):
        public_key_of(read_certificate(ssl.DER_cert_to_PEM_cert(changed).encode()))
