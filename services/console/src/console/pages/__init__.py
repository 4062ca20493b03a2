"""What each page shows and does; one file for each noun."""

from console.pages import (
    alerts,
    editing,
    first_run,
    heartbeats,
    incidents,
    lists,
    live,
    monitors,
    operating,
    overview,
    servers,
    services,
    signing_in,
    statuspages,
)
from console.pages.monitors import EDITOR as _MONITOR

_EDITORS = (_MONITOR, heartbeats.EDITOR, servers.EDITOR)

ROUTES = [
    signing_in.routes,
    overview.routes,
    first_run.routes,
    live.routes,
    *(lists.routes_of(each.noun, "cpu-total-usage" if each is servers.EDITOR else "") for each in _EDITORS),
    *(editing.routes_of(each) for each in _EDITORS),  # before those of one: /monitors/new is no monitor
    monitors.routes,
    heartbeats.routes,
    servers.routes,
    alerts.routes,
    incidents.routes,
    statuspages.routes,
    services.routes,
    operating.routes,
]
