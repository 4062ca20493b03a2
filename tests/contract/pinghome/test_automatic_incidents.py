"""An outage opens an incident by itself where the page says so, until people write of it (contract H)."""

from typing import Any

from contract.answers import paginated
from contract.client import Client
from contract.target import eventually, listening

COMMANDS = "https://statuspage-cmd.api.pinghome.io/v1/statuspage"
RECORDS = "https://statuspage-query.api.pinghome.io/v1/statuspage"


async def test_outage_opens_resolves_and_reopens_until_people_write(client: Client):
    async with listening() as site:
        monitor = await client.resource(url=site.url, interval=5)
        components = [{"name": "site", "resource_id": monitor["id"]}, {"name": "other", "type": "manual"}]
        page = await client.page(components=components, auto_incidents=True, auto_incident_delay=1)

        async def incidents() -> list[dict[str, Any]]:
            return paginated(await client("GET", f"{RECORDS}/{page['id']}/incidents"))

        async def status() -> str:
            return (await client.get(f"{RECORDS}/{page['id']}/components"))["data"][0]["status"]

        await eventually(status, lambda seen: seen == "operational")
        assert await incidents() == []
        await site.stop()
        it = (await eventually(incidents, bool))[0]
        assert (it["title"], it["status"], it["automatic"], it["reported_by"]) == (
            "site is down", "investigating", True, "",
        )  # fmt: skip
        assert it["impact"] == "critical"
        assert it["components"] == [{"id": page["components"][0]["id"], "status": "offline"}]
        assert await status() == "offline"
        await site.start()
        await eventually(incidents, lambda seen: seen[0]["status"] == "resolved")
        await site.stop()
        await eventually(incidents, lambda seen: seen[0]["status"] == "investigating")
        update = await client.tells(page["id"], f"incident/{it['id']}/update", status="identified", message="Disk")
        assert update["components"] == it["components"]
        assert not (await incidents())[0]["automatic"]
        await site.start()
        monitored = f"resource-query/v1/resource/{monitor['id']}"
        await eventually(lambda: client.get(monitored), lambda seen: seen["state"] == "up")
        assert [each["status"] for each in await incidents()] == ["identified"]
        assert await status() == "offline"  # as people have said
        told = await client.get(f"{RECORDS}/{page['id']}/incidents/{it['id']}")
        assert [(each["status"], each["message"]) for each in told["updates"]] == [
            ("resolved", "All that was affected works again."), ("investigating", "site is down again."),
            ("identified", "Disk"),
        ]  # fmt: skip
