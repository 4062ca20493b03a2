"""Channel `email`: a plain mail to some addresses."""

import re
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import format_datetime
from typing import ClassVar, Self

from pinghome_common.errors import FieldError, Invalid
from pinghome_common.text import one_line
from pinghome_delivery.message import Allowed, DeliveryError, Kind, Message, Transports

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
NO_SERVER = "no mail server is configured; the operator sets PINGHOME_SMTP_URL and PINGHOME_MAIL_FROM"

LINK = "each address was mailed a link that somebody there has to follow"
LISTED = 5
"""Addresses that are named."""


def needs_confirmation(address: str, transports: Transports) -> bool:
    """False for an address in one of the operator's own domains."""
    return address.rpartition("@")[2].lower() not in transports.confirmed_domains


@dataclass(slots=True, kw_only=True)
class Email(Kind):
    """One mail to all addresses; its `Message-ID` holds the delivery's id, so that programs know a repeated one."""

    limited: ClassVar[bool] = True

    to: list[str]

    async def check(self, transports: Transports) -> None:  # noqa: ARG002  # what is missing is its problem
        """Addresses are addresses."""
        if not 1 <= len(self.to) <= 50:
            raise Invalid(FieldError("config.to", "must be 1 to 50 addresses"))
        for place, address in enumerate(self.to):
            if not ADDRESS.fullmatch(address):
                raise Invalid(FieldError(f"config.to.{place}", "must be an address such as ops@example.com"))

    def shown(self, mask: str) -> dict[str, str | list[str]]:  # noqa: ARG002  # it has no secrets
        """As it is."""
        return {"to": list(self.to)}

    def _unconfirmed(self, transports: Transports, allowed: Allowed) -> list[str]:
        to = [it.lower() for it in self.to]
        return [it for it in to if it not in allowed.confirmed and needs_confirmation(it, transports)]

    def ready(self, transports: Transports, allowed: Allowed) -> Self | None:
        """Its confirmed addresses."""
        unconfirmed = self._unconfirmed(transports, allowed)
        to = [it for it in self.to if it.lower() not in unconfirmed]
        return replace(self, to=to) if to and transports.mail else None

    def problem(self, transports: Transports, allowed: Allowed) -> str:
        """There is no mail server, or some addresses are not confirmed."""
        if transports.mail is None:
            return NO_SERVER
        missing = self._unconfirmed(transports, allowed)
        more = f" and {len(missing) - LISTED} more" if len(missing) > LISTED else ""
        return f"not confirmed yet: {', '.join(missing[:LISTED])}{more}; {LINK}" if missing else ""

    async def send(self, message: Message, transports: Transports) -> None:
        """Delivers to all addresses, or to the one that is left; raises DeliveryError or PartlyDelivered."""
        if transports.mail is None:
            raise DeliveryError(NO_SERVER)
        mail = EmailMessage()
        mail["Subject"] = one_line(message.title)[:200]
        mail["From"] = transports.mail.sender
        mail["To"] = message.recipient or ", ".join(self.to)
        mail["Date"] = format_datetime(message.notifications[-1].at)
        mail["Message-ID"] = f"<{message.key}@pinghome>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text + "\n")
        await transports.mail.send(mail)
