"""What a subscriber's links hold: which subscription it is, and the proof that we have told only its address."""

import base64
import hashlib
import hmac
from uuid import UUID

from pinghome_common.errors import NotFound

_UNKNOWN = "There is no such subscription"


def token(key: bytes, subscription: UUID) -> str:
    """The token of a subscription, for ever the same: base64url of its id and the id's HMAC-SHA256."""
    proof = hmac.new(key, subscription.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(subscription.bytes + proof).decode()


def read_token(key: bytes, text: str) -> UUID:
    """The subscription that a token is of.

    Raises:
        NotFound: nobody made it here.
    """
    try:
        found = UUID(bytes=base64.urlsafe_b64decode(text.encode("ascii"))[:16])
    except ValueError:
        raise NotFound(_UNKNOWN) from None
    if not hmac.compare_digest(text, token(key, found)):
        raise NotFound(_UNKNOWN)
    return found
