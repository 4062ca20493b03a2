"""What subscribers are told, in words: titles of one line, and texts."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from pinghome_common.events.incident import Affected, Incident, IncidentUpdate, Maintenance, public_title
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.plain import plain
from statuspage_cmd.language import language

MOST = 4000
"""Characters of a message; the page has the rest."""


def of_incident(page: StatusPage, it: Incident, update: IncidentUpdate | None, what: str) -> tuple[str, str]:
    """Title and text of an incident, or of one of its updates."""
    status, components = (update.status, update.components) if update else (it.opened_as, it.opened_with)
    words = language(page.language)
    title = words(f"incident.{status}", title=public_title(it, _shown(page)))
    affected = _affected(page, components, over=it.resolved_at is not None)
    text = _paragraphs(plain((update or it).message, MOST), affected)
    return words("edited", title=title) if what == "edited" else title, text


def of_maintenance(page: StatusPage, it: Maintenance, what: str) -> tuple[str, str]:
    """Title and text of a maintenance."""
    words, zone = language(page.language), ZoneInfo(page.timezone)
    begin, end = it.started_at or it.scheduled_for, it.ended_at or it.ends_at
    when = words("when", begin=_moment(begin, zone), end=_moment(end, zone), zone=page.timezone)
    names = ", ".join(_names(page, it.components))
    text = _paragraphs(plain(it.message, MOST), when, words("affected", names=names) if names else "")
    title = words(f"maintenance.{'scheduled' if what == 'edited' else what}", title=it.title)
    return words("edited", title=title) if what == "edited" else title, text


def _affected(page: StatusPage, affected: Iterable[Affected], *, over: bool) -> str:
    """Hidden components are not named; how the others were is of no interest when it is over."""
    words, statuses = language(page.language), {each.component: each.status for each in affected}
    shown = [it for it in page.components if it.id in statuses and it.showcased]
    names = [it.name if over else f"{it.name} ({words(f'component.{statuses[it.id]}')})" for it in shown]
    return words("affected", names=", ".join(names)) if names else ""


def _names(page: StatusPage, ids: Iterable[UUID]) -> list[str]:
    wanted = set(ids)
    return [name for id_, name in _shown(page).items() if id_ in wanted]


def _shown(page: StatusPage) -> dict[UUID, str]:
    return {it.id: it.name for it in page.components if it.showcased}


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
