"""Pings by mail (contract B.5), sent to `<uuid>@domain` or `<ping key>+<slug>@domain`."""

import asyncio
import logging
import re
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from data_gateway.ping_intake import HeartbeatEntry, PingIntake
from pinghome_common.errors import Conflict, NotFound, Unavailable
from pinghome_common.events.ping import Kind
from pinghome_common.health import resting
from pinghome_common.settings import LARGEST_PING_BODY, Settings

IDLE_TIMEOUT = 30.0
"""Seconds for which a client may be silent."""

CONNECTION_TIMEOUT = 300.0
"""Seconds that a connection may last."""

MAX_CONNECTIONS = 100
MAX_RECIPIENTS = 20

SUBJECT_LIMIT = 4000
"""Bytes of the raw Subject header that are evaluated."""

_SUBJECT = re.compile(rb"^subject:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE)

_MAILBOX = re.compile(
    r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|(?P<key>[^+@]{22})\+(?P<slug>[a-z0-9_-]{1,100})",
    re.IGNORECASE | re.ASCII,
)
"""Case-insensitive: relays change the case of addresses."""


class MailServer:
    """An SMTP server that accepts pings and no other mail."""

    def __init__(self, intake: PingIntake, settings: Settings) -> None:
        self._intake, self._settings = intake, settings
        self._body_limit = settings.ping_body_limit or LARGEST_PING_BODY
        self._domain = settings.ping_mail_domain.lower()
        self._connections: set[asyncio.Transport] = set()
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
            for transport in list(self._connections):
                transport.abort()

    def admit(self, transport: asyncio.Transport) -> bool:
        """Admits a connection for `CONNECTION_TIMEOUT` seconds; false if there are too many."""
        if len(self._connections) >= MAX_CONNECTIONS:
            return False
        self._connections.add(transport)
        asyncio.get_running_loop().call_later(CONNECTION_TIMEOUT, transport.abort)
        return True

    def forget(self, transport: asyncio.Transport) -> None:
        """Forgets a connection that is closed."""
        self._connections.discard(transport)

    @property
    def size_limit(self) -> int:
        """Bytes of the largest mail."""
        return self._settings.body_limit

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Accepts the address of a check."""
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
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
                    self._intake.store(
                        entry, "", kind_of(subject, entry.subject, entry.subject_fail), client, "email", agent,
                        body=content[: self._body_limit],
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
            return await self._intake.find(found["id"].lower())
        entry = await self._intake.find_by_slug(found["key"], found["slug"].lower(), any_case=True)
        if entry is None:
            raise NotFound("not found")
        return entry


class _Connection(SMTP):
    def __init__(self, server: MailServer, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server, loop=loop, data_size_limit=server.size_limit, timeout=IDLE_TIMEOUT, ident="Pinghome",
            hostname="pinghome", command_call_limit=200,
        )  # fmt: skip
        self._server = server

    def connection_made(self, transport: Any) -> None:
        if self._server.admit(transport):
            self._accepted: asyncio.Transport = transport
            super().connection_made(transport)
        else:
            transport.write(b"421 4.3.2 too many connections; please try again later\r\n")
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self._server.forget(self._accepted)
            super().connection_lost(error)


def kind_of(subject: str, success: str, fail: str) -> Kind:
    """The kind of a mail's ping, by its subject and the check's comma-separated keywords; failure keywords win.

    Without success keywords every other mail is a success; the documents contradict each other here (contract E.2).
    """
    if any(word in subject for word in _split(fail)):
        return Kind.fail
    keywords = _split(success)
    return Kind.success if not keywords or any(word in subject for word in keywords) else Kind.ign


def _split(keywords: str) -> list[str]:
    return [word for each in keywords.split(",") if (word := each.strip())]


def _subject(content: bytes) -> str:
    """The decoded Subject of a mail, or the raw one if it cannot be decoded.

    Only its beginning is decoded: tens of thousands of encoded words would take the standard library seconds.
    """
    head = content[:LARGEST_PING_BODY].partition(b"\r\n\r\n")[0]
    found = _SUBJECT.search(head)
    line = (found[0][:SUBJECT_LIMIT] if found else b"Subject:") + b"\r\n\r\n"
    try:
        return str(message_from_bytes(line, policy=policy.default).get("subject", ""))
    except Exception:  # noqa: BLE001  # the parser of the standard library fails on headers in many ways
        return str(message_from_bytes(line, policy=policy.compat32).get("subject", ""))
