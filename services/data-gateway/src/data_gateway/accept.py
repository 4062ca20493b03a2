"""A ping at the door: which heartbeat, allowed or not, kept before it is answered."""

import time
from uuid import UUID

import msgspec
import uuid_utils

from data_gateway.commit import Committer
from pinghome_common.errors import DomainError, NotFound
from pinghome_common.events import Envelope
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.ping import Kind, Ping
from pinghome_common.known import Known

MESSAGE_LIMIT = 1000
TEXT_LIMIT = 200


class WrongMethod(DomainError):
    """The heartbeat's settings do not allow this verb."""

    status = 405


class Door:
    """What the gateway knows of heartbeats, and the way in for pings. The service's start gives it its two parts."""

    known: Known
    committer: Committer

    def __init__(self) -> None:
        self._heartbeats: dict[str, tuple[bytes, frozenset[str]]] = {}

    def learn(self, event: Envelope) -> None:
        """Takes in an event of a heartbeat."""
        if event.deleted:
            self._heartbeats.pop(str(event.subject), None)
        else:
            methods = msgspec.json.decode(event.data, type=Heartbeat).methods
            self._heartbeats[str(event.subject)] = event.subject.bytes, frozenset(methods)

    async def find(self, text: str) -> tuple[bytes, frozenset[str]]:
        """A heartbeat's id as bytes and its allowed verbs.

        Raises:
            NotFound: there is none.
            Unavailable: it is not known here and the broker cannot be asked.
        """
        found = self._heartbeats.get(text)
        if found is None:
            try:
                heartbeat = UUID(text) if len(text) == 36 and text.isascii() else None
            except ValueError:
                heartbeat = None
            if heartbeat is not None:
                found = self._heartbeats.get(str(heartbeat))
                if found is None and await self.known.settle("heartbeat", heartbeat):
                    found = self._heartbeats.get(str(heartbeat))
        if found is None:
            raise NotFound("Heartbeat not found")
        return found

    async def accept(
        self,
        text: str,
        method: str,
        kind: Kind = Kind.tick,
        message: str = "",
        headers: "list[tuple[bytes, bytes]] | tuple[()]" = (),
        client: str = "",
        scheme: str = "http",
    ) -> None:
        """Returns when the ping is durable.

        Raises:
            NotFound: there is no such heartbeat.
            WrongMethod: it does not take this verb.
            Unavailable: the ping could not be kept.
        """
        heartbeat, methods = self._heartbeats.get(text) or await self.find(text)
        if method not in methods:
            raise WrongMethod(f"This heartbeat takes {', '.join(sorted(methods))}, not {method}")
        agent = ""
        for name, value in headers:
            if name == b"user-agent":
                agent = value.decode("latin-1")[:TEXT_LIMIT]
            elif name == b"x-forwarded-for":  # for display only, never for a decision (contract B.5)
                client = value.decode("latin-1").partition(",")[0].strip()[:45]
            elif name == b"x-forwarded-proto":
                scheme = "https" if value == b"https" else "http"
        await self.committer.add(
            Ping(
                uuid_utils.uuid7().bytes, heartbeat, time.time_ns() // 1000, kind,
                message[:MESSAGE_LIMIT].replace("\x00", "\N{REPLACEMENT CHARACTER}"), method, client, scheme, agent,
            )
        )  # fmt: skip
