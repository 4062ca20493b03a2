"""What each page shows and does; one file for each noun."""

from console.pages import (
    alerts,
    announcing,
    editing,
    first_run,
    heartbeats,
    incidents,
    lists,
    live,
    monitors,
    operating,
    outside,
    overview,
    picking,
    servers,
    services,
    signing_in,
    statuspages,
    subscribers,
)
from console.pages.monitors import EDITOR as _MONITOR

_EDITORS = (_MONITOR, heartbeats.EDITOR, servers.EDITOR)

ROUTES = [
    signing_in.routes,
    overview.routes,
    first_run.routes,
    live.routes,
    picking.routes,
    *(lists.routes_of(each.noun, "cpu-total-usage" if each is servers.EDITOR else "") for each in _EDITORS),
    *(editing.routes_of(each) for each in _EDITORS),  # before those of one: /monitors/new is no monitor
    monitors.routes,
    outside.routes,
    heartbeats.routes,
    servers.routes,
    alerts.routes,
    announcing.routes,  # before one: /incidents/new is none
    incidents.routes,
    subscribers.routes,  # before the pictures of one
    statuspages.routes,
    services.routes,
    operating.routes,
]
