"""A real SMTP server that keeps what it is given."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from running import free_port


@dataclass
class MailSink:
    """Mails in the order of their arrival; `refuse` answers instead, as `451 try again`; `refused` to a recipient."""

    port: int = 0
    refuse: str = ""
    refused: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    async def handle_RCPT(self, _: Any, __: Session, envelope: Envelope, address: str, ___: Any) -> str:  # noqa: N802
        if answer := self.refused.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        if self.refuse:
            return self.refuse
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 kept"


@asynccontextmanager
async def mail_sink(user: str = "", password: str = "", **how: Any) -> AsyncIterator[MailSink]:
    """A server on a free port; with a user it takes no mail without login."""
    it = MailSink()

    def judge(_: Any, __: Any, ___: Any, ____: str, data: Any) -> AuthResult:
        fine = (data.login, data.password) == (user.encode(), password.encode())
        return AuthResult(success=fine, handled=False)

    auth = {"authenticator": judge, "auth_required": True, "auth_require_tls": False} if user else {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(it, loop=loop, **auth, **how), "127.0.0.1", free_port())
    it.port = server.sockets[0].getsockname()[1]
    try:
        yield it
    finally:
        server.close()
        await server.wait_closed()
