"""The rows of subscriptions."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.subscription import ChannelType, Subscription
from pinghome_common.store import Row, Store
from statuspage_cmd.subscriptions import subscription
from statuspage_cmd.subscriptions.bulk import LOGGED, TIMEOUT, event

A_DAY = 3
"""Requests to verify that one address is sent in a day."""


class Subscriptions(Store[Subscription]):
    """Subscriptions of all pages."""

    source, prefix = "statuspage-cmd", "status"
    noun, type = "subscription", Subscription
    columns: ClassVar = {"pages": "uuid[]", "target": "bytea", "chosen": "uuid[]", "verified": "boolean"}

    def _values(self, state: Subscription) -> list[Any]:
        chosen = [*state.chosen.components, *state.chosen.groups]
        return [state.pages, state.target, chosen, state.verified_at is not None]

    async def of(self, target: bytes, pages: Sequence[UUID]) -> Row[Subscription] | None:
        """The subscription of an address to exactly these pages; until the end, nobody else adds one."""
        await self._tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 4))", target.hex())
        found = await self._tx.fetchval(
            "SELECT id FROM subscription WHERE target = $1 AND pages = $2::uuid[]", target, pages
        )
        return await self.edit(found) if found else None

    async def may_ask(self, target: bytes) -> bool:
        """Whether an address may be asked once more today if it wants to be told; that is noted."""
        asked: bool | None = await self._tx.fetchval(
            "INSERT INTO asked (target, at) SELECT $1, $2 WHERE $3 > (SELECT count(*) FROM asked"
            " WHERE target = $1 AND at > $2::timestamptz - interval '1 day') RETURNING true",
            target, self._now, A_DAY,
        )  # fmt: skip
        return bool(asked)

    async def check_limit(self, pages: Sequence[UUID], most: int, more: int = 1) -> None:
        """Raises Invalid when one of some pages would have more subscribers than it may have."""
        for page in pages:
            count = await self._tx.fetchval(
                "SELECT count(*) FROM subscription WHERE verified AND pages @> ARRAY[$1::uuid]", page
            )
            if count + more > most:
                raise Invalid(FieldError("statuspage_id", f"a status page has at most {most} subscribers"))

    async def cancel(self, id_: UUID) -> None:
        """Ends a subscription, and whatever else would tell its address of the same pages.

        Raises:
            NotFound: it has ended before.
        """
        row = await self.edit(id_)
        others = await self._tx.fetch(
            "SELECT id FROM subscription WHERE target = $1 AND pages && $2::uuid[] AND id <> $3",
            row.state.target, row.state.pages, id_,
        )  # fmt: skip
        await self.remove(row)
        for other in await self.edit_many([each["id"] for each in others]):
            other.state = subscription.without(other.state, row.state.pages, self._now)
            await (self.save(other) if other.state.pages else self.remove(other))

    async def leave(self, page: UUID) -> None:
        """Ends all subscriptions to a page that goes; nobody is told."""
        await self._tx.execute(_LEAVE_IT, self._template("deleted"), page, timeout=TIMEOUT)
        await self._tx.execute(_LEAVE_ONE_OF_SOME, self._template("updated"), page, self._now, timeout=TIMEOUT)

    async def bring(self, template: Subscription, addresses: Sequence[str]) -> int:
        """Adds verified subscriptions to one page, as the template says; returns how many.

        What mail addresses are there already stay as they are, but for those that were not verified: now they are.
        """
        targets = [subscription.fingerprint(ChannelType.email, each) for each in addresses]
        state, page = self._json(template), template.pages[0]
        await self._tx.execute(_CONFIRM, self._template("updated"), state, page, targets, timeout=TIMEOUT)
        made = await self._tx.fetch(
            _BRING, self._template("created"), state, page, targets, list(addresses), self._values(template)[2],
            timeout=TIMEOUT,
        )  # fmt: skip
        if made:  # in the order of the log: who has seen the last has seen all
            self._on_event(max(made, key=lambda row: int(row["id"]))["event_id"])
        return len(made)

    async def expire(self) -> None:
        """Deletes what was not verified in a week: until then its link says that it is too late."""
        await self._tx.execute(_EXPIRE, self._template("deleted"), self._now, timeout=TIMEOUT)

    def _template(self, what: str) -> str:
        return event(f"{self.noun}.{what}", self._actor, self._now)


_LEAVE_IT = f"""
WITH made AS (
    DELETE FROM subscription WHERE pages = ARRAY[$2::uuid]
    RETURNING id, organisation, version + 1 AS version, state
) {LOGGED}
"""  # our own text
_LEAVE_ONE_OF_SOME = f"""
WITH made AS (
    UPDATE subscription SET version = version + 1, pages = array_remove(pages, $2::uuid),
        state = state || jsonb_build_object('pages', array_remove(pages, $2::uuid), 'updated_at', $3::timestamptz)
    WHERE pages @> ARRAY[$2::uuid] RETURNING id, organisation, version, state
) {LOGGED}
"""  # our own text
_CONFIRM = f"""
WITH made AS (
    UPDATE subscription SET version = version + 1, verified = true,
        state = state || jsonb_build_object(
            'verified_at', $2::jsonb->'verified_at', 'updated_at', $2::jsonb->'updated_at'
        )
    WHERE target = ANY($4::bytea[]) AND pages = ARRAY[$3::uuid] AND NOT verified
    RETURNING id, organisation, version, state
) {LOGGED}
"""  # our own text
_BRING = f"""
WITH made AS (
    INSERT INTO subscription (id, organisation, version, state, pages, target, chosen, verified)
    SELECT n.id, (n.state->>'organisation')::uuid, 1, n.state || jsonb_build_object(
        'id', n.id, 'channel_value', address, 'target', encode(target, 'base64')
    ), ARRAY[$3::uuid], target, $6::uuid[], true
    FROM (
        SELECT gen_random_uuid() AS id, $2::jsonb AS state, target, address
        FROM unnest($4::bytea[], $5::text[]) WITH ORDINALITY AS a (target, address, nth) ORDER BY nth
    ) AS n
    WHERE NOT EXISTS (
        SELECT FROM subscription s WHERE s.target = n.target AND s.verified AND s.pages @> ARRAY[$3::uuid]
    )
    RETURNING id, organisation, version, state
) {LOGGED}
"""  # our own text
_EXPIRE = f"""
WITH made AS (
    DELETE FROM subscription
    WHERE NOT verified AND (state->>'requested_at')::timestamptz < $2::timestamptz - interval '7 days'
    RETURNING id, organisation, version + 1 AS version, state
) {LOGGED}
"""  # our own text
