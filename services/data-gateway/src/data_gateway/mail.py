"""Pings by mail (contract B.5), sent to `<uuid>@domain` or `<ping key>+<slug>@domain`."""

import asyncio
import logging
import re
from email import message_from_bytes, policy
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from data_gateway.ping_intake import HeartbeatEntry, PingIntake
from pinghome_common.errors import Conflict, NotFound, Unavailable
from pinghome_common.events.ping import Kind
from pinghome_common.health import resting
from pinghome_common.settings import LARGEST_PING_BODY, Settings

log = structlog.get_logger()

PATIENCE = 30.0
"""Seconds that a client may be silent."""

LONGEST = 300.0
"""Seconds that a connection may last in all."""

MOST_CONNECTIONS = 100
MOST_RECIPIENTS = 20

SUBJECT_LIMIT = 4000
"""Bytes of the raw Subject header that are evaluated."""

_SUBJECT = re.compile(rb"^subject:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE)

_MAILBOX = re.compile(
    r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|(?P<key>[^+@]{22})\+(?P<slug>[a-z0-9_-]{1,100})",
    re.IGNORECASE | re.ASCII,
)
"""Case-insensitive: relays change the case of addresses."""


class Mailbox:
    """An SMTP server for pings only. It is a mailbox, not a relay: no other mail is accepted."""

    def __init__(self, intake: PingIntake, settings: Settings) -> None:
        self._door, self._settings = intake, settings
        self._kept = settings.ping_body_limit or LARGEST_PING_BODY
        self._domain = settings.ping_mail_domain.lower()
        self._open: set[asyncio.Transport] = set()
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # it would log what clients send

    async def run(self) -> None:
        """Serves until cancelled."""
        host, _, port = self._settings.smtp_listen.rpartition(":")
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self, loop), host.strip("[]"), int(port))
        try:
            with resting():  # its connections are tasks of their own
                await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            for transport in list(self._open):
                transport.abort()

    def let_in(self, transport: asyncio.Transport) -> bool:
        """False when there are too many connections; an accepted one has `LONGEST` seconds."""
        if len(self._open) >= MOST_CONNECTIONS:
            return False
        self._open.add(transport)
        asyncio.get_running_loop().call_later(LONGEST, transport.abort)
        return True

    def let_out(self, transport: asyncio.Transport) -> None:
        """Forgets a connection that is closed."""
        self._open.discard(transport)

    @property
    def size_limit(self) -> int:
        """Bytes of the largest mail."""
        return self._settings.body_limit

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Accepts a recipient that is a check."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        try:
            await self._find(address)
        except (NotFound, Conflict):
            return "550 5.1.1 no such check"
        except Unavailable:
            return "451 4.3.0 please try again in a moment"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Answers 250 when the ping of each recipient is durable."""
        content = envelope.original_content or b""
        subject, agent = _subject(content), f"Email from {envelope.mail_from or ''}"
        client = str(session.peer[0]) if session.peer else ""
        try:
            entries = [await self._find(address) for address in envelope.rcpt_tos]
            await asyncio.gather(
                *(
                    self._door.keep(
                        entry, "", meaning(subject, entry.subject, entry.subject_fail), client, "email", agent,
                        body=content[: self._kept],
                    )
                    for entry in entries
                )
            )  # fmt: skip
        except (NotFound, Conflict):
            return "550 5.1.1 no such check"
        except Unavailable:
            return "451 4.3.0 please try again in a moment"
        return "250 OK"

    async def _find(self, address: str) -> HeartbeatEntry:
        local, _, domain = address.rpartition("@")
        found = _MAILBOX.fullmatch(local) if domain.lower() == self._domain else None
        if found is None:
            raise NotFound("not found")
        if found["id"]:
            return await self._door.find(found["id"].lower())
        entry = await self._door.find_by_slug(found["key"], found["slug"].lower(), any_case=True)
        if entry is None:
            raise NotFound("not found")
        return entry


class _Connection(SMTP):
    def __init__(self, mailbox: Mailbox, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            mailbox, loop=loop, data_size_limit=mailbox.size_limit, timeout=PATIENCE, ident="Pinghome",
            hostname="pinghome", command_call_limit=200,
        )  # fmt: skip
        self._mailbox = mailbox

    def connection_made(self, transport: Any) -> None:
        if self._mailbox.let_in(transport):
            self._accepted: asyncio.Transport = transport
            super().connection_made(transport)
        else:
            transport.write(b"421 4.3.2 too many connections; please try again later\r\n")
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self._mailbox.let_out(self._accepted)
            super().connection_lost(error)


def meaning(subject: str, success: str, fail: str) -> Kind:
    """The kind of ping that a mail's subject makes it, by a check's comma-separated keywords; failures first.

    Where the documents contradict each other (contract E.2): without success keywords every other mail is a success.
    """
    if any(word in subject for word in _words(fail)):
        return Kind.fail
    wanted = _words(success)
    return Kind.success if not wanted or any(word in subject for word in wanted) else Kind.ign


def _words(keywords: str) -> list[str]:
    return [word for each in keywords.split(",") if (word := each.strip())]


def _subject(content: bytes) -> str:
    """The decoded Subject of a mail; one that cannot be decoded is used as it is.

    Only its beginning is decoded: the standard library takes seconds for tens of thousands of encoded words.
    """
    head = content[:LARGEST_PING_BODY].partition(b"\r\n\r\n")[0]
    found = _SUBJECT.search(head)
    line = (found[0][:SUBJECT_LIMIT] if found else b"Subject:") + b"\r\n\r\n"
    try:
        return str(message_from_bytes(line, policy=policy.default).get("subject", ""))
    except Exception:  # noqa: BLE001  # the parser of the standard library fails on headers in many ways
        return str(message_from_bytes(line, policy=policy.compat32).get("subject", ""))
