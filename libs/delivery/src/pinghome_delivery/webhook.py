"""Channel `webhook`: JSON to a URL, signed, with the delivery's id as its idempotency key."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from pinghome_common.clock import now
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.guard import AddressForbidden, Guard
from pinghome_common.hosts import parse_url
from pinghome_delivery.message import Kind, Message, Transports
from pinghome_delivery.web import host, refused


def new_secret() -> str:
    """256 random bits."""
    return "whsec_" + secrets.token_urlsafe(32)


@dataclass(slots=True, kw_only=True)
class Webhook(Kind):
    """POST `{"id", "what", "title", "text", "notifications": […]}`, each `{"id", "noun", "about", "what", "at", …}`.

    Headers: `Idempotency-Key`, the same for every attempt; `X-Pinghome-Signature: t=<UNIX seconds>,v1=<hex>`, the
    HMAC-SHA256 of `<t>.<body>` with the secret. Any 2xx means delivered.
    """

    url: str
    secret: str = ""

    async def check(self, transports: Transports) -> None:
        """Its URL is absolute and spells no forbidden address; a name is judged when it is called."""
        check_url(self.url, transports.guard)
        if len(self.secret) > 255 or not (self.secret.isascii() and self.secret.isprintable()):
            raise Invalid(FieldError("config.secret", "must be at most 255 printable ASCII characters"))

    def shown(self, mask: str) -> dict[str, str | list[str]]:
        """Paths and queries often hold tokens."""
        return {"url": masked_url(self.url, mask), "secret": mask}

    async def send(self, message: Message, transports: Transports) -> None:
        """Delivers; raises DeliveryError."""
        body = encode(
            {
                "id": message.key,
                "what": message.what,
                "title": message.title,
                "text": message.text,
                "notifications": [
                    {name: getattr(it, name) for name in ("id", "noun", "about", "what", "at", "title", "text")}
                    for it in message.notifications
                ],
            }
        )
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": str(message.key),
            "X-Pinghome-Signature": sign(self.secret, body, int(now().timestamp())),
        }
        await post(transports, self.url, headers, body)


encode = msgspec.json.Encoder().encode


def sign(secret: str, body: bytes, at: int) -> str:
    """The value of `X-Pinghome-Signature`; `at` is in UNIX seconds."""
    return f"t={at},v1={hmac.new(secret.encode(), b'%d.%b' % (at, body), hashlib.sha256).hexdigest()}"


async def post(transports: Transports, url: str, headers: dict[str, str], body: bytes) -> None:
    """Delivers a body; raises DeliveryError unless the answer is 2xx."""
    answer = await transports.web.request("POST", url, headers, body, most=0)
    if not 200 <= answer.status < 300:
        raise refused(host(url), answer)


def check_url(url: str, guard: Guard) -> None:
    """Raises Invalid unless it is an absolute http or https URL of an address that may be called."""
    try:
        fine = parse_url(url).scheme in ("http", "https") and bool(host(url))
        fine = fine and url.isprintable() and " " not in url and len(url) <= 2048
    except ValueError:
        fine = False
    if not fine:
        raise Invalid(FieldError("config.url", "must be an absolute http or https URL of at most 2048 characters"))
    try:
        guard.check_literal(host(url))
    except AddressForbidden as error:
        raise Invalid(FieldError("config.url", str(error))) from None


def masked_url(url: str, mask: str) -> str:
    """Scheme and host; what follows, and who logs in, is masked where there is any."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    return f"{parts.scheme}://{place}/{mask}" if more else url
