"""Regions and their probers (contract J): what every organisation may see of them."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx

from contract.answers import refused
from contract.client import Client

PATH = "resource-query/v1/regions"


async def test_each_region_shows_its_probers_and_their_last_word(call: Client, foreign: Client, reader: Client):
    async with asyncio.timeout(200):
        found = await call.get(PATH)
        while not all(it["probers"] for it in found["data"]):
            await asyncio.sleep(0.1)
            found = await call.get(PATH)
    assert {"eu-central-1", "us-east-1"} <= {it["region"] for it in found["data"]}
    for it in found["data"]:
        (prober,) = it["probers"]
        assert prober.keys() == {"name", "version", "state", "monitors", "last_heard_at"}
        assert prober["name"].startswith("prober-")
        assert prober["version"] == "0.1.0"
        assert prober["monitors"] >= 0
        assert prober["last_heard_at"] == it["last_heard_at"]
        heard = datetime.fromisoformat(it["last_heard_at"])
        assert datetime.now(UTC) - heard < timedelta(seconds=200)
    for other in (foreign, reader):
        assert [it["region"] for it in (await other.get(PATH))["data"]] == [it["region"] for it in found["data"]]


async def test_a_token_of_nobody_and_one_of_another_kind_see_none(http: httpx.AsyncClient, stranger):
    for token in ("ph_nobody", stranger["checks_key"], stranger["ping_key"]):
        refused(await http.get(f"/{PATH}", headers={"Authorization": f"Bearer {token}"}), 401)
