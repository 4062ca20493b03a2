"""The real platform over its lives: killed, stopped, started again, with keys of its own and with given ones."""

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import httpx

from contract.client import Client
from contract.target import eventually, listening
from running import Platform, descendants, left, up

CHECKS, READ, PING, STATUS = "c" * 32, "r" * 32, "p" * 22, "5c10213ag542d5738bbeaabbe12f35ef9c89f537"


def connections(platform: Platform) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=platform.url, timeout=30, trust_env=False)


async def everything(client: Client, service: str) -> list[Any]:
    """All that can be read of a service, but for the time of the last check and what follows from it."""
    found = []
    for kind in ("resource", "heartbeat"):
        for row in (await client.get(f"resource-query/v1/service/{service}/{kind}s"))["data"]:
            found.append({**row, "last_checked_at": None, "response_time": None, "url": row["url"].rpartition("/")[2]})
            if kind == "resource":
                found.append(await client.get(f"statistic-query/v1/resource/{row['id']}/state-changed-logs"))
            else:
                found.append(await client.get(f"statistic-query/v1/heartbeat/{row['id']}/events"))
    return found


async def test_killed_platform_finds_everything_again_and_goes_on(folder: Path):
    data = folder / "lives"
    async with listening() as target:
        async with up(data) as platform, connections(platform) as http:
            printed = await platform.printed_keys()
            client = Client(http, printed["PINGHOME_BOOTSTRAP_TOKEN"])
            stranger = await platform.command("organisation", "create", "Stranger")
            revoked = await platform.command("keys", "create", "Stranger", "--scope", "read")
            await platform.command("keys", "revoke", revoked["id"])
            service = (await client.get("resource-query/v1/services"))["data"][0]["id"]
            of = {"service_id": service, "interval": 5}
            well = await client.resource(url=target.url, headers={"X-Secret": "kept"}, **of)
            failing = await client.resource(**of)
            paused = await client.resource(url=f"{target.url}paused", **of)
            await client("PUT", f"resource-cmd/v1/resource/{paused['id']}/status", json={"enabled": False})
            heartbeat = await client.heartbeat(service_id=service, interval=3600)
            await client("GET", f"data-gateway/v1/heartbeat/{heartbeat['id']}?result=fail&message=disk")
            for it, state in ((well, "up"), (failing, "down")):
                await eventually(lambda it=it: read(client, it), lambda seen, state=state: seen["state"] == state)
            before, keys = await everything(client, service), await platform.command("keys", "list")
            below = descendants(platform.process.pid)
            assert len(below) >= 5
            platform.process.kill()
            await platform.process.wait()
            assert await left(below, within=60) == set()

        kept = {path.name: path for path in data.iterdir() if path.name in {"keys.json", "servers.json", "run.json"}}
        assert {stat.S_IMODE(path.stat().st_mode) for path in kept.values()} == {0o600}
        named = {f"PINGHOME_{name.upper()}": key for name, key in json.loads(kept["keys.json"].read_text()).items()}
        assert named.pop("PINGHOME_SECRET_KEY")
        assert printed == named

        target.asked.clear()
        async with up(data) as platform, connections(platform) as http:  # on another port
            assert platform.printed() == {}
            client = Client(http, printed["PINGHOME_BOOTSTRAP_TOKEN"])
            assert await everything(client, service) == before
            assert await platform.command("keys", "list") == keys
            for token, status in ((stranger["token"], 200), (revoked["key"], 401)):
                assert (await Client(http, token)("GET", "resource-query/v1/services")).status_code == status

            async def asked() -> list[str]:
                return [each.headers.get("x-secret", "") for each in target.asked if each.path == "/"]

            assert set(await eventually(asked, bool)) == {"kept"}
            await target.stop()
            await eventually(lambda: read(client, well), lambda seen: seen["state"] == "down")
            assert not [each for each in target.asked if each.path == "/paused"]
            seen = (await client.get(f"resource-query/v1/heartbeat/{heartbeat['id']}"))["url"]
            assert seen == f"{platform.url}/data-gateway/v1/heartbeat/{heartbeat['id']}"
            assert (await http.get(seen)).status_code == 200
            assert (await client.get(f"resource-query/v1/heartbeat/{heartbeat['id']}"))["state"] == "up"
            await platform.stop()


async def read(client: Client, it: dict[str, Any]) -> dict[str, Any]:
    return await client.get(f"resource-query/v1/resource/{it['id']}")


async def test_given_keys_and_address_are_taken_as_they_are(folder: Path):
    data = folder / "given"
    given = {"bootstrap_token": "first-token", "bootstrap_checks_key": CHECKS, "bootstrap_checks_read_key": READ,
             "bootstrap_ping_key": PING, "bootstrap_status_token": STATUS, "secret_key": "s" * 40}  # fmt: skip
    async with up(data, url="https://ping.example.org/base/", **given) as platform, connections(platform) as http:
        assert platform.printed() == {}
        assert not set(given.values()) & set(
            json.loads(kept.read_text()) if (kept := data / "keys.json").exists() else ()
        )
        listed = await platform.command("keys", "list")
        assert [(key["kind"], key["scope"]) for key in listed] == [
            ("bearer", "write"), ("checks", "write"), ("checks", "read"), ("status", "write"), ("ping", "write")
        ]  # fmt: skip
        client = Client(http, "first-token")
        page = (await client.get("statuspage-query/v1/statuspages"))["data"][0]
        assert (page["subdomain"], page["id"]) == ("main", listed[3]["page"])
        made = await client.heartbeat()
        row = (await client.get(f"resource-query/v1/service/{made['service_id']}/heartbeats"))["data"][0]
        public = f"https://ping.example.org/base/data-gateway/v1/heartbeat/{made['id']}"
        read = await client.get(f"resource-query/v1/heartbeat/{made['id']}")
        assert made["url"] == read["url"] == row["url"] == public
        by_host = {"Host": "resource-query.api.pinghome.io", "Authorization": "Bearer first-token"}
        assert (await http.get(f"/v1/heartbeat/{made['id']}", headers=by_host)).json()["url"] == public
        await platform.stop()

    given["bootstrap_token"] = "second-token"
    async with up(data, **given) as platform, connections(platform) as http:
        tokens = ("first-token", "second-token")
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(Client(http, token).get("resource-query/v1/services")) for token in tokens]
        assert asked[0].result() == asked[1].result()
        assert (await Client(http, "s" * 40)("GET", "resource-query/v1/services")).status_code == 401
        assert len(await platform.command("keys", "list")) == len(listed) + 1
        host, gateway = ({"Host": f"{name}.example.net:8080"} for name in ("resource-query", "data-gateway"))
        host |= {"Authorization": "Bearer second-token"}
        seen = (await http.get(f"/v1/heartbeat/{made['id']}", headers=host)).json()["url"]
        assert seen == f"http://data-gateway.example.net:8080/v1/heartbeat/{made['id']}"
        assert (await http.get(f"/v1/heartbeat/{made['id']}", headers=gateway)).status_code == 200
        await platform.stop()
