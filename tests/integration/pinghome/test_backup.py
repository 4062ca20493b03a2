"""`pinghome backup` under load and `pinghome restore` into an empty platform: nothing missing, nothing told twice."""

import asyncio
import gzip
import json
import tarfile
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest

import forking
from contract.client import Client
from contract.target import Target, eventually, listening
from pinghome.backup import databases
from pinghome.backup.archive import Writer, parts, verified
from pinghome.servers import Servers
from pinghome_common.settings import Settings
from running import TOKEN, Platform, command, free_port, up

pytestmark = pytest.mark.timeout(600)

SECRET = "the-secret-key-of-the-backup-tests"
STATUS_TOKEN = "S" * 40
DUE = 60
"""Seconds of silence after which the heartbeat `due` is down, unless nobody could hear it."""
SETTINGS = {
    "bootstrap_token": TOKEN,
    "bootstrap_status_token": STATUS_TOKEN,
    "secret_key": SECRET,
    "period_unit_seconds": "1",
}


@dataclass
class World:
    """What is on the platform: `fixed` are ids, those of `moving` things are in no comparison."""

    fixed: dict[str, str] = field(default_factory=dict)
    moving: set[str] = field(default_factory=set)
    busy: list[str] = field(default_factory=list)
    accepted: dict[str, list[int]] = field(default_factory=dict)

    span: str = ""
    """The time of which statistics are asked."""

    @property
    def routes(self) -> list[str]:
        """Every list of things, and what is told of each fixed thing."""
        at = self.fixed
        of = {
            "resource-query": [
                "/v1/services", "/v1/channels", f"/v1/channel/{at['channel']}",
                *(f"/v1/service/{at['service']}/{noun}" for noun in ("resources", "heartbeats", "server-resources")),
                f"/v1/resource/{at['resource']}", f"/v1/resource/{at['resource']}/regions",
                f"/v1/resource/{at['resource']}/integrations",
                f"/v1/heartbeat/{at['heartbeat']}",
            ],
            "statistic-query": [
                f"/v1/resource/{at['resource']}/statistic?interval=minute&{self.span}",
                f"/v1/resource/{at['resource']}/statistic?interval=day&{self.span}",
                f"/v1/resource/{at['resource']}/state-changed-logs", f"/v1/resource/{at['resource']}/notifications",
                f"/v1/resource/{at['resource']}/results", f"/v1/heartbeat/{at['heartbeat']}/events",
                f"/v1/heartbeat/{at['heartbeat']}/statistic?interval=1d&{self.span}",
                f"/v1/heartbeat/{at['heartbeat']}/notifications",
                f"/v1/server-resource/{at['server']}/metrics?type=cpu-total-usage&{self.span}",
                f"/v1/server-resource/{at['server']}/metrics?type=cpu-total-usage&interval=minute&{self.span}",
                f"/v1/statuspage/{at['page']}/notifications",
            ],
            "statuspage-query": [
                "/v1/statuspages", f"/v1/statuspage/{at['page']}", f"/v1/statuspage/{at['page']}/components",
                *(
                    f"/v1/statuspage/{at['page']}/{noun}"
                    for noun in ("incidents", "maintenances", "templates", "subscriptions")
                ),
            ],
        }  # fmt: skip
        return [f"/{service}{path}" for service, paths in of.items() for path in paths]

    def settled(self, document: Any) -> Any:
        """A document without what moves."""
        if isinstance(document, list):
            return [self.settled(it) for it in document if not (isinstance(it, dict) and it.get("id") in self.moving)]
        return {name: self.settled(it) for name, it in document.items()} if isinstance(document, dict) else document

    async def answers(self, http: httpx.AsyncClient) -> dict[str, Any]:
        found = {}
        for path in self.routes:
            answer = await http.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
            assert answer.status_code == 200, (path, answer.text)
            found[path] = self.settled(answer.json())
        for path in ("components", "incidents", "maintenance", "metrics", "status"):
            answer = await http.get(f"/rest/v1/{path}", headers={"Authorization": f"Token {STATUS_TOKEN}"})
            assert answer.status_code == 200, (path, answer.text)
            found[f"/rest/v1/{path}"] = answer.json()
        return found


@dataclass
class Backup:
    """A backup of a platform that has stopped since, and what it answered."""

    file: Path
    world: World
    answers: dict[str, Any]
    site: Target
    sink: Target
    port: int
    overdue: float
    """Seconds of the monotonic clock after which the heartbeat `due` is late."""


def connections(platform: Platform) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=platform.url, timeout=30, trust_env=False)


async def made(client: Client, site: Target, sink: Target) -> World:
    """Things of every kind with a history: a monitor that was down, a heartbeat that failed, a page with news."""
    world = World()
    service = (await client.get("resource-query/v1/services"))["data"][0]["id"]
    channel = await client.channel(service_id=service, kind="webhook", config={"url": sink.url})
    world.fixed |= {"service": service, "channel": channel["id"]}
    monitor = {"service_id": service, "type": "http", "url": site.url, "interval": 5, "channels": [channel["id"]]}
    world.fixed["resource"] = flapping = (await client.resource(**monitor))["id"]
    steady = (await client.resource(**monitor, name="steady"))["id"]
    heartbeat = {"service_id": service, "channels": [channel["id"]]}
    world.fixed["heartbeat"] = failing = (await client.heartbeat(**heartbeat, interval=86400))["id"]
    due = (await client.heartbeat(**heartbeat, name="due", interval=DUE - 1, grace_period=1))["id"]
    world.busy = [(await client.heartbeat(**heartbeat, interval=86400))["id"] for _ in range(3)]
    server = await client.server(service_id=service, channels=[])
    world.fixed["server"] = server["id"]
    page = await client.page(components=[{"name": "site", "type": "resource", "resource_id": flapping}])
    world.fixed["page"] = page["id"]
    for noun in ("incident", "maintenance", "template"):
        await client.tells(page["id"], noun)
    for result in ("run", "fail", "complete"):
        assert (await client("GET", f"data-gateway/v1/heartbeat/{failing}?result={result}")).status_code == 200

    async def state() -> str:
        return (await client.get(f"resource-query/v1/resource/{flapping}"))["state"]

    await eventually(state, lambda it: it == "up")
    site.status = 500
    await eventually(state, lambda it: it == "down")
    site.status = 200
    await eventually(state, lambda it: it == "up")
    paused = await client("PUT", f"resource-cmd/v1/resource/{flapping}/status", json={"enabled": False})
    assert paused.status_code == 200, paused.text
    world.fixed |= {"steady": steady, "due": due}
    await asyncio.sleep(2)
    until = datetime.now(UTC).replace(microsecond=0, tzinfo=None)  # after the last probe's second
    world.span = f"start_date={(until - timedelta(hours=1)).isoformat()}Z&end_date={until.isoformat()}Z"
    world.moving = {steady, due, *world.busy}
    return world


async def load(http: httpx.AsyncClient, world: World) -> None:
    """Check-ins one after the other, numbered, until cancelled."""
    world.accepted = {id_: [] for id_ in world.busy}
    for number in range(1_000_000):
        for id_ in world.busy:
            with suppress(httpx.HTTPError):
                answer = await http.get(f"/data-gateway/v1/heartbeat/{id_}?result=complete&message={number}")
                if answer.status_code == 200:
                    world.accepted[id_].append(number)
        await asyncio.sleep(0.05)


async def run(*words: str | Path, environment: dict[str, str], code: str = forking.CLI) -> tuple[int, str]:
    status, said, complaint = await command(*words, environment=environment, code=code)
    return status, said + complaint


@pytest.fixture(scope="module")
async def backup(folder: Path) -> AsyncIterator[Backup]:
    async with listening() as site, listening() as sink:
        async with up(folder / "backed-up", **SETTINGS) as platform, connections(platform) as http:
            client = Client(http, TOKEN)
            world = await made(client, site, sink)
            told = f"statistic-query/v1/resource/{world.fixed['resource']}/notifications"
            await eventually(lambda: client.get(told), lambda it: delivered(it["data"]) == 2)
            before = await world.answers(http)
            loading = asyncio.create_task(load(http, world))
            await asyncio.sleep(1)
            due = world.fixed["due"]
            assert (await client("GET", f"data-gateway/v1/heartbeat/{due}")).status_code == 200
            pinged = time.monotonic()
            accepted = {id_: list(numbers) for id_, numbers in world.accepted.items()}
            file = folder / "pinghome.tar.gz"
            status, said = await run("backup", file, environment=platform.environment)
            assert status == 0, said
            loading.cancel()
            assert differing(await world.answers(http), before) == {}
            assert (await client.get(f"resource-query/v1/heartbeat/{due}"))["state"] == "up"
            world.accepted = accepted
            await platform.stop()
        assert file.stat().st_mode & 0o777 == 0o600
        yield Backup(file, world, before, site, sink, platform.port, pinged + DUE + 1)


def differing(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both answers of each path where they differ."""
    return {path: (one[path], other[path]) for path in one if one[path] != other[path]}


def delivered(notifications: list[dict[str, Any]]) -> int:
    """How many have arrived: that the monitor is down, and up again."""
    return sum(any(attempt["delivered"] for attempt in it["attempts"]) for it in notifications)


def environment(data: Path, **settings: str) -> dict[str, str]:
    own = {"data": str(data), "port": str(free_port()), "secret_key": SECRET, **settings}
    return {"PATH": "/usr/bin:/bin"} | {f"PINGHOME_{name.upper()}": value for name, value in own.items()}


async def refusal(backup: Backup, folder: Path, file: Path | None = None, **settings: str) -> str:
    """What `pinghome restore` says when it refuses; nothing is there afterwards."""
    data = folder / f"refused-{uuid4().hex[:8]}"
    status, said = await run("restore", file or backup.file, environment=environment(data, **settings))
    assert status == 1, said
    assert not data.exists()
    return said


async def killed_at(function: str, name: str, backup: Backup, data: Path) -> None:
    """A restore that is killed as `databases.<function>` is called for a database, or at all."""
    code = (
        "import os; from pinghome.backup import databases\n"
        f"original = databases.{function}\n"
        "async def killed(server, *names):\n"
        f"    if names[:1] == ({name!r},) or not names: os.kill(os.getpid(), 9)\n"
        "    return await original(server, *names)\n"
        f"databases.{function} = killed\n"
        "from pinghome.cli import app; app()\n"
    )
    status, said = await run("restore", backup.file, environment=environment(data), code=code)
    assert status == -9, said


async def test_a_backup_under_load_is_the_same_platform_again_also_when_its_restore_was_killed(backup, folder):
    world, sink = backup.world, backup.sink
    data = folder / "restored"
    data.mkdir(mode=0o711)
    await killed_at("make_place", "statistic_query", backup, data)
    await killed_at("put_in_place", "", backup, data)
    status, said = await run("restore", backup.file, environment=environment(data))
    assert status == 0, said
    told = len(sink.asked)
    await asyncio.sleep(backup.overdue - time.monotonic())
    async with up(data, backup.port, **SETTINGS) as platform, connections(platform) as http:
        client = Client(http, TOKEN)
        assert differing(await world.answers(http), backup.answers) == {}

        for id_, numbers in world.accepted.items():
            events = (await client.get(f"statistic-query/v1/heartbeat/{id_}/events", limit=1000))["data"]
            counted = [int(it["message"]) for it in events]
            assert len(set(counted)) == len(counted)
            assert set(numbers) <= set(counted)
            async with platform.sql("resource_query") as db:
                pings = await db.fetchval("SELECT n_pings FROM runtime_state WHERE heartbeat = $1", id_)
            assert pings == len(counted)
            assert (await client("GET", f"data-gateway/v1/heartbeat/{id_}?message=-1")).status_code == 200
            newest = await client.get(f"statistic-query/v1/heartbeat/{id_}/events", limit=1000)
            assert len(newest["data"]) == pings + 1

        async def results() -> list[dict[str, Any]]:
            path = f"statistic-query/v1/resource/{world.fixed['steady']}/results"
            return (await client.get(path, limit=1000))["data"]

        before = await results()
        assert before
        assert await eventually(results, lambda it: len(it) >= len(before) + 2)
        assert (await client.get(f"resource-query/v1/resource/{world.fixed['steady']}"))["state"] == "up"
        due = await client.get(f"resource-query/v1/heartbeat/{world.fixed['due']}")
        assert due["state"] == "up", due  # nobody could hear it meanwhile
        assert len(sink.asked) == told
        assert (await client.resource(service_id=world.fixed["service"]))["id"]
        await platform.stop()

    status, said = await run("restore", backup.file, environment=environment(data))
    assert status == 1
    assert "not empty" in said


async def test_servers_elsewhere_are_restored_and_backed_up_by_their_urls(backup, folder):
    elsewhere, here = folder / "elsewhere", folder / "here"
    async with Servers(Settings(data=elsewhere, database_url="", nats_url="")) as servers:
        here.mkdir()
        urls = {"database_url": servers.database_url, "nats_url": servers.nats_url("admin")}
        for expected, word in ((0, "Restored"), (1, "not empty: resource_cmd.")):
            status, said = await run("restore", backup.file, environment=environment(here, **urls))
            assert status == expected, said
            assert word in said
        again = folder / "again.tar.gz"
        status, said = await run("backup", again, environment=environment(here, **urls))
        assert status == 0, said
    assert not (here / "postgres").exists()
    assert verified(again).databases == verified(backup.file).databases


async def test_what_cannot_be_restored_is_refused_before_anything_is_made(backup, folder):
    said = await refusal(backup, folder, secret_key="another-secret-key")
    assert "was made with the secret key" in said
    assert SECRET not in said
    assert "no secret key yet" in await refusal(backup, folder, secret_key="")
    whole = backup.file.read_bytes()
    torn = folder / "torn.tar.gz"
    for name, content in {
        "half": whole[: len(whole) // 2],
        "all but the end": whole[:-2000],
        "a bit": whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :],
        "nothing": b"",
        "something else": gzip.compress(b"something else"),
    }.items():
        torn.write_bytes(content)
        said = await refusal(backup, folder, torn)
        assert any(word in said for word in ("damaged", "incomplete", "no backup", "cannot be read")), (name, said)
    assert "newer version" in await refusal(backup, folder, rewritten(backup.file, torn, "databases"))
    assert "newer version" in await refusal(backup, folder, rewritten(backup.file, torn, "format"))


def rewritten(file: Path, to: Path, what: str) -> Path:
    """The same backup as a later version might make it."""
    with to.open("wb") as out:
        writer = Writer(out)
        for name, data in parts(file):
            if name == "about.json":
                about = json.loads(data)
                later = {"format": about["format"] + 1} if what == "format" else {"databases": {"resource_cmd": "9999"}}
                writer.add_json(name, about | later)
            elif name != "end.json":
                writer.add(name, data)
        writer.close()
    return to


def test_a_backup_does_not_hold_the_secret_key(backup):
    with tarfile.open(backup.file) as tar:
        for entry in tar:
            content = tar.extractfile(entry)
            assert content
            assert SECRET.encode() not in content.read(), entry.name


async def test_what_is_restored_belongs_to_whom_the_empty_database_belonged(servers, commands):
    server = await asyncpg.connect(servers.database_url)
    name = f"test_{uuid4().hex}"
    await server.execute(f"CREATE ROLE {name} LOGIN")
    await server.execute(f"CREATE DATABASE {name} OWNER {name}")
    await server.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
    source = await asyncpg.connect(commands)
    await source.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    snapshot = await source.fetchval("SELECT pg_export_snapshot()")
    owner = await databases.make_place(server, name)
    url = urlunsplit(urlsplit(servers.database_url)._replace(path=f"/restoring_{name}"))
    await databases.fill(url, owner, databases.dump(commands, snapshot))
    filled = await asyncpg.connect(url)
    owners = await filled.fetch("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert [row["tableowner"] for row in owners] == [name]
    acls = await server.fetch("SELECT datacl FROM pg_database WHERE datname IN ($1, $2)", name, f"restoring_{name}")
    assert sorted(acls[0]["datacl"]) == sorted(acls[1]["datacl"])
    for connection in (source, filled, server):
        await connection.close()
