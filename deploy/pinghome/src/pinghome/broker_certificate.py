"""The certificate of the broker, by an authority of the platform's own, which services and probers trust for it."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pinghome_common.clock import now
from pinghome_common.files import write_private

AUTHORITY, AUTHORITY_KEY, CERTIFICATE, KEY = "authority.pem", "authority.key", "certificate.pem", "certificate.key"
_YEARS = 10


def make(authority: Path, folder: Path, hosts: Sequence[str]) -> None:
    """Writes the broker's certificate for some DNS names, its key and its authority into a folder.

    The authority and its key are in the folder `authority`, made there the first time; probers elsewhere trust it, so
    it stays.
    """
    if not (authority / AUTHORITY_KEY).exists():
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Pinghome's broker")
        usage = dict.fromkeys(_USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
        built = _builder(name, name, key.public_key())
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        built = built.add_extension(x509.KeyUsage(**usage), critical=True)
        write_private(authority / AUTHORITY, built.sign(key, SHA256()).public_bytes(Encoding.PEM))
        write_private(authority / AUTHORITY_KEY, _private(key))
    ours = x509.load_pem_x509_certificate((authority / AUTHORITY).read_bytes())
    signer = load_pem_private_key((authority / AUTHORITY_KEY).read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)  # noqa: S101  # as it was made
    key = ec.generate_private_key(ec.SECP256R1())
    built = _builder(_name(hosts[0]), ours.subject, key.public_key())
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
    built = built.add_extension(x509.ExtendedKeyUsage(_OF_NODES), critical=False)
    built = built.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    write_private(folder / KEY, _private(key))
    write_private(folder / CERTIFICATE, built.sign(signer, SHA256()).public_bytes(Encoding.PEM))
    write_private(folder / AUTHORITY, ours.public_bytes(Encoding.PEM))


def authority_of(folder: Path) -> str:
    """The PEM of the authority of the broker whose configuration is in a folder; empty when it speaks no TLS."""
    path = folder / AUTHORITY
    return path.read_text() if path.exists() else ""


def one_line(pem: str) -> str:
    """The certificate as base64 without a line break, as a line of an environment file has to be."""
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


_OF_NODES = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
"""Nodes of a cluster are clients of each other."""


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    at = now()
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    built = built.serial_number(x509.random_serial_number())
    # A prober's clock may be a little behind.
    built = built.not_valid_before(at - timedelta(days=1)).not_valid_after(at + timedelta(days=365 * _YEARS))
    return built.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
