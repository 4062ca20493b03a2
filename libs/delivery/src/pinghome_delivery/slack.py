"""Integration `slack`: the text to one of Slack's incoming webhooks."""

from dataclasses import dataclass

from pinghome_delivery.message import Kind, Message, Transports
from pinghome_delivery.webhook import check_url, encode, masked_url, post


@dataclass(slots=True, kw_only=True)
class Slack(Kind):
    """`url` is the webhook's, which is secret; systems that take Slack's format will do."""

    url: str

    async def check(self, transports: Transports) -> None:
        """As every URL."""
        check_url(self.url, transports.guard)

    def shown(self, mask: str) -> dict[str, str | list[str]]:
        """The path is the secret."""
        return {"url": masked_url(self.url, mask)}

    async def send(self, message: Message, transports: Transports) -> None:
        """Delivers; raises DeliveryError."""
        text = message.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(message.key)}
        await post(transports, self.url, headers, encode({"text": text}))
