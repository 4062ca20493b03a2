"""Generates and hashes tokens, derives keys, encrypts secrets."""

import hashlib
import secrets
import string
from functools import cache
from os import urandom

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_ALPHABET = string.ascii_letters + string.digits
_NONCE = 12


def token_hash(token: str) -> bytes:
    """SHA-256 of a token; tokens are random, so a slow hash is not needed (reliability.md, overrides)."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def new_token() -> str:
    """A bearer token of 256 random bits."""
    return "ph_" + secrets.token_urlsafe(32)


def new_key(length: int) -> str:
    """A Healthchecks key: letters and digits, 32 characters for the API, 22 for pings."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def derive(secret_key: str, purpose: str) -> bytes:
    """A 32-byte key for one purpose, which does not reveal the secret key."""
    return HKDF(SHA256(), 32, salt=None, info=b"pinghome:" + purpose.encode()).derive(secret_key.encode())


@cache
def region_key(secret_key: str, region: str) -> bytes:
    """The key of a region, with which its probers open what is sealed for them."""
    return derive(secret_key, f"region:{region}")


def seal(key: bytes, plain: bytes) -> bytes:
    """AES-256-GCM: nonce and ciphertext in one value."""
    nonce = urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, None)


def unseal(key: bytes, sealed: bytes) -> bytes:
    """The plain bytes.

    Raises:
        ValueError: the key is wrong, or the value was tampered with.
    """
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
    except InvalidTag:
        raise ValueError("the secret cannot be unsealed: PINGHOME_SECRET_KEY or the region's key has changed") from None
