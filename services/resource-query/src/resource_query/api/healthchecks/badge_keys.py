"""Badge keys and signatures: how the URL of a badge names a service and a tag (contract B.7)."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from pinghome_common.secret import derive
from pinghome_common.settings import Settings


def signature(key: str, tag: str, secret: str) -> str:
    """The first 8 characters of the URL-safe base64 of a tag's HMAC-SHA1, keyed with SHA-1 of badge key and secret."""
    hmac_key = hashlib.sha1((key + secret).encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(hmac.digest(hmac_key, tag.encode(), "sha1"))[:8].decode()


@dataclass(frozen=True, slots=True)
class Signer:
    """Encrypts the ids of services as badge keys, and signs tags.

    Args:
        secret: 64 hex digits.
    """

    secret: str

    def key(self, service: UUID) -> str:
        """The badge key of a service."""
        return str(UUID(bytes=self._cipher().encryptor().update(service.bytes)))

    def service(self, key: str) -> UUID | None:
        """The service of a badge key; None if the key is malformed."""
        try:
            return UUID(bytes=self._cipher().decryptor().update(UUID(key).bytes))
        except ValueError:
            return None

    def _cipher(self) -> Cipher[ECB]:
        # An id is exactly one block and never repeats, so ECB reveals nothing.
        return Cipher(AES(bytes.fromhex(self.secret)), ECB())  # noqa: S305

    def sign(self, key: str, tag: str) -> str:
        """The signature of a tag."""
        return signature(key, tag, self.secret)

    def verify(self, key: str, tag: str, signed: str) -> bool:
        """True if `signed` is the tag's signature."""
        return hmac.compare_digest(self.sign(key, tag), signed)


def signer(settings: Settings) -> Signer:
    """The platform's signer.

    Raises:
        ValueError: there is no secret.
    """
    if not settings.badge_secret and not settings.secret_key:
        raise ValueError("set PINGHOME_SECRET_KEY: badge URLs are signed with it")
    return Signer(settings.badge_secret or derive(settings.secret_key, "badge").hex())
