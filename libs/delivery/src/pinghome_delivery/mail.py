"""The operator's mail server: like the database it is named by a setting, so no user can choose its address."""

import asyncio
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from pinghome_delivery.message import DeliveryError, PartlyDelivered, Refusal

PERMANENT = 500
"""SMTP codes from which on trying again is of no use."""
DEADLINE = 20.0
"""Seconds for one mail."""


@dataclass(slots=True, kw_only=True)
class Mail:
    """`smtp://user:password@host:587?starttls`, or `smtps://…` for TLS from the start; and who the mails are from."""

    url: str
    sender: str

    async def send(self, mail: EmailMessage) -> None:
        """Hands one mail over; raises DeliveryError, or PartlyDelivered when the server took some recipients only."""
        from email.policy import SMTP  # noqa: PLC0415  # these are 2 MB, and not all platforms send mail

        import aiosmtplib  # noqa: PLC0415

        parts = urlsplit(self.url)
        tls = parts.scheme == "smtps"
        wire = SMTP.clone(max_line_length=998)  # with less, long URLs in headers are encoded, which nobody can read
        wants_tls = "starttls" in parse_qs(parts.query, keep_blank_values=True)
        try:
            async with asyncio.timeout(DEADLINE):
                async with aiosmtplib.SMTP(
                    hostname=parts.hostname,
                    port=parts.port or (465 if tls else 587 if wants_tls else 25),
                    username=unquote(parts.username) if parts.username else None,
                    password=unquote(parts.password) if parts.password else None,
                    use_tls=tls,
                    start_tls=None if tls else wants_tls,
                    timeout=DEADLINE,
                ) as server:
                    recipients = [address for _, address in getaddresses([str(mail["To"])])]
                    sender = parseaddr(self.sender)[1]
                    refused, _ = await server.sendmail(sender, recipients, mail.as_bytes(policy=wire))
        except aiosmtplib.SMTPAuthenticationError:
            raise DeliveryError("the mail server refused PINGHOME_SMTP_URL's user and password") from None
        except aiosmtplib.SMTPRecipientsRefused as error:
            first = error.recipients[0]
            raise DeliveryError(f"the mail server refused {first.recipient} with {first.code}") from None
        except aiosmtplib.SMTPResponseException as error:
            raise DeliveryError(f"the mail server answered {error.code}") from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError):
            raise DeliveryError("the mail server of PINGHOME_SMTP_URL cannot be reached, or broke off") from None
        if refused:
            raise PartlyDelivered(
                {
                    address: Refusal(f"the mail server refused {address} with {answer.code}", answer.code >= PERMANENT)
                    for address, answer in refused.items()
                }
            )
