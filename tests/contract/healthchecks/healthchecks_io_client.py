"""Run by the client's own Python (test_client.py): every call on checks, sync or async."""

import asyncio
import inspect
import os
import sys

from healthchecks_io import AsyncClient, Client
from healthchecks_io.schemas import CheckCreate, CheckUpdate

URL = os.environ["URL"]
SETTINGS = {"api_url": f"{URL}/api/", "ping_url": f"{URL}/ping/", "api_version": 1}


async def done(value):
    return await value if inspect.isawaitable(value) else value


async def main(kind):
    client = kind(api_key=os.environ["KEY"], ping_key=os.environ["PING"], **SETTINGS)
    reader = kind(api_key=os.environ["READING"], **SETTINGS)
    assert await done(client.get_checks()) == []
    made = await done(client.create_check(CheckCreate(name="Client", tags="one two", desc="made by the client")))
    assert (made.name, made.tags, made.status) == ("Client", "one two", "new"), made
    again = await done(client.create_check(CheckCreate(name="Client", unique=["name"])))
    assert again.uuid == made.uuid, (again, made)
    changed = await done(client.update_check(made.uuid, CheckUpdate(desc="changed")))
    assert changed.desc == "changed", changed
    assert [each.uuid for each in await done(client.get_checks(tags=["one"]))] == [made.uuid]
    assert (await done(client.get_check(made.uuid))).name == "Client"
    (seen,) = await done(reader.get_checks())
    assert seen.unique_key, seen
    assert (await done(reader.get_check(seen.unique_key))).name == "Client"
    assert await done(client.get_check_flips(made.uuid)) == []
    assert await done(reader.get_check_flips(seen.unique_key)) == []
    assert await done(client.get_integrations()) == []
    badges = await done(client.get_badges())
    assert set(badges) == {"one", "two", "*"}, badges
    assert (await done(client.pause_check(made.uuid))).status == "paused"
    assert (await done(client.delete_check(made.uuid))).status == "paused"
    assert await done(client.get_checks()) == []


asyncio.run(main({"sync": Client, "async": AsyncClient}[sys.argv[1]]))
print("all well")
