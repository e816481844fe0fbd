"""A certificate authority for tests: good server certificates and every bad kind."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOCAL_NAMES = ("localhost", "127.0.0.1")


class Pair(NamedTuple):
    """Paths of a PEM certificate and its PEM key."""

    cert: str
    key: str


class Authority:
    """A new CA in `folder`. `ca_file` is its certificate (PEM), to be trusted by clients."""

    def __init__(self, folder: Path | str, name: str = "Postroom test CA"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        cert = (
            x509.CertificateBuilder().subject_name(self._name).issuer_name(self._name)
            .public_key(self._key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=400))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_CA_USAGE, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.ca_file = str(self.folder / "ca.pem")
        Path(self.ca_file).write_bytes(cert.public_bytes(serialization.Encoding.PEM))

    def issue(self, *names: str, days: tuple[float, float] = (-1, 30), label: str = "server") -> Pair:
        """A server certificate for `names` (default localhost and 127.0.0.1), valid from day a to day b from now."""
        return self._make(names or LOCAL_NAMES, days, label, issuer=self._name, signer=self._key)

    def expired(self) -> Pair:
        return self.issue(days=(-30, -1), label="expired")

    def not_yet_valid(self) -> Pair:
        return self.issue(days=(5, 30), label="future")

    def wrong_name(self) -> Pair:
        return self.issue("elsewhere.example", label="wrongname")

    def self_signed(self) -> Pair:
        """Not from this CA at all."""
        return self._make(LOCAL_NAMES, (-1, 30), "selfsigned", issuer=None, signer=None)

    def _make(self, names, days, label, issuer, signer) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or subject)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0])).not_valid_after(now + timedelta(days=days[1]))
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            # Python 3.13 and later check strictly (RFC 5280): a leaf must name the key that signed it.
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key((signer or key).public_key()), False)
        )
        cert = builder.sign(signer or key, hashes.SHA256())
        pair = Pair(str(self.folder / f"{label}.pem"), str(self.folder / f"{label}.key"))
        Path(pair.cert).write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        Path(pair.key).write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return pair


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


_CA_USAGE = x509.KeyUsage(
    digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False)
