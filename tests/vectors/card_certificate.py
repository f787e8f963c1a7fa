"""A card's certificate of the vectors: fixed key, serial and times, signed without randomness."""

import hashlib
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERIAL = int("5a" * 16, 16)


def key(holder: str) -> ec.EllipticCurvePrivateKey:
    """Return the test key of the card or of its authority."""
    seed = hashlib.sha256(f"kofu test vectors: P-256 key of {holder}".encode()).digest()
    return ec.derive_private_key(int.from_bytes(seed, "big"), ec.SECP256R1())


@cache
def certificate() -> bytes:
    """Return the certificate in DER form."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kofu test authority")])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(name)
        .serial_number(SERIAL)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2031, 1, 1, tzinfo=UTC))
        .public_key(key("card").public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
        .sign(key("authority"), hashes.SHA256(), ecdsa_deterministic=True)
    )
    return made.public_bytes(serialization.Encoding.DER)


def signature(statement: bytes) -> bytes:
    """Return the card's signature, r and s."""
    algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    r, s = decode_dss_signature(key("card").sign(statement, algorithm))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
