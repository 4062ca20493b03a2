"""The rows of aggregates: loaded for their owner only, saved with their event in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

import msgspec

from pinghome_common.batcher import columns_of
from pinghome_common.db import Connection, Database
from pinghome_common.errors import Conflict, FieldError, Invalid, NotFound, PreconditionFailed
from pinghome_common.event_log import EVENTS, INSERT, INSERT_MANY, check_size
from pinghome_common.events import Event, encode

_COUNTING = "SELECT pg_advisory_xact_lock(hashtextextended($1, 2))"

Logged = tuple[UUID, UUID, int, str, bytes]
"""An event's row in `events`."""


class Aggregate(Protocol):
    """What every aggregate's state has."""

    id: UUID
    organisation: UUID


S = TypeVar("S", bound=Aggregate)


@dataclass(slots=True)
class Row(Generic[S]):
    """An aggregate that this transaction has locked; `size` and `owned` are those of the state that was loaded."""

    state: S
    version: int
    size: int = 0
    owned: UUID | None = None


@dataclass(slots=True)
class Actor:
    """Who changes things: a caller's key, or a worker; `organisation` is None for a worker, who may touch all."""

    name: str
    organisation: UUID | None = None
    request: str = ""


class NotPermitted(Exception):
    """The store's `permitted` does not let a new aggregate in."""


def no_wait(_: UUID) -> None:
    """For workers and operators: nobody waits for the events of what they do."""


class Store(Generic[S]):
    """The aggregates of one noun inside one transaction; `on_event` gets the id of each event before it is written.

    With a database in place of a transaction each statement is one of its own, and rows that are added at the same
    time share one.

    A subclass names the noun (which is its table, too), the type of the state, the state's real columns with their
    types and, in SQL: when another one is its duplicate, whether its organisation may have it, and the further common
    table expressions of its creation (of the new row `made`) and of deletions (`$6` are the ids). `source` and
    `prefix` are those of the service's event stream.
    """

    source: ClassVar[str] = "resource-cmd"
    prefix: ClassVar[str] = "events"

    noun: ClassVar[str]
    type: ClassVar[Any]
    counted: ClassVar[str] = "true"
    """SQL of which rows a limit is about."""
    columns: ClassVar[dict[str, str]] = {}
    duplicate: ClassVar[str] = "false"
    permitted: str = "true"
    on_creation: ClassVar[str] = ""
    on_deletion: ClassVar[str] = ""

    def __init__(
        self, tx: Connection | Database, actor: Actor, on_event: Callable[[UUID], None], now: datetime
    ) -> None:
        self._tx: Any = tx
        self._actor, self._on_event, self._now = actor, on_event, now

    @property
    def now(self) -> datetime:
        """The time of what is done here."""
        return self._now

    @property
    def _word(self) -> str:
        return self.noun.replace("_", " ")

    def _values(self, state: S) -> list[Any]:  # noqa: ARG002  # not every noun has columns of its own
        return []

    def _owned(self, state: S) -> UUID | None:  # noqa: ARG002
        """What a state belongs to that only one organisation can own; such a subclass has a `_claim`."""
        return None

    async def _claim(self, state: S) -> None:
        """Makes what a state belongs to its organisation's, if it is nobody's yet.

        Raises:
            NotFound: it is another organisation's.
        """

    async def edit(self, id_: UUID, version: int | None = None) -> Row[S]:
        """Loads and locks one.

        Raises:
            NotFound: there is none, or it is another organisation's.
            PreconditionFailed: it has another version than the one wanted.
        """
        if not (rows := await self.edit_many([id_])):
            raise NotFound(f"{self._word.capitalize()} not found")
        if version not in (None, rows[0].version):
            raise PreconditionFailed(f"The {self._word} has changed since: its version is now {rows[0].version}")
        return rows[0]

    async def edit_many(self, ids: Sequence[UUID]) -> list[Row[S]]:
        """Loads and locks those of some ids that exist and are the actor's, in the order of their ids."""
        rows = await self._tx.fetch(
            f"SELECT * FROM {self.noun} WHERE id = ANY($1::uuid[]) AND ($2::uuid IS NULL OR organisation = $2)"
            " ORDER BY id FOR UPDATE",
            ids, self._actor.organisation,
        )  # fmt: skip
        return [self._loaded(row) for row in rows]

    async def edit_all(self, ids: Sequence[UUID]) -> list[Row[S]]:
        """Loads and locks all of some ids.

        Raises:
            NotFound: naming those that are not there, or another organisation's.
        """
        rows = await self.edit_many(ids)
        if missing := set(ids) - {row.state.id for row in rows}:
            raise NotFound("Not found: " + ", ".join(sorted(map(str, missing))))
        return rows

    def _loaded(self, row: Any) -> Row[S]:
        state = msgspec.json.decode(row["state"], type=self.type)
        return Row(state, row["version"], len(row["state"].encode()), self._owned(state))

    async def check_count(self, most: int, field: str) -> None:
        """Raises Invalid when the organisation has as many as it may have; until the end, nobody else adds one."""
        organisation = self._actor.organisation
        await self._tx.execute(_COUNTING, f"{self.noun} {organisation}")
        count = await self._tx.fetchval(
            f"SELECT count(*) FROM {self.noun} WHERE organisation = $1 AND {self.counted}", organisation
        )
        if count >= most:
            raise Invalid(FieldError(field, f"the organisation has {most} {self._word}s, which is the limit"))

    async def add(self, state: S, *, unique: bool = False, version: int = 1) -> Row[S]:
        """Inserts a new one, its event and all that belongs to it in one statement, which needs no transaction.

        One that there was before goes on with its next `version`.

        Raises:
            Conflict: there is a duplicate, and `unique` refuses one (contract F: a question, not an index).
            NotFound: what it belongs to is another organisation's.
            NotPermitted: `permitted` is false for another reason.
            Invalid: it is too large.
        """
        event = self._event(state, version, "created")
        check_size(event[-1], 0)
        duplicate, added = await self._insert(state, event, unique=unique)
        if not duplicate and not added:
            await self._claim(state)
            duplicate, added = await self._insert(state, event, unique=unique)
        if duplicate:
            raise self._taken(duplicate)
        if not added:
            raise NotPermitted
        return Row(state, version, owned=self._owned(state))

    async def _insert(self, state: S, event: Logged, *, unique: bool) -> tuple[UUID | None, bool]:
        """A duplicate that there is, and whether the state was inserted."""
        event_id, id_, version, *rest = event
        values = (event_id, *rest, id_, state.organisation, version, self._json(state), *self._values(state))
        if isinstance(self._tx, Database):
            found = await self._tx.batcher.row(self._insertion(unique, "unnest({}) WITH ORDINALITY", "[]"), values)
        else:
            found = await self._tx.fetchrow(self._insertion(unique, "(VALUES ({}, 1))"), *values)
        return found["duplicate"], found["added"]

    def _insertion(self, unique: bool, source: str, of: str = "") -> str:  # noqa: FBT001
        """Inserts the rows of a source of parameters, each unless it is a duplicate or not permitted."""
        columns = {"id": "uuid", "organisation": "uuid", "version": "int", "state": "jsonb", **self.columns}
        names, types = ", ".join(columns), enumerate(["uuid", "text", "bytea", *columns.values()], 1)
        rows = source.format(", ".join(f"${place}::{type_}{of}" for place, type_ in types))
        return (
            f"WITH n AS (SELECT * FROM {rows} AS n (event_id, address, body, {names}, place)),"
            f" duplicate AS (SELECT n.place, d.id FROM n CROSS JOIN LATERAL (SELECT t.id FROM {self.noun} t"
            f" WHERE {self.duplicate if unique else 'false'} LIMIT 1) d),"
            f" made AS (INSERT INTO {self.noun} ({names}) SELECT {names} FROM n"
            f" WHERE ({self.permitted}) AND place NOT IN (SELECT place FROM duplicate) RETURNING *),"
            f" logged AS (INSERT INTO {EVENTS} SELECT event_id, id, version, address, body FROM n"
            f" WHERE id IN (SELECT id FROM made)){self.on_creation}"
            " SELECT d.id AS duplicate, EXISTS (SELECT FROM made m WHERE m.id = n.id) AS added"
            " FROM n LEFT JOIN duplicate d USING (place) ORDER BY place"
        )

    async def refuse_duplicate(self, state: S) -> None:
        """Raises Conflict when a changed one has become another's duplicate."""
        columns = {"id": "uuid", "organisation": "uuid", "state": "jsonb", **self.columns}
        values = ", ".join(f"${place}::{type_} AS {name}" for place, (name, type_) in enumerate(columns.items(), 1))
        found = await self._tx.fetchval(
            f"SELECT t.id FROM {self.noun} t, (SELECT {values}) n WHERE {self.duplicate} AND t.id <> n.id LIMIT 1",
            state.id, state.organisation, self._json(state), *self._values(state),
        )  # fmt: skip
        if found:
            raise self._taken(found)

    def _taken(self, duplicate: UUID) -> Conflict:
        return Conflict(f"There is such a {self._word} already, with the id {duplicate}")

    async def save(self, row: Row[S], what: str = "updated") -> None:
        """Writes a changed one with its event.

        Raises:
            NotFound: what it belongs to now is another organisation's.
            Invalid: a command has made it too large.
        """
        event = self._changed(row, what)
        if (owned := self._owned(row.state)) != row.owned:
            await self._claim(row.state)
            row.owned = owned
        names = ["version", "state", *self.columns]
        sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(names, 7))
        await self._tx.execute(
            f"WITH logged AS ({INSERT}) UPDATE {self.noun} SET {sets} WHERE id = $6",
            *event, row.state.id, row.version, self._json(row.state), *self._values(row.state),
        )  # fmt: skip

    def _changed(self, row: Row[S], what: str) -> Logged:
        row.version += 1
        event = self._event(row.state, row.version, what)
        if self._actor.organisation:  # a worker adds only what is bounded, and must not fail for it
            check_size(event[-1], row.size)
        return event

    async def save_many(self, rows: Sequence[Row[S]], what: str = "updated") -> None:
        """Writes changed ones with their events in one statement; what they belong to must be the same.

        Raises:
            Invalid: a command has made one too large.
        """
        if not rows:
            return
        events = [self._changed(row, what) for row in rows]
        columns = {"id": "uuid", "version": "int", "state": "jsonb", **self.columns}
        values = [(row.state.id, row.version, self._json(row.state), *self._values(row.state)) for row in rows]
        arrays = ", ".join(f"${place}::{type_}[]" for place, type_ in enumerate(columns.values(), 6))
        sets = ", ".join(f"{name} = n.{name}" for name in list(columns)[1:])
        await self._tx.execute(
            f"WITH logged AS ({INSERT_MANY}) UPDATE {self.noun} t SET {sets}"
            f" FROM unnest({arrays}) n ({', '.join(columns)}) WHERE t.id = n.id",
            *columns_of(events), *columns_of(values),
        )  # fmt: skip

    async def remove(self, *rows: Row[S]) -> None:
        """Deletes some in one statement; their last events carry the states as they were."""
        events = [self._event(row.state, row.version + 1, "deleted") for row in rows]
        if events:
            await self._tx.execute(
                f"WITH logged AS ({INSERT_MANY}){self.on_deletion} DELETE FROM {self.noun} WHERE id = ANY($6::uuid[])",
                *columns_of(events), [row.state.id for row in rows],
            )  # fmt: skip

    async def remove_many(self, ids: Sequence[UUID]) -> None:
        """Deletes all of some ids, or none; raises NotFound as `edit_all` does."""
        await self.remove(*await self.edit_all(ids))

    def _event(self, state: S, version: int, what: str) -> Logged:
        event = Event(
            type=f"{self.noun}.{what}",
            source=self.source,
            time=self._now,
            subject=state.id,
            organisation=state.organisation,
            version=version,
            actor=self._actor.name,
            correlationid=self._actor.request,
            data=state,
        )
        self._on_event(event.id)
        return event.id, event.subject, event.version, event.address(self.prefix), encode(event)

    def _json(self, state: S) -> str:
        return encode(state).decode()
