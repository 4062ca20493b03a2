"""Certificate authorities made for tests: a root, an intermediate below it, and servers' certificates, good and bad."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def named(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


class Authority:
    """Signs what stands below it; `parent` is None for a root."""

    def __init__(self, common: str, parent: "Authority | None" = None) -> None:
        self.key, self.name, self.parent = ec.generate_private_key(ec.SECP256R1()), named(common), parent
        signer = parent or self
        self.certificate = _sign(
            self.name, self.key, signer, 365, [(x509.BasicConstraints(ca=True, path_length=None), True)]
        )

    def context(self, folder: Path, *, chain: bool = True, **leaf: Any) -> ssl.SSLContext:
        """A server's context with a `leaf` certificate and, unless told otherwise, the intermediate behind it."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificates = [self.leaf(key, **leaf)]
        if chain and self.parent:
            certificates.append(self.certificate)
        return serving(folder, key, *certificates)

    def leaf(
        self, key: PrivateKey, *, name: str = "localhost", days: float = 30, sans: int = 0,
        self_signed: bool = False, subject: str = "", named_by_san: bool = True,
    ) -> x509.Certificate:  # fmt: skip
        """For `name` and 127.0.0.1, or for `name` alone when it is another; `sans` more names, to be cut.

        Without `named_by_san` the common name alone says for whom it is.
        """
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        if name == "localhost":
            names.append(x509.IPAddress(ip_address("127.0.0.1")))
        names += [x509.DNSName(f"{number}.example") for number in range(sans)]
        signer = _Signer(key, named(subject or name)) if self_signed else self
        extensions = [(x509.SubjectAlternativeName(names), False)] if named_by_san else []
        return _sign(named(subject or name), key, signer, days, extensions)


class _Signer:
    def __init__(self, key: PrivateKey, name: x509.Name) -> None:
        self.key, self.name = key, name


def _sign(
    subject: x509.Name, key: Any, signer: Any, days: float, extensions: list[tuple[Any, bool]]
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer.key, hashes.SHA256())


def serving(folder: Path, key: PrivateKey, *certificates: x509.Certificate) -> ssl.SSLContext:
    """A server's context that shows these certificates, the leaf first."""
    path = folder / f"{uuid4()}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pem(*certificates) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
