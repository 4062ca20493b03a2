"""Whom statuspage-cmd's outbox tells: the subscribers of status pages."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.events.notification import Notification
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.events.subscription import ChannelType, Subscription
from pinghome_common.secret import unseal
from pinghome_common.store import Actor, no_wait
from pinghome_delivery.dependencies import ParentState
from pinghome_delivery.email import NO_SERVER
from pinghome_delivery.message import Sender
from pinghome_delivery.outbox import OUTBOX, Notifications, Target
from pinghome_delivery.throttling import backoff
from statuspage_cmd.language import language
from statuspage_cmd.pages.address import Addresses
from statuspage_cmd.subscriptions import subscription
from statuspage_cmd.subscriptions.keys import Keys
from statuspage_cmd.subscriptions.links import places
from statuspage_cmd.subscriptions.senders import VERIFICATION, ByMail, BySlack, ByWebhook
from statuspage_cmd.subscriptions.store import Subscriptions

ACTOR = Actor("subscriber")


class News(Notifications):
    """What subscribers are told."""

    source, prefix = "statuspage-cmd", "status"


class Subscribers:
    """The subscribers, with their addresses opened.

    Args:
        db: of this service.
        addresses: of their pages.
        keys: of subscriptions.
        mails: whether there is a mail server.
        most: subscribers that a page may have.
        after: called when a subscriber's own answer has changed something.
    """

    store: type[Notifications] = News
    gone = (
        "(NOT EXISTS (SELECT FROM subscription s WHERE s.id = n.channel)"
        " OR n.state->>'noun' = 'incident' AND NOT EXISTS (SELECT FROM incident i WHERE i.id = n.about)"
        " OR n.state->>'noun' = 'maintenance' AND NOT EXISTS (SELECT FROM maintenance m WHERE m.id = n.about))"
    )
    dependents: tuple[str, ...] = ()

    def __init__(
        self, db: Database, addresses: Addresses, keys: Keys, *, mails: bool, most: int, after: Callable[[], None]
    ) -> None:
        self._db, self._addresses, self._keys, self._mails, self._after = db, addresses, keys, mails, after
        self._most = most

    async def prepare(self) -> None:
        """Asks where the pages are; what waits for a mail server is looked at each minute anyway."""
        await self._addresses.refresh()

    async def target(self, tx: Connection, channel: UUID) -> Target | None:
        """Where a subscriber is told; None when it has unsubscribed."""
        state = await tx.fetchval("SELECT state FROM subscription WHERE id = $1", channel)
        if state is None:
            return None
        it = msgspec.json.decode(state, type=Subscription)
        if it.channel_type is ChannelType.email and not self._mails:
            return Target(kind=None, problem=NO_SERVER, waits=True)
        try:
            return Target(kind=await self._sender(tx, it))
        except ValueError as error:
            return Target(kind=None, problem=str(error))

    async def parents(self, tx: Connection, abouts: set[UUID]) -> dict[UUID, ParentState]:  # noqa: ARG002
        """None: nothing depends on another."""
        return {}

    def retry(self, it: Notification) -> timedelta | None:
        """News until they are too old, questions a few times."""
        tries = len(it.attempts)
        return subscription.ask_again(tries) if it.what == VERIFICATION else backoff(tries)

    async def _sender(self, tx: Connection, it: Subscription) -> Sender:
        at = await places(tx, self._addresses, it.pages)
        if it.channel_type is ChannelType.email:
            return ByMail(id=it.id, address=it.channel_value, places=at, key=self._keys.tokens)
        url = unseal(self._keys.urls, it.sealed).decode()
        if it.channel_type is ChannelType.slack:
            return BySlack(id=it.id, address=url, places=at, key=self._keys.tokens)

        async def verified() -> None:
            async with self._db.transaction() as own:
                await verify(Subscriptions(own, ACTOR, no_wait, now()), it.id, self._most)
            self._after()

        return ByWebhook(id=it.id, address=url, places=at, key=self._keys.tokens, verified=verified)


async def verify(store: Subscriptions, id_: UUID, most: int) -> Subscription:
    """Notes that somebody at the address wants to be told.

    Raises:
        NotFound: there is no such subscription any more.
        Invalid: it is too late, or a page has `most` subscribers already.
    """
    row = await store.edit(id_)
    before = row.state
    row.state = subscription.verify(row.state, now())
    if before.verified_at is None:
        await store.check_limit(before.pages, most)
    if row.state is not before:
        await store.save(row, "verified")
    return row.state


async def ask(tx: Connection, it: Subscription, page: StatusPage) -> None:
    """Has an address asked whether it wants to be told, in the caller's transaction."""
    stamp, words = now(), language(page.language)
    name = words("ask.all") if len(it.pages) > 1 else page.name
    news = Notification(
        id=uuid7(), organisation=it.organisation, channel=it.id, channel_name=it.channel_value,
        channel_kind=it.channel_type, noun="subscription", about=it.id, about_version=0, what=VERIFICATION, at=stamp,
        title=words("ask.title"), text=words("ask.text", page=name), page=page.id, at_once=True, created_at=stamp,
    )  # fmt: skip
    await News(tx, OUTBOX, no_wait, stamp).add_many([news])
