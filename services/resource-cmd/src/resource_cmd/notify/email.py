"""Channel `email`: a plain mail to some addresses."""

import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

from pinghome_common.errors import FieldError, Invalid
from resource_cmd.notify.message import Means, Message, Undelivered
from resource_cmd.notify.words import one_line

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
NO_SERVER = "no mail server is configured; the operator sets PINGHOME_SMTP_URL and PINGHOME_MAIL_FROM"


@dataclass(slots=True, kw_only=True)
class Email:
    """One mail to all addresses; its `Message-ID` holds the delivery's id, so that programs know a repeated one."""

    to: list[str]

    async def check(self, means: Means) -> None:
        """Addresses are addresses, and there is a mail server."""
        if not 1 <= len(self.to) <= 50:
            raise Invalid(FieldError("config.to", "must be 1 to 50 addresses"))
        for place, address in enumerate(self.to):
            if not _ADDRESS.fullmatch(address):
                raise Invalid(FieldError(f"config.to.{place}", "must be an address such as ops@example.com"))
        if means.mail is None:
            raise Invalid(FieldError("kind", NO_SERVER))

    def shown(self, mask: str) -> dict[str, str | list[str]]:  # noqa: ARG002  # it has no secrets
        """As it is."""
        return {"to": list(self.to)}

    async def send(self, message: Message, means: Means) -> None:
        """Delivers; raises Undelivered."""
        if means.mail is None:
            raise Undelivered(NO_SERVER)
        mail = EmailMessage()
        mail["Subject"] = one_line(message.title)[:200]
        mail["From"] = means.mail.sender
        mail["To"] = ", ".join(self.to)
        mail["Date"] = format_datetime(message.notifications[-1].at)
        mail["Message-ID"] = f"<{message.key}@pinghome>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text + "\n")
        await means.mail.send(mail)
