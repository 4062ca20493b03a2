"""Incidents that open and resolve by themselves (contract H); no I/O, the time is an argument."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from pinghome_common.events.incident import Affected, Incident, IncidentStatus, IncidentUpdate, outage
from pinghome_common.events.statuspage import ComponentStatus, StatusPage
from pinghome_common.html import quoted
from statuspage_cmd.incidents.incident import settle

AGAIN = timedelta(minutes=30)
"""Within which a component that fails again reopens the incident."""

RECHECK = timedelta(seconds=10)
"""After which one that is down in its own maintenance is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A component that shows what it follows.

    `since` is when that went down, or when it was down last; `told` is the beginning of the last outage that an
    incident has told of.
    """

    id: UUID
    name: str
    down: bool
    since: datetime
    told: datetime | None = None
    maintained: bool = False


class Act(Enum):
    """What is to be done with a page's automatic incident."""

    open = "open"
    join = "join"
    reopen = "reopen"
    resolve = "resolve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be done, for which components; which outages are told of with it; when to look again."""

    act: Act | None = None
    components: Sequence[Watched] = ()
    told: Sequence[Watched] = ()
    look_at: datetime | None = None


def decide(
    page: StatusPage,
    watched: Sequence[Watched],
    incident: Incident | None,
    by_people: AbstractSet[UUID],
    now: datetime,
) -> Decision:
    """What is to be done about a page's outages.

    An outage opens, joins or reopens an incident once, when it has lasted for the page's delay; nothing is told of
    components that an open incident of people names.

    Args:
        page: with its settings.
        watched: its components that follow something.
        incident: its newest automatic one, open or resolved.
        by_people: components that open incidents of people name.
        now: the time.
    """
    wanted, delay = page.auto_incidents and page.enabled, timedelta(seconds=page.auto_incident_delay)
    ours = {each.component for each in incident.components} if incident else set()
    fresh = [it for it in watched if wanted and it.down and not it.maintained and it.told != it.since]
    ripe = [it for it in fresh if now - it.since >= delay]
    waits = [it.since + delay for it in fresh if it not in ripe]
    waits += [now + RECHECK for it in watched if wanted and it.down and it.maintained]
    news = [it for it in ripe if it.id not in by_people]
    act: Act | None = None
    if incident is None or incident.resolved_at:
        if news:
            act = Act.reopen if incident and _again(incident, ours, news) else Act.open
    elif news := [it for it in news if it.id not in ours]:
        act = Act.join
    else:
        affected = [it for it in watched if it.id in ours]
        well_at = max((it.since for it in affected), default=now - delay) + delay
        if any(it.down for it in affected):
            pass
        elif well_at <= now:
            act = Act.resolve
        else:
            waits.append(well_at)
    return Decision(act=act, components=tuple(news), told=tuple(ripe), look_at=min(waits, default=None))


def _again(incident: Incident, ours: AbstractSet[UUID], news: Sequence[Watched]) -> bool:
    resolved = incident.resolved_at
    return resolved is not None and any(it.id in ours and it.since - resolved <= AGAIN for it in news)


def opened(id_: UUID, page: StatusPage, components: Sequence[Watched], now: datetime) -> Incident:
    """A new automatic incident, which began with the first of the outages."""
    it = Incident(
        id=id_, organisation=page.organisation, page=page.id, title=outage(_names(components)),
        message=quoted(f"Our monitoring reports that {outage(_names(components))}."),
        opened_with=_affected(components), notify=True, automatic=True, composed=["title", "message"],
        occurred_at=min(each.since for each in components), created_at=now, updated_at=now,
    )  # fmt: skip
    return settle(it, None, page, now)


def updated(
    id_: UUID, it: Incident, page: StatusPage, decision: Decision, now: datetime
) -> tuple[Incident, IncidentUpdate]:
    """The incident after something joined it, failed again, or all have been well; and the update that says so."""
    components, status = it.components, IncidentStatus.investigating
    match decision.act:
        case Act.join:
            components = [*it.components, *_affected(decision.components)]
            status, message = it.status, outage(_names(decision.components), "down, too")
        case Act.reopen:
            components, message = _affected(decision.components), outage(_names(decision.components), "down again")
        case _:
            status, message = IncidentStatus.resolved, "All that was affected works again"
    update = IncidentUpdate(
        id=id_, organisation=it.organisation, page=it.page, incident=it.id, status=status, components=components,
        message=quoted(f"{message}."), notify=True, composed=["message"], created_at=now, updated_at=now,
    )  # fmt: skip
    return settle(replace(it, updated_at=now), update, page, now), update


def _affected(components: Sequence[Watched]) -> list[Affected]:
    return [Affected(component=each.id, status=ComponentStatus.major_outage) for each in components]


def _names(components: Sequence[Watched]) -> list[str]:
    return [each.name for each in components]
