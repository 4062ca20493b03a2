"""From an https monitor to a reminder that its certificate expires: once, whatever is killed in between."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from authorities import Authority
from contract.client import Client
from contract.target import eventually
from running import TOKEN, Platform, free_port, up

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
    finally:
        writer.close()


async def told(platform: Platform) -> int:
    async with platform.sql("resource_cmd") as sql:
        return await sql.fetchval("SELECT count(*) FROM notification WHERE state->>'what' = 'ssl-reminder'")


async def reminded(platform: Platform) -> int:
    async with platform.sql("resource_cmd") as sql:
        return await sql.fetchval("SELECT count(*) FROM reminded")


async def with_channel(platform: Platform, monitor: str) -> None:
    """Gives a monitor a channel, which has to be told."""
    async with platform.sql("resource_cmd") as sql:
        channel = str(uuid4())
        await sql.execute(
            "INSERT INTO channel (id, organisation, version, state)"
            """ SELECT $1, organisation, 1, '{"name": "ops", "kind": "webhook"}' FROM resource WHERE id = $2""",
            channel, monitor,
        )  # fmt: skip
        await sql.execute(
            "UPDATE resource SET state = jsonb_set(state, '{channels}', jsonb_build_array($1::text)) WHERE id = $2",
            channel, monitor,
        )  # fmt: skip


def calling(platform: Platform) -> tuple[httpx.AsyncClient, Client]:
    http = httpx.AsyncClient(base_url=platform.url, timeout=30, trust_env=False)
    return http, Client(http, TOKEN)


async def test_certificate_of_an_https_monitor_is_told_and_reminded_of_once(folder: Path):
    authority, own = Authority("nobody trusts me"), {"bootstrap_token": TOKEN, "rdap_bootstrap_url": "/nowhere"}
    tls = authority.context(folder, days=5)
    async with await asyncio.start_server(_serve, "127.0.0.1", free_port(), ssl=tls) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with up(folder / "expiry", **own) as platform:
            http, client = calling(platform)
            async with http:
                it = await client.resource(url=url, interval=5, skip_ssl_error=True)
                path = f"resource-query/v1/resource/{it['id']}/ssl"
                seen = await eventually(lambda: client("GET", path), lambda answer: answer.status_code == 200)
                shown(seen.json())
                await with_channel(platform, it["id"])
                body = {"days_before": [1, 7, 30]}
                answer = await client("POST", f"resource-cmd/v1/resource/{it['id']}/ssl/reminder", json=body)
                assert answer.status_code == 201
                await eventually(lambda: told(platform), lambda count: count == 1)
            platform.process.kill()  # every service of ours, with no goodbye
            await platform.process.wait()
        async with up(folder / "expiry", **own) as platform:
            http, client = calling(platform)
            async with http:
                await asyncio.sleep(8)  # more than one look
                assert (await reminded(platform), await told(platform)) == (1, 1)
                # Renewed: another expiry, of which no day has come.
                server.close()
                await server.wait_closed()
                port = int(url.rpartition(":")[2].strip("/"))
                renewed = authority.context(folder, days=89)
                async with await asyncio.start_server(_serve, "127.0.0.1", port, ssl=renewed):
                    seen = await eventually(lambda: client.get(path), lambda told: told["days_left"] > 80)
                assert seen["sans"] == ["localhost", "127.0.0.1"]
                await asyncio.sleep(6)
                assert (await reminded(platform), await told(platform)) == (1, 1)
            await platform.stop()


def shown(told: dict[str, Any]) -> None:
    assert (told["host"], told["subject"], told["issuer"]) == ("127.0.0.1", "CN=localhost", "CN=nobody trusts me")
    assert (told["days_left"], told["verified"], told["chain"]) == (4, False, [])
    assert told["problem"].startswith("unable to get local issuer certificate")
    assert told["valid_from"] < told["checked_at"] < told["valid_to"]
    assert told["region"] == "eu-central-1"
