"""A ping at the door: which heartbeat, allowed or not, kept before it is answered."""

import time
from collections import defaultdict
from typing import NamedTuple
from uuid import UUID

import msgspec
import uuid_utils

from data_gateway.commit import Committer
from pinghome_common.errors import Conflict, DomainError, NotFound
from pinghome_common.events import Envelope
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.key import Kind as KeyKind
from pinghome_common.events.ping import Kind, Ping
from pinghome_common.known import Known

MESSAGE_LIMIT = 1000
TEXT_LIMIT = 200

Headers = list[tuple[bytes, bytes]] | tuple[()]


class WrongMethod(DomainError):
    """The heartbeat's settings do not allow this verb."""

    status = 405


class Entry(NamedTuple):
    """What the door knows of a heartbeat."""

    id: bytes
    methods: frozenset[str]
    post_only: bool
    place: tuple[UUID, str]
    """Its service and its slug."""


class Door:
    """What the gateway knows of heartbeats, and the way in for pings. The service's start gives it its two parts."""

    known: Known
    committer: Committer

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        """By id, as it stands in URLs."""
        self._slugs: dict[tuple[UUID, str], set[str]] = defaultdict(set)

    def learn(self, event: Envelope) -> None:
        """Takes in an event of a heartbeat."""
        text = str(event.subject)
        if old := self.entries.pop(text, None):
            self._slugs[old.place].discard(text)
            if not self._slugs[old.place]:
                del self._slugs[old.place]
        if not event.deleted:
            it = msgspec.json.decode(event.data, type=Heartbeat)
            place = it.service_id, it.slug
            self.entries[text] = Entry(event.subject.bytes, frozenset(it.methods), it.methods == ["POST"], place)
            self._slugs[place].add(text)

    async def find(self, text: str) -> Entry:
        """A heartbeat by its id.

        Raises:
            NotFound: there is none.
            Unavailable: it is not known here and the broker cannot be asked.
        """
        found = self.entries.get(text)
        if found is None:
            try:
                heartbeat = UUID(text) if len(text) == 36 and text.isascii() else None
            except ValueError:
                heartbeat = None
            if heartbeat is not None:
                found = self.entries.get(str(heartbeat))
                if found is None and await self.known.settle("heartbeat", heartbeat):
                    found = self.entries.get(str(heartbeat))
        if found is None:
            raise NotFound("Heartbeat not found")
        return found

    def by_slug(self, ping_key: str, slug: str) -> Entry | None:
        """A heartbeat by the ping key of its service and its slug; None when there is none.

        Raises:
            NotFound: nobody has this key.
            Conflict: there are several.
        """
        caller = self.known.caller(KeyKind.ping, ping_key)
        if caller is None or caller.service is None:
            raise NotFound("not found")
        found = self._slugs.get((caller.service, slug), set())
        if len(found) > 1:
            raise Conflict("ambiguous slug")
        return self.entries[next(iter(found))] if found else None

    async def create(self, ping_key: str, slug: str) -> Entry:
        """Has resource-cmd make the check that a slug does not find (`?create=1`), with all channels of its service.

        Raises:
            NotFound: the service may have no more checks.
            Unavailable: resource-cmd does not answer.
        """
        caller = self.known.caller(KeyKind.ping, ping_key)
        if caller is None or caller.service is None:
            raise NotFound("not found")
        return await self.find(await self.ask_for_check(caller.organisation, caller.service, slug))

    async def accept(
        self,
        text: str,
        method: str,
        kind: Kind = Kind.tick,
        message: str = "",
        headers: Headers = (),
        client: str = "",
        scheme: str = "http",
    ) -> None:
        """Returns when a ping of PingHome's dialect is durable.

        Raises:
            NotFound: there is no such heartbeat.
            WrongMethod: it does not take this verb.
            Unavailable: the ping could not be kept.
        """
        entry = self.entries.get(text) or await self.find(text)
        if method not in entry.methods:
            raise WrongMethod(f"This heartbeat takes {', '.join(sorted(entry.methods))}, not {method}")
        message = message[:MESSAGE_LIMIT].replace("\x00", "\N{REPLACEMENT CHARACTER}")
        await self.keep(entry, method, kind, headers, client, scheme, message=message)

    async def keep(
        self,
        entry: Entry,
        method: str,
        kind: Kind,
        headers: Headers,
        client: str,
        scheme: str,
        *,
        message: str = "",
        body: bytes = b"",
        run_id: bytes = b"",
        exit_status: int | None = None,
    ) -> None:
        """Returns when the ping is durable.

        Raises:
            Unavailable: it could not be kept.
        """
        agent = ""
        for name, value in headers:
            if name == b"user-agent":
                agent = value.decode("latin-1")[:TEXT_LIMIT]
            elif name == b"x-forwarded-for":  # for display only, never for a decision (contract B.5)
                client = _address(value)
            elif name == b"x-forwarded-proto":
                scheme = "https" if value == b"https" else "http"
        await self.committer.add(
            Ping(
                uuid_utils.uuid7().bytes, entry.id, time.time_ns() // 1000, kind, message, method, client, scheme,
                agent, body, run_id, exit_status,
            )
        )  # fmt: skip


def _address(forwarded: bytes) -> str:
    """The first address of `X-Forwarded-For`, an IPv4 one without its port."""
    first = forwarded.decode("latin-1").partition(",")[0].strip()[:45]
    return first.partition(":")[0] if first.count(":") == 1 else first
