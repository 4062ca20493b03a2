"""How one subscriber is told: by mail, by webhook, or in Slack."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pinghome_delivery.message import DeliveryError, Message, Transports
from pinghome_delivery.web import host, refused
from pinghome_delivery.webhook import encode, post
from statuspage_cmd.subscriptions.letter import letter
from statuspage_cmd.subscriptions.links import Links, Place, links

VERIFICATION = "verification"
"""What is asked instead of told: whether somebody wants to be told."""
LARGEST = 64 << 10
"""Bytes of a webhook's answer in which the token is looked for."""


@dataclass(slots=True, kw_only=True)
class Subscriber:
    """Whom to tell; `address` is a mail address or a whole URL, `places` are the pages by their ids."""

    id: UUID
    address: str
    places: Mapping[UUID, Place]
    key: bytes

    def read(self, message: Message) -> tuple[Place, Links]:
        """The page that a message is about, and the subscriber's links there."""
        page = message.notifications[0].page
        place = self.places.get(page) if page else None
        if place is None:
            raise DeliveryError("the status page was deleted")
        return place, links(self.key, self.id, place)


@dataclass(slots=True, kw_only=True)
class ByMail(Subscriber):
    """One mail; those that tell something keep to the pace, those that ask have a pace of their own."""

    async def send(self, message: Message, transports: Transports) -> None:
        """Delivers; raises DeliveryError, or RateLimited when it is not its turn."""
        if transports.mail is None:
            raise DeliveryError("no mail server is configured")
        place, own = self.read(message)
        await transports.pace.turn(VERIFICATION if message.what == VERIFICATION else "news")
        await transports.mail.send(letter(message, place, own, self.address, transports.mail.sender))


@dataclass(slots=True, kw_only=True)
class ByWebhook(Subscriber):
    """POST of JSON with `Idempotency-Key`; asked whether it wants to be told, it has to echo the token in a 2xx."""

    verified: Callable[[], Awaitable[None]]

    async def send(self, message: Message, transports: Transports) -> None:
        """Delivers; raises DeliveryError."""
        place, own = self.read(message)
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(message.key)}
        body: dict[str, Any] = {
            "id": message.key,
            "what": message.what,
            "page": {"id": place.id, "name": place.name, "url": place.url},
            "unsubscribe_url": own.unsubscribe,
        }
        if message.what == VERIFICATION:
            await self._verify(transports, headers, encode(body | {"token": own.token}), own.token)
            return
        news = message.notifications[-1]
        body |= {"title": message.title, "text": message.text, "at": news.at, "url": place.of(news.noun, news.about)}
        await post(transports, self.address, headers, encode(body | {news.noun: {"id": news.about}}))

    async def _verify(self, transports: Transports, headers: dict[str, str], body: bytes, token: str) -> None:
        answer = await transports.web.request("POST", self.address, headers, body, most=LARGEST)
        if not 200 <= answer.status < 300:
            raise refused(host(self.address), answer)
        if token.encode() not in answer.body:
            raise DeliveryError("the answer does not contain the token, so that nobody there has agreed")
        await self.verified()


@dataclass(slots=True, kw_only=True)
class BySlack(Subscriber):
    """The text to an incoming webhook, with the link that ends the subscription, or that verifies it."""

    async def send(self, message: Message, transports: Transports) -> None:
        """Delivers; raises DeliveryError."""
        place, own = self.read(message)
        news = message.notifications[-1]
        if message.what == VERIFICATION:
            text = f"{_escaped(message.text)}\n<{own.manage}|{place.words('confirm')}>"
        else:
            text = f"*<{place.of(news.noun, news.about)}|{_escaped(message.title)}>* ({_escaped(place.name)})\n"
            text += f"{_escaped(message.text)}\n<{own.manage}|{place.words('unsubscribe')}>"
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(message.key)}
        await post(transports, self.address, headers, encode({"text": text}))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
