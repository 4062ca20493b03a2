"""Channel `apprise`: services whose host is fixed in Apprise's own code (decision 0012)."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pinghome_common.errors import FieldError, Invalid
from pinghome_delivery.egress import threads_judged
from pinghome_delivery.message import DeliveryError, Kind, Message, Transports

DEADLINE = 20.0
"""Seconds for one message."""

# Each sends to a constant https host and nowhere else. All self-hosted ones (json, ntfy, gotify, mailto, matrix, …)
# and all local ones are left out.
SCHEMES = frozenset(
    {
        *("brevo", "discord", "flock", "gchat", "groupme", "ifttt", "ilert", "incidentio", "join", "lark", "line"),
        *("msgbird", "opsgenie", "pagerduty", "pbul", "postmark", "pover", "prowl", "pushed", "resend", "sendgrid"),
        *("seven", "slack", "spike", "splunk", "victorops", "squadcast", "tgram", "twilio", "vonage", "nexmo", "webex"),
    }
)
# They read files, follow redirects, skip verification or stretch time.
_REFUSED = frozenset({"template", "redirect", "verify", "retry", "wait", "cto", "rto", "attach"})


@dataclass(slots=True, kw_only=True)
class Apprise(Kind):
    """`url` is one of Apprise's, such as `tgram://bottoken/ChatID`; all but its scheme is secret."""

    url: str

    async def check(self, transports: Transports) -> None:  # noqa: ARG002  # its hosts are fixed
        """The scheme is allowed and Apprise understands the rest."""
        scheme = self.url.partition("://")[0].lower()
        if scheme not in SCHEMES:
            known = ", ".join(sorted(SCHEMES))
            raise Invalid(
                FieldError("config.url", f"has a scheme that is not allowed; use one of {known}, or a webhook")
            )
        if len(self.url) > 2048 or not self.url.isprintable():
            raise Invalid(FieldError("config.url", "must be at most 2048 printable characters"))
        if refused := _REFUSED & _query(self.url):
            raise Invalid(FieldError("config.url", f"must not set {min(refused)}"))
        if await asyncio.to_thread(_plugin, self.url) is None:
            raise Invalid(FieldError("config.url", f"is not what Apprise's {scheme}:// needs; see appriseit.com"))

    def shown(self, mask: str) -> dict[str, str | list[str]]:
        """The scheme."""
        return {"url": f"{self.url.partition('://')[0].lower()}://{mask}"}

    async def send(self, message: Message, transports: Transports) -> None:
        """Delivers; raises DeliveryError. Apprise does not say what went wrong beyond its log."""
        plugin = await asyncio.to_thread(_plugin, self.url)
        if plugin is None:
            raise DeliveryError("this version of Apprise does not understand the URL any more")
        try:
            async with asyncio.timeout(DEADLINE):
                with threads_judged(transports.guard, DEADLINE):
                    delivered = await plugin.async_notify(title=message.title, body=message.text)
        except TimeoutError:
            raise DeliveryError(f"{plugin.service_name} did not answer within {DEADLINE:.0f} seconds") from None
        except (OSError, TypeError, ValueError):
            delivered = False
        if not delivered:
            raise DeliveryError(f"{plugin.service_name} did not take the message")


def _query(url: str) -> set[str]:
    return {name.lower().lstrip("+-:") for name in parse_qs(urlsplit(url).query, keep_blank_values=True)}


def _plugin(url: str) -> Any:
    """The service of a URL; None when Apprise does not understand it. The first call takes seconds, for the import."""
    from apprise import Apprise as Library  # noqa: PLC0415  # 29 MB and two seconds that most never need
    from apprise import AppriseAsset, PersistentStoreMode  # noqa: PLC0415

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its words may quote the URL
    asset = AppriseAsset(storage_mode=PersistentStoreMode.MEMORY, allow_templates=False, plugin_paths=[])
    plugin = Library.instantiate(url, asset=asset, suppress_exceptions=True)
    if plugin is not None:
        plugin.redirects = False
    return plugin
