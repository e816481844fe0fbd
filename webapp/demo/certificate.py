"""The demo's own certificate authority, and the server certificate that it signs.

The authority's key stays in the demo's folder, so that a renewed server certificate is trusted by
whoever already trusts `ca.pem`.
"""

import datetime as dt
import ipaddress
import os
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

RENEW_BEFORE = dt.timedelta(days=30)
AUTHORITY_LASTS = dt.timedelta(days=3650)
SERVER_LASTS = dt.timedelta(days=365)
NAMES = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]


def tls_context(folder: Path, now: dt.datetime | None = None) -> ssl.SSLContext:
    """The server's side of TLS. Makes or renews what is missing or about to expire in `folder`:
    ca.pem, ca-key.pem, server.pem, server-key.pem (keys readable by their owner only)."""
    now = now or dt.datetime.now(dt.UTC)
    authority = _read(folder, "ca")
    if not _lasts(authority, now):
        authority = _make_authority(now)
        _write(folder, "ca", *authority)
    server = _read(folder, "server")
    if not _lasts(server, now) or not _signed_by(server, authority):
        _write(folder, "server", *_make_server(authority, now))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "server.pem", folder / "server-key.pem")
    return context


def _make_authority(now):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Postroom demo CA")])
    usage = _key_usage(key_cert_sign=True, crl_sign=True)
    builder = (
        _certificate(name, name, key, now, AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        # Python 3.13 verifies strictly: a CA without a key identifier is refused.
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256()), key


def _make_server(authority, now):
    ca, ca_key = authority
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = (
        _certificate(name, ca.subject, key, now, SERVER_LASTS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(NAMES), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
    )
    return builder.sign(ca_key, hashes.SHA256()), key


def _certificate(subject, issuer, key, now, lasts):
    return (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(**granted):
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: granted.get(name, False) for name in names})


def _lasts(pair, now) -> bool:
    return pair is not None and pair[0].not_valid_before_utc <= now and now + RENEW_BEFORE < pair[0].not_valid_after_utc


def _signed_by(server, authority) -> bool:
    try:
        server[0].verify_directly_issued_by(authority[0])
    except Exception:  # cryptography raises ValueError, TypeError or InvalidSignature; each means: make a new one
        return False
    return True


def _read(folder: Path, name: str):
    """(certificate, key), or None when one of the two is missing or damaged."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
        key = serialization.load_pem_private_key((folder / f"{name}-key.pem").read_bytes(), password=None)
    except (OSError, ValueError):
        return None
    return (certificate, key) if certificate.public_key() == key.public_key() else None


def _write(folder: Path, name: str, certificate, key) -> None:
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
    _write_file(folder / f"{name}-key.pem", private, 0o600)
    _write_file(folder / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _write_file(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all: a start that is killed half-way must not leave half a key."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    os.replace(fresh, path)
