"""A mail address is told nothing before somebody there has followed the link that it is mailed."""

import base64
from datetime import datetime, timedelta
from email.message import EmailMessage
from uuid import UUID

import msgspec

from pinghome_common.clock import from_micros, micros, now
from pinghome_common.containment import is_items_own
from pinghome_common.db import Connection, Database
from pinghome_common.logs import log
from pinghome_common.secret import seal, unseal
from pinghome_common.worker import Worker
from pinghome_delivery.email import Email, needs_confirmation
from pinghome_delivery.message import DeliveryError, Kind, Transports

VALID = timedelta(days=7)
"""For how long a link can be followed."""
AN_HOUR = 20
"""Links that are mailed for one organisation in an hour."""
TRIES = 10

TEXT = """\
Somebody wants this address to be told when the monitors of a Pinghome installation go down and come back:

{url}

If you want these mails, open the link and press the button; it works for seven days.
If you do not, there is nothing to do: you will get no other mail.
"""


async def expect(tx: Connection, organisation: UUID, kind: Kind, transports: Transports) -> None:
    """Notes the addresses of a kind; each that has to be confirmed is mailed a link, again after a day at most."""
    if isinstance(kind, Email) and (addresses := {it.lower() for it in kind.to if needs_confirmation(it, transports)}):
        await tx.execute(_EXPECT, organisation, sorted(addresses))


def token(key: bytes, organisation: UUID, address: str, at: datetime) -> str:
    """What only we can make: that the address of an organisation may be confirmed for a while from `at` on."""
    plain = msgspec.json.encode([organisation, address, micros(at + VALID)])
    return base64.urlsafe_b64encode(seal(key, plain)).decode().rstrip("=")


def read_token(key: bytes, text: str, at: datetime) -> tuple[UUID, str]:
    """Organisation and address of a token.

    Raises:
        ValueError: nobody made it here, or its time is over.
    """
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if len(text) < 1000 else b""
        organisation, address, until = msgspec.json.decode(unseal(key, sealed), type=tuple[UUID, str, int])
    except ValueError:
        raise ValueError("the link is not valid") from None
    if from_micros(until) < at:
        raise ValueError("the link is no longer valid")
    return organisation, address


async def confirm(tx: Connection, organisation: UUID, address: str) -> None:
    """Notes that somebody there has followed the link; twice is the same as once."""
    await tx.execute(_CONFIRM, organisation, address)


class Confirmer(Worker):
    """Mails the links.

    Args:
        db: of this service.
        transports: the mail server.
        key: that seals tokens.
        url: of the platform, without a slash at its end.
    """

    lock = "confirm"
    every = 2.0
    resident = False

    def __init__(self, db: Database, transports: Transports, key: bytes, url: str) -> None:
        super().__init__(db)
        self._transports, self._key, self._url = transports, key, url

    async def due(self) -> bool:
        """Never where there is no mail server."""
        return self._transports.mail is not None

    async def round(self, _: Connection) -> bool:
        """Mails one link."""
        return await self.step()

    async def step(self) -> bool:
        """Mails one link; False when none was due."""
        row = await self._db.fetchrow(_NEXT, AN_HOUR, TRIES)  # due again in a while, should this process be killed
        if row is None:
            return False
        organisation, address = row["organisation"], row["address"]
        try:
            await self._mail(address, f"{self._url}/confirm/{token(self._key, organisation, address, now())}")
        except DeliveryError:
            return True
        except Exception as error:  # an address that nothing can be made of
            if not is_items_own(error):
                raise
            log.exception("link_not_mailed", organisation=str(organisation))
            return True
        async with self._db.connection() as connection:
            await connection.execute(_MAILED, organisation, address)
        return True

    async def _mail(self, address: str, url: str) -> None:
        assert self._transports.mail  # noqa: S101  # looked at by the caller
        mail = EmailMessage()
        mail["Subject"] = "Please confirm this address for alerts of Pinghome"
        mail["From"] = self._transports.mail.sender
        mail["To"] = address
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(TEXT.format(url=url))
        await self._transports.mail.send(mail)


_EXPECT = """
INSERT INTO mail_address AS old (organisation, address) SELECT $1, unnest($2::text[])
ON CONFLICT (organisation, address) DO UPDATE SET due = now(), tries = 0
WHERE old.confirmed_at IS NULL AND old.mailed_at < now() - interval '1 day'
"""
_CONFIRM = """
UPDATE mail_address SET confirmed_at = coalesce(confirmed_at, now()), due = NULL
WHERE organisation = $1 AND address = $2
"""
_NEXT = """
UPDATE mail_address SET due = now() + (tries + 1) * interval '5 minutes', tries = tries + 1
WHERE (organisation, address) = (
    SELECT organisation, address FROM mail_address a
    WHERE due <= now() AND confirmed_at IS NULL AND tries < $2 AND $1 > (
        SELECT count(*) FROM mail_address m WHERE m.organisation = a.organisation
        AND m.mailed_at > now() - interval '1 hour'
    ) ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING organisation, address
"""
_MAILED = "UPDATE mail_address SET mailed_at = now(), due = NULL WHERE organisation = $1 AND address = $2"
