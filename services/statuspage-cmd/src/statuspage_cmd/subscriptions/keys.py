"""The keys of subscriptions: of their links, and of the URLs that are secret."""

from dataclasses import dataclass

from pinghome_common.secret import derive
from pinghome_common.settings import Settings


@dataclass(frozen=True, slots=True)
class Keys:
    """`tokens` proves links, `urls` seals the URLs of webhooks."""

    tokens: bytes
    urls: bytes


def keys(settings: Settings) -> Keys:
    """Both, derived from the one secret that the service is given.

    Raises:
        RuntimeError: there is none.
    """
    secret = settings.subscription_secret
    if not secret and settings.secret_key:
        secret = derive(settings.secret_key, "subscription").hex()
    if not secret:
        raise RuntimeError("statuspage-cmd needs PINGHOME_SUBSCRIPTION_SECRET or PINGHOME_SECRET_KEY")
    return Keys(derive(secret, "token"), derive(secret, "url"))
