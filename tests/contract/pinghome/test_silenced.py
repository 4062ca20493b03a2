"""Maintenance that silences alerts, end to end: a site that goes down meanwhile is told when it ends."""

import asyncio
from datetime import UTC, datetime

from contract.client import Client
from contract.pinghome.test_alerts import arrived, bodies, notifications, webhook
from contract.pinghome.watched import watched
from contract.target import eventually, listening


async def test_site_that_goes_down_in_silenced_maintenance_is_told_when_that_ends(client: Client):
    async with listening() as target, listening() as other, listening() as receiver:
        hook, secret = await webhook(client, receiver)
        shop = await watched(client, target, channels=[hook], name="Shop")
        bank = await watched(client, other, channels=[hook], name="Bank")
        page = await client.page(components=[{"name": "Shop", "type": "resource", "resource_id": shop.id}])
        await asyncio.gather(shop.until("up"), bank.until("up"))
        it = await client.tells(
            page["id"], "maintenance", components=[page["components"][0]["id"]], notify=False, silence_alerts=True,
            scheduled_for=datetime.now(UTC).isoformat(),
        )  # fmt: skip
        assert (it["status"], it["silence_alerts"]) == ("in_progress", True)
        await arrived(receiver, 1)  # the team is told of the maintenance itself, once what silences is known
        await asyncio.gather(target.stop(), other.stop())
        await asyncio.gather(shop.until("down"), bank.until("down"))
        await arrived(receiver, 2)
        assert await notifications(client, "resource", shop.id) == []

        async def titles() -> list[str]:
            return [body["title"] for body in bodies(receiver, secret)]

        assert await titles() == ["Maintenance started: Upgrade", "Bank is down"]
        url = f"statuspage-cmd/v1/statuspage/{page['id']}/maintenance/{it['id']}/end"
        assert (await client("POST", url)).status_code == 200
        await eventually(titles, lambda seen: "Shop is down" in seen)
        await target.start()
        await eventually(titles, lambda seen: "Shop is up again" in seen)
        assert [each for each in await titles() if "Shop" in each] == ["Shop is down", "Shop is up again"]
        assert (await client("DELETE", f"resource-cmd/v1/channel/{hook}")).status_code == 200
