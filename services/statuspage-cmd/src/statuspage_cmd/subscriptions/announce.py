"""Writes down, in the transaction of what happened, that the subscribers of a page have to be told."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.events import encode
from pinghome_common.events.incident import Incident, IncidentStatus, IncidentUpdate, Maintenance
from pinghome_common.events.notification import Notification
from pinghome_common.events.statuspage import StatusPage
from pinghome_delivery.outbox import OUTBOX
from statuspage_cmd.subscriptions import wording
from statuspage_cmd.subscriptions.bulk import LOGGED, TIMEOUT, event


async def incident(tx: Connection, page: StatusPage, it: Incident, update: IncidentUpdate | None, what: str) -> None:
    """Has the subscribers told of an incident, if that is wanted.

    Args:
        tx: the transaction that has saved it.
        page: the incident's page.
        it: the incident as it is now.
        update: the update that was published or edited; None for the incident's own message.
        what: `published` or `edited`; of edits subscribers hear where the page says so.
    """
    if not (page.notify_edits if what == "edited" else (update or it).notify):
        return
    resolved = update is not None and update.status is IncidentStatus.resolved
    title, text = wording.of_incident(page, it, update, what)
    news = _News(
        noun="incident", about=it.id, at=(update or it).updated_at, title=title, text=text, at_once=not it.automatic,
        what="edited" if what == "edited" else "resolved" if resolved else "update" if update else "incident",
        components={each.component for each in (*it.components, *(update.components if update else it.opened_with))},
        opens=update is None,
    )  # fmt: skip
    await _tell(tx, page, news)


async def maintenance(tx: Connection, page: StatusPage, it: Maintenance, what: str, at: datetime | None = None) -> None:
    """Has the subscribers told of a maintenance, if that is wanted.

    Args:
        tx: the transaction that has saved it.
        page: the maintenance's page.
        it: the maintenance as it is now.
        what: `scheduled`, `started`, `ended` or `edited`.
        at: when that was; None: when it was changed last.
    """
    if not it.notify or (what == "edited" and not page.notify_edits):
        return
    title, text = wording.of_maintenance(page, it, what)
    news = _News(
        noun="maintenance", about=it.id, at=at or it.updated_at, title=title, text=text, at_once=True,
        what=f"maintenance-{what}", components=set(it.components), opens=True,
    )  # fmt: skip
    await _tell(tx, page, news)


@dataclass(slots=True, kw_only=True)
class _News:
    noun: str
    about: UUID
    what: str
    at: datetime
    title: str
    text: str
    at_once: bool
    components: set[UUID]
    opens: bool


async def _tell(tx: Connection, page: StatusPage, news: _News) -> None:
    """One notification for each subscriber, made by PostgreSQL: there may be 50,000. A hidden page tells nobody."""
    if not page.enabled:
        return
    stamp = now()
    template = Notification(
        id=_NOBODY, organisation=page.organisation, channel=_NOBODY, channel_name="", channel_kind="",
        noun=news.noun, about=news.about, about_version=0, what=news.what, at=news.at, title=news.title,
        text=news.text, page=page.id, at_once=news.at_once, created_at=stamp,
    )  # fmt: skip
    groups = {each.group for each in page.components if each.id in news.components and each.group}
    whole = news.opens and not news.components
    created = event("notification.created", OUTBOX, stamp)
    args = created, encode(template).decode(), page.id, news.about, [*news.components, *groups], whole
    await tx.execute(_TELL, *args, timeout=TIMEOUT)


_NOBODY = UUID(int=0)

# Who has chosen components hears of these, of what concerns the whole page, and the rest of what was told before.
# Whoever is subscribed in two ways is told once.
_TELL = f"""
WITH told AS (
    SELECT DISTINCT ON (target) s.id, s.state FROM subscription s
    WHERE s.verified AND s.pages @> ARRAY[$3::uuid] AND (
        s.chosen = '{{}}' OR s.chosen && $5::uuid[] OR $6
        OR EXISTS (SELECT FROM notification p WHERE p.channel = s.id AND p.about = $4)
    )
    ORDER BY target, cardinality(s.pages)
), made AS (
    INSERT INTO notification (id, organisation, version, state, channel, about, due, open)
    SELECT n.id, (n.state->>'organisation')::uuid, 1, n.state || jsonb_build_object(
        'id', n.id, 'channel', n.channel, 'channel_name', n.subscription->'channel_value',
        'channel_kind', n.subscription->'channel_type'
    ), n.channel, $4, now(), true
    FROM (
        SELECT gen_random_uuid() AS id, $2::jsonb AS state, told.id AS channel, told.state AS subscription FROM told
    ) AS n
    RETURNING id, organisation, version, state
) {LOGGED}
"""  # noqa: S608  # our own text
