"""What has served its time goes, what has not stays."""

from datetime import timedelta
from uuid import uuid4

from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from statuspage_cmd.pages.address import Addresses
from statuspage_cmd.retention import Retention

SETTINGS = Settings(secret_key="a secret key of the tests", _env_file=None)


async def test_old_answers_and_outages_of_former_components_are_deleted(db: Database, page: StatusPage):
    for hours in (23, 25):
        await db.fetch(
            "INSERT INTO idempotency (organisation, key, request, created_at) VALUES ($1, 'x', '', $2)",
            uuid4(), now() - timedelta(hours=hours),
        )  # fmt: skip
    kept = page.components[0].id
    for component in (kept, uuid4()):
        await db.fetch("INSERT INTO outage_told VALUES ($1, $2, now())", component, page.id)
    async with db.connection() as connection:
        await Retention(db, Addresses(SETTINGS, Broker("nats://127.0.0.1:1", "statuspage-cmd"))).round(connection)
    assert await db.fetchval("SELECT count(*) FROM idempotency") == 1
    assert await db.fetchval("SELECT array_agg(component) FROM outage_told") == [kept]
