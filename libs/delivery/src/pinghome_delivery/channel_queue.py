"""What is next for one channel: its open notifications, the plan for them, and the message to send now."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.db import Connection
from pinghome_common.events.notification import Notification, State
from pinghome_common.store import Row, no_wait
from pinghome_delivery.dependencies import Decision, ParentState, decide
from pinghome_delivery.outbox import DISPATCHER, OUTAGES, Audience
from pinghome_delivery.throttling import GIVE_UP, HOUR, PastMessage, Plan, Waiting, one_by_one, plan

LOOK_AGAIN = timedelta(seconds=5)
"""After which a notification that waits for a parent is looked at again."""

LOOK_FOR = timedelta(minutes=1)
"""After which a channel that waits for its user or operator is looked at again."""

DELETED = "what it is about was deleted"


@dataclass(slots=True, kw_only=True)
class Undecided:
    """What has to be known of a notification of which nobody has decided how it is told."""

    id: UUID
    about: UUID
    noun: str
    what: str
    at: datetime
    parent: UUID | None
    state: str
    reason: str
    at_once: bool
    gone: bool
    """What it is about was deleted."""
    behind: bool
    """Another one about its monitor was decided on and is not over."""


class ChannelQueue:
    """The open notifications of one channel, inside a transaction of whoever holds the channel's lease."""

    def __init__(self, tx: Connection, channel: UUID, now: datetime, audience: Audience) -> None:
        self._tx, self._channel, self._now, self._audience = tx, channel, now, audience
        self._store = audience.store(tx, DISPATCHER, no_wait, now)

    async def next(self, *, follows: bool) -> list[Row[Notification]]:
        """The message that is due first, its leader before what it covers; before that, all that is undecided is.

        Args:
            follows: the channel follows the monitors' state, so that it is told every change by itself.

        Returns:
            Nothing when there is nothing to do now.
        """
        if message := await self._message():
            return message
        if not await self._tx.fetchval(_LOOK, self._channel, self._now):
            return []
        found = [Undecided(**dict(row)) for row in await self._tx.fetch(self._sql(_UNDECIDED), self._channel)]
        await self._due({each.id: None for each in found if each.behind})
        gone = await self._rows([each.id for each in found if each.gone and not each.behind])
        await self._suppress(list(gone.values()), DELETED)
        waiting = await self._independent([each for each in found if not each.gone and not each.behind])
        decided = await self._plan(waiting, follows=follows)
        await self._decide(waiting, decided)
        return await self._message() if decided.messages else []

    async def _plan(self, waiting: Sequence[Undecided], *, follows: bool) -> Plan:
        """What is told at once takes with it what waits about the same: in its order, each by itself."""
        undecided = [Waiting(id=each.id, about=each.about) for each in waiting]
        urgent = {each.about for each in waiting if follows or each.at_once}
        found = one_by_one([each for each in undecided if each.about in urgent])
        if rest := [each for each in undecided if each.about not in urgent]:
            later = plan(rest, await self._past_messages(), self._now)
            found = Plan(messages=found.messages + later.messages, held=later.held)
        return found

    def _sql(self, text: str) -> str:
        """Text that asks whether the monitors are `{gone}`."""
        return text.format(gone=self._audience.gone)

    async def wait(self, reason: str) -> None:
        """Holds all that is due until what the channel waits for is there; what is too old by then has failed."""
        old = self._now - GIVE_UP
        found = await self._tx.fetch(_TO_HOLD, self._channel, self._now, reason, old)
        over: list[Row[Notification]] = []
        for row in map(_row, found):
            if row.state.created_at <= old:
                over += [row, *map(_row, await self._tx.fetch(self._sql(_COVERED), row.state.covers))]
            else:
                row.state.state, row.state.reason = State.held, reason
                await self._store.save(row, "held")
        for row in _open(over):
            row.state.state, row.state.reason = State.failed, reason
            await self._store.save(row, "failed")
        await self._due({row.state.id: None for row in over})
        await self._tx.execute(_PUT_OFF, self._channel, self._now, self._now + LOOK_FOR, reason)
        await self._tx.execute(_NEXT_ABOUT, self._channel, [row.state.about for row in over], self._now)

    async def _message(self) -> list[Row[Notification]]:
        """The message that was decided on and is due first; one about deleted monitors alone ends here."""
        while leader := await self._tx.fetchrow(self._sql(_LEADER), self._channel, self._now):
            row = _row(leader)
            covered = await self._tx.fetch(self._sql(_COVERED), row.state.covers) if row.state.covers else []
            rows = [row, *map(_row, covered)]
            if not leader["gone"] or not all(each["gone"] for each in covered):
                return rows
            await self._suppress(rows, DELETED)
        return []

    async def _suppress(self, rows: Sequence[Row[Notification]], reason: str, parent: UUID | None = None) -> None:
        """Ends some that need not be told."""
        for row in _open(rows):
            row.state.state, row.state.reason, row.state.parent = State.suppressed, reason, parent
            await self._store.save(row, "suppressed")
        await self._due({row.state.id: None for row in rows})

    async def _past_messages(self) -> list[PastMessage]:
        """The messages of the last hour."""
        rows = await self._tx.fetch(
            "SELECT planned, array_agg(about) AS abouts FROM notification WHERE channel = $1 AND planned > $2"
            " AND coalesce(state->>'recipient', '') = '' GROUP BY leader, planned",
            self._channel, self._now - HOUR,
        )  # fmt: skip
        return [PastMessage(at=row["planned"], abouts=frozenset(row["abouts"])) for row in rows]

    async def _decide(self, waiting: Sequence[Undecided], decided: Plan) -> None:
        due: dict[UUID, datetime | None] = dict.fromkeys((each.id for each in waiting), None)
        rows = await self._rows([id_ for ids in decided.messages for id_ in ids])
        for ids in decided.messages:
            due[ids[0]] = self._now
            for id_ in ids:
                it = rows[id_].state
                it.state, it.reason, it.parent, it.planned = State.waiting, "", None, self._now
                it.digest = None if id_ == ids[0] else ids[0]
            rows[ids[0]].state.covers = ids[1:]
            for id_ in ids:
                await self._store.save(rows[id_], "planned")
        due |= {id_: held.until for id_, held in decided.held.items()}
        known = {each.id: each for each in waiting}
        await self._hold([(known[id_], held.reason) for id_, held in decided.held.items()])
        # The rest comes after another about the same monitor: whoever has delivered that one says when.
        await self._due(due)

    async def _hold(self, some: Sequence[tuple[Undecided, str]], parent: UUID | None = None) -> None:
        """Says why some are held, where that was not changes before."""
        reasons = {each.id: reason for each, reason in some if (each.state, each.reason) != (State.held, reason)}
        for row in (await self._rows(list(reasons))).values():
            row.state.state, row.state.reason, row.state.parent = State.held, reasons[row.state.id], parent
            await self._store.save(row, "held")

    async def _rows(self, ids: Sequence[UUID]) -> dict[UUID, Row[Notification]]:
        return {row.state.id: row for row in await self._store.edit_many(ids)} if ids else {}

    async def _due(self, times: Mapping[UUID, datetime | None]) -> None:
        """When some must be looked at again; None: when another one is delivered."""
        if not times:
            return
        await self._tx.execute(
            "UPDATE notification n SET due = m.due FROM unnest($1::uuid[], $2::timestamptz[]) AS m (id, due)"
            " WHERE n.id = m.id AND n.due IS DISTINCT FROM m.due",
            list(times), list(times.values()),
        )  # fmt: skip

    async def _independent(self, waiting: list[Undecided]) -> list[Undecided]:
        """Those that wait for no parent; an outage that nobody needs to hear of ends here, with its end."""
        dependents = {each.about for each in waiting if each.noun in self._audience.dependents}
        parents = await self._audience.parents(self._tx, dependents) if dependents else {}
        by_about: dict[UUID, list[Undecided]] = defaultdict(list)
        for each in waiting:
            by_about[each.about].append(each)
        apart: set[UUID] = set()
        for about, mine in by_about.items():
            outage, parent = _outage(mine), parents.get(about)
            if not outage or parent is None:
                continue
            decision = decide(parent, outage[0].at, self._now, waited=outage[0].parent is not None)
            if decision is Decision.wait:
                await self._wait_for(parent, outage)
            elif decision is Decision.suppress:
                await self._suppress_outage(parent, outage)
            else:
                continue
            apart |= {each.id for each in outage}
        return [each for each in waiting if each.id not in apart]

    async def _wait_for(self, parent: ParentState, outage: list[Undecided]) -> None:
        reason = f"it waits for its parent {parent.parent_name}, without which it cannot be reached"
        await self._hold([(each, reason) for each in outage], parent.parent)
        await self._due(dict.fromkeys((each.id for each in outage), self._now + LOOK_AGAIN))

    async def _suppress_outage(self, parent: ParentState, outage: list[Undecided]) -> None:
        rows = await self._rows([each.id for each in outage])
        reason = f"it was down only while its parent {parent.parent_name} could not be reached"
        await self._suppress(list(rows.values()), reason, parent.parent)


def _outage(mine: list[Undecided]) -> list[Undecided]:
    """Of what waits about one monitor, the outage that its parent may be to blame for: its last, and its end."""
    changes = [each for each in mine if each.what in OUTAGES]
    begins = [place for place, each in enumerate(changes) if each.what == "down"]
    first = next((place for place in begins if changes[place].parent), begins[-1] if begins else len(changes))
    return changes[first:]


def _open(rows: Sequence[Row[Notification]]) -> list[Row[Notification]]:
    """Those that are not over: what one recipient still has to be told was told to the others."""
    return [row for row in rows if row.state.state in (State.waiting, State.held)]


def _row(row: Any) -> Row[Notification]:
    return Row(msgspec.json.decode(row["state"], type=Notification), row["version"])


_TO_HOLD = """
SELECT state, version FROM notification
WHERE channel = $1 AND open AND due <= greatest($2, now())
    AND (state->>'state' <> 'held' OR state->>'reason' <> $3 OR (state->>'created_at')::timestamptz <= $4)
ORDER BY place
"""
# What has come since is not yet held, and is looked at next.
_PUT_OFF = """
UPDATE notification SET due = $3 WHERE channel = $1 AND open AND due <= greatest($2, now())
    AND state->>'state' = 'held' AND state->>'reason' = $4
"""
_NEXT_ABOUT = """
UPDATE notification SET due = $3 WHERE channel = $1 AND open AND planned IS NULL AND about = ANY($2::uuid[])
"""
# Only a leader that is decided on has `planned` and `due`: what it covers waits for it without a time. What is told at
# once and came before it is decided on first.
_LEADER = """
SELECT state, version, {gone} AS gone FROM notification n
WHERE channel = $1 AND open AND planned IS NOT NULL AND due <= $2 AND NOT EXISTS (
    SELECT FROM notification u WHERE u.channel = $1 AND u.open AND u.planned IS NULL AND u.due <= greatest($2, now())
    AND u.place < n.place AND (u.state->>'at_once')::boolean
) ORDER BY place LIMIT 1
"""
_COVERED = "SELECT state, version, {gone} AS gone FROM notification n WHERE id = ANY($1::uuid[]) ORDER BY place"
# New ones are due by the server's clock, which may be ahead of ours.
_LOOK = """
SELECT EXISTS (
    SELECT FROM notification WHERE channel = $1 AND open AND planned IS NULL AND due <= greatest($2, now())
)
"""
# What is left for one recipient keeps nobody waiting.
_UNDECIDED = """
SELECT id, about, state->>'noun' AS noun, state->>'what' AS what, (state->>'at')::timestamptz AS at,
    (state->>'parent')::uuid AS parent, state->>'state' AS state, state->>'reason' AS reason,
    coalesce((state->>'at_once')::boolean, false) AS at_once, {gone} AS gone, EXISTS (
        SELECT FROM notification b WHERE b.channel = n.channel AND b.about = n.about AND b.open
        AND b.planned IS NOT NULL AND coalesce(b.state->>'recipient', '') = ''
    ) AS behind
FROM notification n WHERE channel = $1 AND open AND planned IS NULL ORDER BY place
"""
