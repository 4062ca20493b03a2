"""An in-memory directory of keys for authentication without a database."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from pinghome_common.clock import now
from pinghome_common.errors import Unavailable
from pinghome_common.events import Envelope
from pinghome_common.events.key import Key, Kind, Scope
from pinghome_common.following import Follower
from pinghome_common.secret import token_hash
from pinghome_common.stream import Broker


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller: the key's organisation and scope. A session ends at `expires_at`."""

    key: UUID
    name: str
    organisation: UUID
    scope: Scope
    service: UUID | None = None
    server: UUID | None = None
    page: UUID | None = None
    parent: UUID | None = None
    expires_at: datetime | None = None

    @property
    def is_session(self) -> bool:
        """Whether the key is that of a session."""
        return self.expires_at is not None

    @property
    def root(self) -> UUID:
        """The key that a session goes with; else the key itself."""
        return self.parent or self.key


class Directory(Follower):
    """The keys of all organisations.

    Args:
        broker: the connection to the broker.
        path: the file of the snapshot.
        handlers: other nouns to follow, with the functions that their events are passed to.
    """

    def __init__(
        self, broker: Broker, path: Path, handlers: dict[str, Callable[[Envelope], None]] | None = None
    ) -> None:
        super().__init__(broker, path, {"key": self._apply_key, **(handlers or {})})
        self._keys: dict[tuple[Kind, bytes], Caller] = {}
        self._by_id: dict[UUID, Key] = {}
        self._folded: dict[bytes, dict[UUID, Caller]] = defaultdict(dict)

    def caller(self, kind: Kind, token: str) -> Caller | None:
        """The caller that a token belongs to, unless it has ended."""
        found = self._keys.get((kind, token_hash(token)))
        return None if found and found.expires_at and found.expires_at <= now() else found

    def authenticated(self, kind: Kind, token: str) -> Caller | None:
        """The caller that a token belongs to; None when it is nobody's.

        Raises:
            Unavailable: the keys are not known yet, so nobody can say whose it is.
        """
        found = self.caller(kind, token)
        if found is None and not self.ready:
            raise Unavailable("The keys are not known here yet; please try again in a moment.")
        return found

    def keys(self, kind: Kind) -> list[Key]:
        """All keys of a kind."""
        return [key for key in self._by_id.values() if key.kind is kind]

    def of(self, organisation: UUID) -> list[Key]:
        """The keys of an organisation, oldest first; sessions are not among them."""
        found = (it for it in self._by_id.values() if it.organisation == organisation and not it.expires_at)
        return sorted(found, key=lambda it: it.id)

    async def shows(self, key: UUID, *, there: bool, most: float) -> None:
        """Waits at most some seconds until a key is known here, or is no longer: then every service can know."""
        with suppress(TimeoutError):
            async with asyncio.timeout(most):
                while (key in self._by_id) is not there:
                    await asyncio.sleep(0.005)

    def caller_in_any_case(self, ping_key: str) -> Caller | None:
        """The caller that a ping key belongs to, ignoring case; None if there is none or more than one."""
        found = self._folded.get(token_hash(ping_key.lower()), {})
        return next(iter(found.values())) if len(found) == 1 else None

    def _apply_key(self, event: Envelope) -> None:
        if old := self._by_id.pop(event.subject, None):
            self._keys.pop((old.kind, old.hash), None)
            if old.folded:
                callers = self._folded[old.folded]
                del callers[old.id]
                if not callers:
                    del self._folded[old.folded]
        if event.deleted:
            return
        key = msgspec.json.decode(event.data, type=Key)
        self._by_id[key.id] = key
        of = key.service, key.server, key.page
        caller = Caller(key.id, key.name, key.organisation, key.scope, *of, key.parent, key.expires_at)
        self._keys[key.kind, key.hash] = caller
        if key.folded:
            self._folded[key.folded][key.id] = caller
