"""Run by the client's own Python (test_client.py): every call on checks, sync or async, and the traps around jobs."""

import asyncio
import inspect
import os
import sys
from contextlib import AsyncExitStack

from healthchecks_io import AsyncClient, CheckCreate, CheckTrap, CheckUpdate, Client

URL = os.environ["URL"]
SETTINGS = {"api_url": f"{URL}/api/", "ping_url": f"{URL}/ping/", "api_version": 1}


async def done(value):
    return await value if inspect.isawaitable(value) else value


async def manage(client, reader):
    assert await done(client.get_checks()) == []
    made = await done(client.create_check(CheckCreate(name="Client", tags="one two", desc="made by the client")))
    assert (made.name, made.tags, made.status) == ("Client", "one two", "new"), made
    again = await done(client.create_check(CheckCreate(name="Client", tags="one two", unique=["name"])))
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


async def trap(client, _):
    made = await done(client.create_check(CheckCreate(name="Trapped")))
    for mishap, status in ((None, "up"), ("out of tape", "down"), (None, "up")):
        job = CheckTrap(client, uuid=made.uuid, suppress_exceptions=True)
        if isinstance(client, Client):
            with job:
                assert client.get_check(made.uuid).status == "started"
                if mishap:
                    raise ValueError(mishap)
        else:
            async with job:
                assert (await client.get_check(made.uuid)).status == "started"
                if mishap:
                    raise ValueError(mishap)
        assert (await done(client.get_check(made.uuid))).status == status
    kinds = [each.type for each in await done(client.get_check_pings(made.uuid))]
    assert kinds == ["success", "start", "fail", "start", "success", "start"], kinds
    await done(client.delete_check(made.uuid))


async def main(what, kind):
    client = kind(api_key=os.environ["KEY"], ping_key=os.environ["PING"], **SETTINGS)
    reader = kind(api_key=os.environ["READING"], **SETTINGS)
    async with AsyncExitStack() as stack:
        for each in (client, reader):
            if kind is AsyncClient:
                await stack.enter_async_context(each)
            else:
                stack.enter_context(each)
        await what(client, reader)


asyncio.run(main({"manage": manage, "trap": trap}[sys.argv[1]], {"sync": Client, "async": AsyncClient}[sys.argv[2]]))
print("all well")
