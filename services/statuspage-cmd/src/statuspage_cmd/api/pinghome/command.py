"""Commands of PingHome callers on the nouns of statuspage-cmd."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import Depends, Request

from pinghome_common.clock import now
from pinghome_common.command import carry_out
from pinghome_common.db import Connection
from pinghome_common.dialects.pinghome_command import Answering, in_transaction
from pinghome_common.errors import TooMany
from pinghome_common.events.subscription import Subscription
from pinghome_common.store import Actor
from statuspage_cmd.command import Command
from statuspage_cmd.subscriptions.asking import Wish, request
from statuspage_cmd.subscriptions.audience import ACTOR, verify
from statuspage_cmd.subscriptions.store import Subscriptions


class Sent(Protocol):
    """A body with what a page tells."""

    def sent(self) -> dict[str, Any]:
        """The fields that were sent, in our words."""


class PageCommand(Command, Answering):
    """What a route needs to carry out one command."""

    def sent(self, body: Sent) -> dict[str, Any]:
        """What a body says; raises Invalid when its message, as it is kept, is too long."""
        return self.checked(body.sent())


Commanded = Annotated[PageCommand, Depends(in_transaction(PageCommand), scope="function")]
"""A command in a transaction."""


class Subscriber:
    """What a route needs for somebody without a token, who may know that of a subscription."""

    def __init__(self, request: Request, tx: Connection, _: None, on_event: Callable[..., None]) -> None:
        self.state, self._tx, self._client = request.app.state, tx, request.scope["client"]
        actor = Actor(ACTOR.name, None, request.scope["state"]["request_id"])
        self.subscriptions = Subscriptions(tx, actor, on_event, now())

    async def request(self, wish: Wish) -> Subscription:
        """Has an address asked whether it wants to be told.

        Raises:
            TooMany: too many wishes came from the client's network address.
            NotFound, Invalid: as `asking.request`.
        """
        state = self.state
        if wait := state.subscription_requests.count(self._client):
            raise TooMany("Too many requests to subscribe came from your address; try again later.", wait)
        return await request(self._tx, self.subscriptions, wish, state.settings, state.keys, state.guard)

    async def verify(self, id_: UUID) -> Subscription:
        """Notes that somebody at the address wants to be told.

        Raises:
            NotFound, Invalid: as `audience.verify`.
        """
        return await verify(self.subscriptions, id_, self.state.settings.subscribers_limit)

    def committed(self) -> None:
        """Has it published, and delivered."""
        self.state.relay.wake()
        self.state.dispatcher.wake()


def origins(request: Request) -> list[str]:
    """Where a request may have come from, the likeliest first."""
    headers = request.headers
    return [headers.get("origin", ""), headers.get("referer", ""), f"//{headers.get('host', '')}"]


async def _subscribing(request: Request) -> AsyncIterator[Subscriber]:
    async with carry_out(request, None, Subscriber) as it:
        yield it


Subscribing = Annotated[Subscriber, Depends(_subscribing, scope="function")]
"""Somebody in a transaction."""
