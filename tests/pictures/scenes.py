"""What the pictures show: a page on a good day, in trouble, under maintenance, new, and a large one."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from pictures.story import Story

Scene = Callable[[asyncpg.Connection, UUID, datetime], Awaitable[None]]

REGIONS = {
    "": ["Website", "Dashboard"],
    "API": ["Orders", "Payments", "Webhooks"],
    "Europe": ["Ingest (eu-central)", "Query (eu-central)"],
    "United States": ["Ingest (us-east)", "Query (us-east)"],
}
ABOUT = {
    "name": "Northwind",
    "accent_color": "#0f766e",
    "subscription_enabled": True,
    "website_url": "https://northwind.example",
    "support_url": "https://northwind.example/help",
    "privacy_url": "https://northwind.example/privacy",
}
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


async def _past(story: Story) -> None:
    """A quarter of a year of a good service."""
    for days, names, status, minutes, title in (
        (81, ["Payments"], "major-outage", 34, "Payments are declined"),
        (63, ["Ingest (us-east)"], "partial-outage", 71, "Delayed events in the United States"),
        (44, ["Dashboard"], "degraded", 190, "Slow dashboards"),
        (23, ["Webhooks"], "major-outage", 18, "Webhooks are not delivered"),
        (9, ["Query (eu-central)", "Dashboard"], "partial-outage", 47, "Failing queries in Europe"),
    ):
        begun = days * DAY + 5 * HOUR
        bad, well = dict.fromkeys(names, status), dict.fromkeys(names, "operational")
        over = begun - minutes * MINUTE
        await story.incident(
            title,
            [
                (begun, "investigating", "<p>We see errors and are looking into them.</p>", bad),
                (begun - 9 * MINUTE, "identified", "<p>A deployment of ours is the cause; we roll it back.</p>", bad),
                (over, "resolved", "<p>The rollback is complete and all is well again. We are sorry.</p>", well),
            ],
        )
    await story.maintenance("Database upgrade", "<p>No interruption.</p>", ["Orders"], 12 * DAY, 2 * HOUR)


async def calm(connection: asyncpg.Connection, organisation: UUID, now: datetime) -> None:
    """All is well, and a maintenance is ahead."""
    story = await Story.begin(connection, organisation, now, "calm", REGIONS, follow=True, **ABOUT)
    await _past(story)
    message = "<p>We replace network hardware. Requests may take a second longer; none is lost.</p>"
    await story.maintenance("New switches in Frankfurt", message, ["Ingest (eu-central)"], -4 * DAY, 3 * HOUR)


async def incident(connection: asyncpg.Connection, organisation: UUID, now: datetime) -> None:
    """An incident is open."""
    story = await Story.begin(connection, organisation, now, "incident", REGIONS, follow=True, **ABOUT)
    await _past(story)
    worse = {"Payments": "major-outage", "Orders": "partial-outage", "Webhooks": "degraded"}
    better = {"Payments": "partial-outage", "Orders": "degraded", "Webhooks": "operational"}
    told = [
        (96 * MINUTE, "investigating", "<p>Some payments are declined. We are looking into it.</p>", worse),
        (81 * MINUTE, "investigating", "<p>All card payments are affected; bank transfers work.</p>", worse),
        (52 * MINUTE, "identified", ("<p>An expired certificate at our card processor is the cause. They are "
         "replacing it; we have moved <strong>half of all payments</strong> to our second processor.</p>"), worse),
        (14 * MINUTE, "monitoring", ("<p>The certificate has been replaced. Most payments succeed again, and we "
         "repeat those that were declined. There is nothing that you need to do.</p>"), better),
    ]  # fmt: skip
    await story.incident("Card payments are declined", told)


async def maintenance(connection: asyncpg.Connection, organisation: UUID, now: datetime) -> None:
    """A maintenance is under way, on a page in German."""
    german = {
        "": ["Webseite", "Kundenportal"],
        "Bestellungen": ["Warenkorb", "Bezahlung", "Versand"],
        "Lager": ["Bestand", "Etiketten"],
    }
    about = ABOUT | {"name": "Nordwind", "language": "de", "timezone": "Europe/Berlin", "accent_color": "#b45309"}
    story = await Story.begin(connection, organisation, now, "maintenance", german, **about)
    message = "<p>Wir stellen das Kundenportal auf neue Server um. Bestellungen sind weiter möglich.</p>"
    await story.maintenance("Umzug des Kundenportals", message, ["Kundenportal"], 40 * MINUTE, 2 * HOUR)
    message = "<p>Während der Inventur zeigt der Bestand den Stand vom Vorabend.</p>"
    await story.maintenance("Inventur", message, ["Bestand", "Etiketten"], -9 * DAY, 8 * HOUR)


async def new(connection: asyncpg.Connection, organisation: UUID, now: datetime) -> None:
    """A page without any data yet."""
    about = ABOUT | {"accent_color": ""}
    components = {"": ["Shop", "API"], "Background jobs": ["Reports"]}
    await Story.begin(connection, organisation, now, "new", components, ago=MINUTE, follow=True, **about)


async def large(connection: asyncpg.Connection, organisation: UUID, now: datetime) -> None:
    """Forty components, long names, five days of an incident."""
    groups = {
        f"Region {name}": [f"{service} in {name}" for service in ("Compute", "Storage", "Queues", "Functions", "DNS")]
        for name in ("Frankfurt", "Dublin", "Virginia", "Oregon", "São Paulo", "Singapore", "Sydney")
    }
    long = "The internal-facing provisioning and entitlement reconciliation service (legacy, version 2)"
    groups[""] = [
        "Identity",
        "Billing",
        long,
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamte",
        "X",
    ]
    about = ABOUT | {"name": "Halcyon Cloud Infrastructure Services International", "failing_first": True}
    story = await Story.begin(connection, organisation, now, "large", groups, **about)
    bad = {long: "degraded", "Storage in Dublin": "major-outage", "Queues in Dublin": "partial-outage"}
    texts = ("We go on restoring volumes; the oldest come last.", "Another rack is back.", "Restoring takes longer.")
    told = [(5 * DAY - place * 4 * HOUR, "identified", f"<p>{texts[place % 3]}</p>", bad) for place in range(29)]
    await story.incident("Volumes in Dublin cannot be read after a power failure in one of three halls", told)


SCENES: dict[str, Scene] = {each.__name__: each for each in (calm, incident, maintenance, new, large)}
