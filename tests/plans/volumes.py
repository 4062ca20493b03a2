"""How many rows each table gets, and what makes them differ; `n` is the number of monitored things in all."""

# ruff: noqa: S608  # our own words

from datetime import timedelta

import asyncpg

from pinghome_common.clock import now
from plans.large import Patterns, copy, prepare, state, words
from statistic_query.partition import Partitions

DAY_AHEAD = "((extract(epoch FROM now()) + 86400 + g) * 1000000)::bigint"
MAILED = "organisation_id(1 + g % 9), 'p' || g || '@example.com', now(), now(), NULL"
AHEAD = "now() + g * interval '1 hour'"
HASH = "sha256(int8send(g))"
OTHERS = {"organisation": "organisation_id(1 + g % 9)", "service": "service_id(1 + g % 9)"}
REGION = "CASE WHEN g % 2 = 0 THEN 'eu-central-1' ELSE 'us-east-1' END"
RECENT = "now() - g * interval '0.25 seconds'"
LONG = "now() - g * interval '15 minutes'"
HOUR = "date_trunc('hour', now()) - g * interval '1 hour'"
TAGS = "'tag-' || g % 1000 || ' common'"


def _own(noun: str, *columns: str, **members: str) -> dict[str, str]:
    """What differs in a thing that an organisation owns: ids, and those of `columns` that it has."""
    own = {"id": f"{noun}_id(g)", "organisation": "organisation(g)"}
    name = f"'{noun} ' || g"
    more = {"service": "service(g)", "name": name}
    service = {"service_id": "service(g)"} if "service" in columns else {}
    written = {name: value for name, value in (own | service | {"name": name} | members).items() if value}
    return own | {column: more[column] for column in columns} | {"state": state(**written)}


def _monitors(*columns: str) -> dict[str, dict[str, str]]:
    """The same of each kind of monitor; they are paused or long before their deadline, for nobody reports."""
    slugged = {"slug": "'slug-' || g", "tags": TAGS, "period": "60 + g % 1000"}
    tagged = {"interval": "86400", "enabled": "(g % 8 = 0)"}
    return {
        "resource": _own("resource", *columns, **tagged),
        "heartbeat": _own("heartbeat", *columns, **slugged),
        "server_resource": _own("server", *columns),
    }


async def resource_cmd(tx: asyncpg.Connection, it: Patterns, n: int) -> None:
    """Commands' rows."""
    await prepare(tx, it, n)
    await copy(tx, "organisation", 9, id="organisation_id(g)", name="'Other ' || g")
    await copy(tx, "service_owner", 9, service="service_id(g)", organisation="organisation_id(g)")
    service = state(id="service_id(g)", organisation="organisation_id(g)", name="'Other ' || g")
    await copy(tx, "service", 9, id="service_id(g)", organisation="organisation_id(g)", state=service)
    await copy(tx, "channel", n // 50, **_own("channel", service_id="service(g)"))
    made = _monitors("service", "name")
    await copy(
        tx, "resource", n * 4 // 10, f"id = '{it.resource}'", judge_at="NULL", status="'paused'", **made["resource"]
    )
    await _alive(tx, it, n, made)
    await copy(tx, "server_runtime", n // 25, server="server_id(g)", alert_after=DAY_AHEAD)
    agent = _own("key", server="server_id(g)", hash="", folded="")
    await copy(tx, "key", n // 25, "state ? 'server' AND state->>'server' IS NOT NULL", hash=HASH, **agent)
    integration = _own("integration", resource="resource_id(g)")
    await copy(tx, "integration", n // 25, resource="resource_id(g)", key="'r' || g", target=HASH, **integration)
    told = _own("notification")
    delivered = {"channel": "channel_id(1 + g % 100)", "about": "of_resource(g)", "due": "NULL", "open": "false"}
    await copy(tx, "notification", n, planned="ago(g)", **(told | delivered))
    await _events(tx, n)
    for statement in (
        f"INSERT INTO mail_address SELECT {MAILED} FROM g({n // 10})",
        f"INSERT INTO domain (name, due) SELECT 'd' || g || '.com', now() + interval '1 day' FROM g({n // 5})",
        f"INSERT INTO reminded SELECT resource_id(g), 'ssl', now(), 7 FROM g({n // 10})",
        f"INSERT INTO mute SELECT other_id(g), page_id(g), 1, '[]', {AHEAD}, {AHEAD} FROM g({n // 10})",
        f"INSERT INTO muted SELECT resource_id(g), organisation(g), 'resource' FROM g({n // 10}) WHERE g % 100 = 0",
        f"INSERT INTO page SELECT page_id(g), organisation_id(1 + g % 9), 1, '[]' FROM g({n // 10})",
        f"INSERT INTO page_metric SELECT metric_id(g), 1 FROM g({n // 10})",
        f"INSERT INTO revoked SELECT {HASH} FROM g({n // 10})",
    ):
        await _run(tx, statement)


async def resource_query(tx: asyncpg.Connection, it: Patterns, n: int) -> None:
    """Records."""
    await prepare(tx, it, n)
    service = state(id="service_id(g)", organisation="organisation_id(g)", name="'Other ' || g")
    await copy(tx, "service", 9, id="service_id(g)", organisation="organisation_id(g)", state=service)
    await copy(tx, "channel", n // 50, **_own("channel", "service"))
    made = _monitors("service")
    await copy(tx, "resource", n * 4 // 10, f"id = '{it.resource}'", **made["resource"])
    made["heartbeat"]["unique_key"] = f"left(encode({HASH}, 'hex'), 40)"
    await _alive(tx, it, n, made)
    await copy(tx, "server_newest", n // 25, server="server_id(g)")
    integration = _own("integration", resource="resource_id(g)")
    await copy(tx, "integration", n // 25, resource="resource_id(g)", **integration)


async def statistic_query(tx: asyncpg.Connection, it: Patterns, n: int) -> None:
    """History."""
    await prepare(tx, it, n)
    for noun, kind, count in (("resource", "resource", n * 4 // 10), ("heartbeat", "heartbeat", n // 2),
                              ("server_resource", "server", n // 25)):  # fmt: skip
        key = {"unique_key": f"left(encode({HASH}, 'hex'), 40)"} if noun == "heartbeat" else {}
        own = {"id": f"{kind}_id(g)", "organisation": "organisation(g)", "created_at": "ago(g)"}
        await copy(tx, "monitor", count, f"noun = '{noun}'", **own, **key)
    for table in ("ping", "result", "failure", "sample", "metric_minute"):
        days = Partitions(dict.fromkeys([table], 30))
        await days.create(tx, table, [now() - timedelta(days=each) for each in range(3)])
    pinged = {"id": "gen_random_uuid()", "heartbeat": "of_heartbeat(g)", "n": "g + 1000"}
    await copy(tx, "ping", 2 * n, f"heartbeat = '{it.heartbeat}'", at=RECENT, **pinged)
    await copy(tx, "ping_hour", n, heartbeat="of_heartbeat(g)", at=HOUR)
    await copy(tx, "ping_sequence", n // 2, heartbeat="heartbeat_id(g)")
    await copy(tx, "flip", n, heartbeat="of_heartbeat(g)", version="10000000 - g", at="ago(g)")
    await copy(tx, "series", n * 8 // 10, resource="resource_id(1 + g / 2)", region=REGION)
    series = f"CASE WHEN g % 10 = 0 THEN p.series ELSE 10 + g % {n * 8 // 10} END"
    await copy(tx, "result", 2 * n, "verdict = 1", slot=RECENT, series=series)
    await copy(tx, "failure", n // 5, slot="now() - g * interval '2.5 seconds'", series="p.series")
    last = n * 8 // 10 - 20
    await copy(tx, "latency_day", n, series=f"10 + g % {last}", day=f"current_date - (g / {last})::int")
    await copy(tx, "result_day", n, resource="of_resource(g)", day="current_date - g / 10")
    await copy(tx, "state_change", n, resource="of_resource(g)", version="10000000 - g", at="ago(g)")
    told = {"id": "notification_id(g)", "about": "of_resource(g)", "at": "ago(g)", "page": "page(g)"}
    await copy(tx, "notification", n, state=state(id="notification_id(g)"), **told)
    minute = "date_trunc('minute', now()) - g / 10 % 2800 * interval '1 minute'"
    await copy(tx, "sample", n, server="of_server(g)", at=RECENT)
    await copy(tx, "metric_hour", n, like="metric_minute", server="of_server(g)", at=HOUR)
    await copy(tx, "metric_day", n // 5, like="metric_minute", server="of_server(g)", at=HOUR)
    await copy(tx, "metric_minute", n, server="of_server(g)", at=minute)
    await copy(tx, "metric_name", n // 2, server=f"server_id(1 + g % {n // 25})", name="'disk ' || g")
    await copy(tx, "statuspage", n // 50, id="page_id(g)", organisation="organisation_id(1 + g % 9)")
    await _run(tx, f"INSERT INTO address (address) SELECT 'a' || g FROM g({n // 10})")
    await _run(tx, f"INSERT INTO deleted_server SELECT other_id(g) FROM g({n // 10})")


def _subscribed(n: int) -> str:
    """To which page a subscription is; every publication on the page inserts a notification for each."""
    return f"page(CASE WHEN g % 50 = 0 THEN 0 ELSE 4 + g % 6 + g / 10 * 10 % {n // 5} END)"


def _incident(n: int) -> str:
    """Which incident an update is of; one has at most 500."""
    return f"CASE WHEN g <= 4000 THEN of_incident(g) ELSE incident_id(1 + g % {n // 5}) END"


def _of_page(noun: str, **members: str) -> dict[str, str]:
    """What differs in a thing of a status page."""
    own = {"id": f"{noun}_id(g)", "page": "page(g)"}
    return own | {"state": state(id=own["id"], page_id=own["page"], **members)}


async def statuspage_cmd(tx: asyncpg.Connection, it: Patterns, n: int) -> None:
    """Commands' rows of status pages."""
    await prepare(tx, it, n)
    page = {"id": "page_id(g)", "organisation": "organisation_id(1 + g % 9)"}
    written = state(**page, subdomain="'s' || g", components="'[]'::jsonb")
    await copy(
        tx, "statuspage", n // 50, f"id = '{it.page}'", subdomain="'s' || g", look_at="NULL", state=written, **page
    )
    own = {"organisation": "organisation(g)"}
    incident = f"id = '{it.incident}'"
    await copy(tx, "incident", n // 5, incident, open="g % 1000 = 0", **own, **_of_page("incident"))
    of = _incident(n)
    update = _of_page("update", incident_id=of) | {"incident": of}
    await copy(tx, "incident_update", n // 2, **own, **update)
    await copy(tx, "maintenance", n // 5, **own, due="NULL", untold="false", **_of_page("maintenance"))
    other = {"page": f"page_id(1 + g % {n // 50})"}  # a page has at most a hundred of these
    await copy(tx, "template", n // 10, **(own | _of_page("template") | other))
    recurrence = own | _of_page("recurrence") | other | {"next_at": "now() + interval '1 year'"}
    await copy(tx, "recurrence", n // 10, **recurrence)
    await copy(tx, "metric", n // 10, f"page = '{it.page}'", **(own | _of_page("metric") | other))
    await copy(tx, "custom_metric", n // 10, **(own | _of_page("custom_metric") | other))
    subscription = {
        "id": "subscription_id(g)",
        "pages": f"ARRAY[{_subscribed(n)}]",
        "target": HASH,
        "verified": "g % 100 > 0",
    }
    written = state(id="subscription_id(g)", pages=f"jsonb_build_array({_subscribed(n)})")
    await copy(tx, "subscription", n, **own, **subscription, state=written)
    told = {"id": "notification_id(g)", "channel": "subscription_id(g)", "about": "of_incident(g)"}
    quiet = {"due": "NULL", "open": "false", "planned": "ago(g)"}
    await copy(tx, "notification", n, **own, **told, **quiet, state=state(id="notification_id(g)"))
    for noun, count in (("resource", n * 4 // 10), ("heartbeat", n // 2), ("server", n // 25)):
        await copy(tx, "followed", count, id=f"{noun}_id(g)", **own)
    await _events(tx, n)
    for statement in (
        f"INSERT INTO asked SELECT {HASH}, ago(g) FROM g({n // 5})",
        f"INSERT INTO domain_claim SELECT 'd' || g || '.com', organisation_id(1 + g % 9), ago(g) FROM g({n // 10})",
        f"INSERT INTO outage_told SELECT component_id(g), page_id(1 + g % {n // 50}), ago(g) FROM g({n // 10})",
        f"INSERT INTO page_password SELECT page_id(g), 'x' FROM g({n // 50})",
    ):
        await _run(tx, statement)


async def statuspage_query(tx: asyncpg.Connection, it: Patterns, n: int) -> None:
    """Records and history of status pages."""
    await prepare(tx, it, n)
    page = {"id": "page_id(g)", "organisation": "organisation_id(1 + g % 9)"}
    written = state(**page, subdomain="'s' || g", components="'[]'::jsonb")
    await copy(tx, "statuspage", n // 50, f"id = '{it.page}'", state=written, **page)
    for noun, count in (("resource", n * 4 // 10), ("heartbeat", n // 2), ("server", n // 25)):
        await copy(tx, "followed", count, id=f"{noun}_id(g)", organisation="organisation(g)")
    component = {"id": "component_id(g)", "page": f"page_id(1 + g % {n // 50})", "monitor": "resource_id(g)"}
    await copy(tx, "component", n // 5, **component)
    await copy(tx, "component_change", n // 10, component="of_component(g)", at="ago(g)")
    await copy(tx, "followed_change", n, followed="of_resource(g)", version="10000000 - g", at=LONG)
    ended = "CASE WHEN g % 1000 > 0 THEN ago(g) END"
    incident = f"id = '{it.incident}'"
    await copy(tx, "incident", n // 5, incident, occurred_at="ago(g)", resolved_at=ended, **_of_page("incident"))
    of = _incident(n)
    update = {"id": "update_id(g)", "incident": of, "state": state(id="update_id(g)", incident_id=of)}
    await copy(tx, "incident_update", n // 2, **update)
    changes = {"incident": of, "component": "of_component(g)", "at": "ago(g)"}
    await copy(tx, "incident_change", n // 2, **changes)
    times = {"scheduled_for": "ago(g)", "ends_at": "ago(g)", "started_at": "ago(g)", "ended_at": "ago(g)"}
    await copy(tx, "maintenance", n // 5, **times, **_of_page("maintenance"))
    other = {"page": f"page_id(1 + g % {n // 50})"}
    for noun in ("template", "recurrence", "metric", "custom_metric"):
        await copy(tx, noun, n // 10, f"page = '{it.page}'", **(_of_page(noun) | other))
    written = state(id="subscription_id(g)", pages=f"jsonb_build_array({_subscribed(n)})")
    await copy(tx, "subscription", n, id="subscription_id(g)", state=written)
    await copy(tx, "subscribed", n, page=_subscribed(n), created_at="ago(g)", subscription="subscription_id(g)")
    await copy(tx, "point_day", n // 10, metric=f"custom_metric_id(1 + g % {n // 50})", day="current_date - g / 10")
    # Of 80 days, or the retention at the start of the services would leave a small table.
    day = "of_resource(g), current_date - (g / 10 % 80)::int"
    day += ", array_fill(1::real, ARRAY[24]), array_fill(1, ARRAY[24]), 24, 24"
    await _run(tx, f"INSERT INTO response_day SELECT {day} FROM g({n}) ON CONFLICT DO NOTHING")
    await _run(tx, f"INSERT INTO response_newest SELECT resource_id(g), 'eu-central-1', 0 FROM g({n // 10})")


async def _alive(tx: asyncpg.Connection, it: Patterns, n: int, made: dict[str, dict[str, str]]) -> None:
    """What both databases of monitors have beside them: what regions, pings and samples say."""
    observed = {"resource": "resource_id(1 + g / 2)", "region": REGION}
    await copy(tx, "region_observation", n * 8 // 10 - 1, **observed)
    await copy(tx, "heartbeat", n // 2, f"id = '{it.heartbeat}'", **made["heartbeat"])
    up = {"heartbeat": "heartbeat_id(g)", "status": "'up'", "alert_after": DAY_AHEAD, "last_start": "NULL"}
    await copy(tx, "runtime_state", n // 2, **up)
    await copy(tx, "server_resource", n // 25, f"id = '{it.server}'", **made["server_resource"])
    await _run(tx, f"INSERT INTO seen SELECT other_id(g), '{{}}' FROM g({n // 10})")
    letters = "INSERT INTO dead_letter (worker, key, subject, body, error) SELECT 'other', g::text, '', '', ''"
    await _run(tx, f"{letters} FROM g({n // 10})")


async def _events(tx: asyncpg.Connection, n: int) -> None:
    """Events that were published before all others, and answers that are kept."""
    aggregate = "CASE g % 3 WHEN 0 THEN resource_id(g) WHEN 1 THEN heartbeat_id(g) ELSE incident_id(g) END"
    await copy(tx, "events", 2 * n, event_id="event_id(g)", aggregate=aggregate, version="1", published_seq="0")
    kept = "INSERT INTO idempotency SELECT organisation(g), 'k' || g, '', 201, '', 1, now() - g * interval '1 second'"
    await _run(tx, f"{kept} FROM g({n // 5})")


async def _run(tx: asyncpg.Connection, statement: str) -> None:
    await tx.execute(words(statement))
