"""`pinghome prober add` and `remove` beside a running platform: a region elsewhere, from its first word to its last."""

import asyncio
from uuid import uuid4

import httpx
import nats
import pytest

from integration.prober.link import ProberProcess, Target
from running import TOKEN, Platform, command, up

REGION = "ab-nowhere-1"


async def said(platform: Platform, *words: str, status: int = 0) -> str:
    found, out, complaint = await command("prober", *words, environment=platform.environment)
    assert found == status, complaint
    return out if status == 0 else complaint


async def get(client: httpx.AsyncClient, path: str):
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.timeout(600)
async def test_a_region_is_added_probed_and_removed_while_the_platform_runs(folder):
    async with up(folder / f"regions-{uuid4().hex[:8]}", bootstrap_token=TOKEN) as platform, Target() as target:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        body = {"name": "far", "type": "http", "url": f"http://127.0.0.1:{target.port}/far", "interval": 5}
        body |= {"regions": [REGION], "service_id": str(uuid4())}
        async with httpx.AsyncClient(base_url=platform.url, headers=headers, timeout=30, trust_env=False) as client:
            assert "must look like" in await said(platform, "add", "Nowhere", status=1)
            assert "no region" in await said(platform, "remove", REGION, status=1)
            assert (await client.post("/resource-cmd/v1/resource", json=body)).status_code == 422
            printed = await said(platform, "add", REGION)
            assert await said(platform, "add", REGION) == printed
            environment = dict(line.split("=", 1) for line in printed.splitlines())
            assert environment.keys() == {f"PINGHOME_{name}" for name in ("REGION", "REGION_KEY", "NATS_URL")}
            async with asyncio.timeout(60):  # five seconds, as a rule
                while (made := await client.post("/resource-cmd/v1/resource", json=body)).status_code == 422:
                    await asyncio.sleep(0.2)
            assert made.status_code == 201, made.text

            (there := folder / f"there-{uuid4().hex[:8]}").mkdir()
            names = {key.removeprefix("PINGHOME_").lower(): value for key, value in environment.items()}
            prober = ProberProcess(there, names)
            prober.start()
            try:
                path = f"/resource-query/v1/resource/{made.json()['id']}"
                async with asyncio.timeout(120):
                    while (await get(client, path))["state"] != "up":
                        await asyncio.sleep(0.2)
                    while not (found := await known(client))[REGION]["probers"]:
                        await asyncio.sleep(0.2)
                (one,) = found[REGION]["probers"]
                assert one["state"] == "up"

                assert f"{REGION} is removed; 1 monitors" in await said(platform, "remove", REGION)
                async with asyncio.timeout(60):
                    while REGION in await known(client):
                        await asyncio.sleep(0.2)
                    while (
                        await client.post("/resource-cmd/v1/resource", json=body | {"name": "2"})
                    ).status_code != 422:
                        await asyncio.sleep(0.2)
            finally:
                prober.kill()
            refused = nats.NATS()
            with pytest.raises(nats.errors.Error, match="Authorization Violation"):
                await refused.connect(environment["PINGHOME_NATS_URL"], allow_reconnect=False, error_cb=silent)
            await refused.close()
        await platform.stop()


async def known(client: httpx.AsyncClient):
    return {it["region"]: it for it in (await get(client, "/resource-query/v1/regions"))["data"]}


async def silent(_: Exception) -> None:
    """A refusal is what is expected."""
