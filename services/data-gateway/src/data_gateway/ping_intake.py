"""Accepts pings: finds the heartbeat, checks the method, and stores the ping before it is answered."""

import asyncio
import time
from collections import defaultdict
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

import msgspec
import uuid_utils
from starlette.types import Scope

from data_gateway.group_commit import Committer
from pinghome_common.directory import Caller, Directory
from pinghome_common.errors import Conflict, DomainError, NotFound, Unavailable
from pinghome_common.events import Envelope
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.key import Kind as KeyKind
from pinghome_common.events.ping import Kind, Ping
from pinghome_common.events.provisioning import SUBJECT, ProvisionCheck, decode_provisioned, encode
from pinghome_common.stream import Broker
from pinghome_common.text import clean

MESSAGE_LIMIT = 1000
TEXT_LIMIT = 200
MAX_LOOKUPS = 64
"""Concurrent requests to the broker for single heartbeats, while the directory lags behind."""

CREATE_TIMEOUT = 2.0
"""Seconds within which a heartbeat must be created."""


class WrongMethod(DomainError):
    """The heartbeat's settings do not allow this method."""

    status = 405


SlugKey = tuple[UUID, UUID, str]
"""Organisation, service and slug of a heartbeat."""


class HeartbeatEntry(NamedTuple):
    """What accepting a ping needs to know about its heartbeat."""

    id: bytes
    methods: frozenset[str]
    post_only: bool
    slug_key: SlugKey
    subject: str
    subject_fail: str


class PingIntake:
    """The gateway's heartbeats and the entry point of pings; the attributes below are set at startup."""

    broker: Broker
    directory: Directory
    committer: Committer

    def __init__(self) -> None:
        self.entries: dict[str, HeartbeatEntry] = {}
        """By id, as written in URLs."""
        self._lookups = 0
        self._slugs: dict[SlugKey, set[str]] = defaultdict(set)

    def apply(self, event: Envelope) -> None:
        """Applies an event of a heartbeat."""
        text = str(event.subject)
        if old := self.entries.pop(text, None):
            ids = self._slugs[old.slug_key]
            ids.discard(text)
            if not ids:
                del self._slugs[old.slug_key]
        if not event.deleted:
            it = msgspec.json.decode(event.data, type=Heartbeat)
            slug_key = it.organisation, it.service_id, it.slug
            self.entries[text] = HeartbeatEntry(
                event.subject.bytes,
                frozenset(it.methods),
                it.methods == ["POST"],
                slug_key,
                it.subject,
                it.subject_fail,
            )
            if it.slug:
                self._slugs[slug_key].add(text)

    async def find(self, text: str) -> HeartbeatEntry:
        """A heartbeat by its id.

        Raises:
            NotFound: it does not exist.
            Unavailable: it is not known here and the broker is unavailable.
        """
        found = self.entries.get(text)
        if found is None:
            try:
                heartbeat = UUID(text) if len(text) == 36 and text.isascii() else None
            except ValueError:
                heartbeat = None
            if heartbeat is not None:
                found = self.entries.get(str(heartbeat)) or await self._look_up(heartbeat)
        if found is None:
            raise NotFound("Heartbeat not found")
        return found

    async def _look_up(self, heartbeat: UUID) -> HeartbeatEntry | None:
        """Asks the broker for an unknown heartbeat; concurrent lookups share one request for the newest events.

        Raises:
            Unavailable: the broker is unavailable, or there are too many lookups.
        """
        if self.directory.ready:
            with suppress(Unavailable):
                await self.directory.caught_up()
                return self.entries.get(str(heartbeat))
        if self._lookups >= MAX_LOOKUPS:
            raise Unavailable("Too many heartbeats are being looked up right now; please try again in a moment.")
        self._lookups += 1
        try:
            await self.directory.fetch_latest("heartbeat", heartbeat)
        finally:
            self._lookups -= 1
        return self.entries.get(str(heartbeat))

    def by_slug(self, ping_key: str, slug: str, *, any_case: bool = False) -> HeartbeatEntry | None:
        """A heartbeat by the ping key of its service and its slug; None if there is none.

        `any_case`: an unknown key is also looked up ignoring case.

        Raises:
            NotFound: there is no such key.
            Conflict: several heartbeats have this slug.
        """
        caller, service = self._service_of(ping_key, any_case=any_case)
        found = self._slugs.get((caller.organisation, service, slug), ())
        if len(found) > 1:
            raise Conflict("ambiguous slug")
        return self.entries[next(iter(found))] if found else None

    async def find_by_slug(self, ping_key: str, slug: str, *, any_case: bool = False) -> HeartbeatEntry | None:
        """Like `by_slug`, but waits until the directory has caught up if it finds nothing.

        Raises:
            NotFound: there is no such key.
            Conflict: several heartbeats have this slug.
            Unavailable: it is not known here and the broker is unavailable.
        """
        try:
            found = self.by_slug(ping_key, slug, any_case=any_case)
        except NotFound:
            found = None
        if found is None:
            await self.directory.caught_up()
            found = self.by_slug(ping_key, slug, any_case=any_case)
        return found

    def _service_of(self, ping_key: str, *, any_case: bool = False) -> tuple[Caller, UUID]:
        caller = self.directory.caller(KeyKind.ping, ping_key)
        if caller is None and any_case:
            caller = self.directory.caller_in_any_case(ping_key)
        if caller is None or caller.service is None:
            raise NotFound("not found")
        return caller, caller.service

    async def create(self, ping_key: str, slug: str) -> HeartbeatEntry:
        """Has resource-cmd create a heartbeat with this slug and all channels of its service.

        Raises:
            NotFound: the service has reached its limit of heartbeats.
            Unavailable: resource-cmd does not answer.
        """
        caller, service = self._service_of(ping_key)
        request = encode(ProvisionCheck(caller.organisation, service, slug))
        created = decode_provisioned(await self.broker.request(SUBJECT, request, CREATE_TIMEOUT)).id
        if created is None:
            raise NotFound("not found")
        try:
            async with asyncio.timeout(CREATE_TIMEOUT):
                while not await self.directory.fetch_latest("heartbeat", created):
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise Unavailable("The heartbeat is not known here yet; please try again in a moment.") from None
        return await self.find(str(created))

    async def accept(
        self,
        text: str,
        scope: Scope,
        kind: Kind = Kind.tick,
        message: str = "",
    ) -> None:
        """Accepts a ping by the id of its heartbeat; returns when it is durable.

        Raises:
            NotFound: there is no such heartbeat.
            WrongMethod: it does not accept this method.
            Unavailable: the ping could not be stored.
        """
        entry = self.entries.get(text) or await self.find(text)
        method = scope["method"]
        if method not in entry.methods:
            raise WrongMethod(f"This heartbeat accepts {', '.join(sorted(entry.methods))}, not {method}")
        await self.store(entry, method, kind, *origin(scope), message=message)

    async def store(
        self,
        entry: HeartbeatEntry,
        method: str,
        kind: Kind,
        client: str,
        scheme: str,
        agent: str,
        *,
        message: str = "",
        body: bytes = b"",
        run_id: bytes = b"",
        exit_status: int | None = None,
    ) -> None:
        """Stores a ping; returns when it is durable. Texts from outside are cleaned here.

        Raises:
            Unavailable: it could not be stored.
        """
        message, agent = clean(message, MESSAGE_LIMIT, lines=True), clean(agent, TEXT_LIMIT)
        await self.committer.add(
            Ping(
                uuid_utils.uuid7().bytes, entry.id, time.time_ns() // 1000, kind, message, method, client, scheme,
                agent, body, run_id, exit_status,
            )
        )  # fmt: skip


def origin(scope: Scope) -> tuple[str, str, str]:
    """A request's client address, scheme and user agent, for display only (contract B.5)."""
    client = scope["client"]
    agent = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"), "")
    return client[0] if client else "", scope["scheme"], agent
