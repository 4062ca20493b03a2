"""Two processes of each service: either answers, one does what is done once, and the active one may be killed."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import asyncpg
import httpx
import psutil
import pytest

from contract.client import Client
from contract.pinghome.following import Following, following
from contract.target import eventually, listening
from pinghome import platform_keys, services
from pinghome.servers import Servers
from pinghome.supervise import Supervisor
from pinghome_common.settings import Settings
from running import TOKEN

ONCE = {
    "resource_cmd": ["relay", "projection resource-cmd", "scheduler"],
    "resource_query": ["projection resource-query"],
    "statistic_query": ["projection statistic-query"],
    "statuspage_cmd": ["relay", "projection statuspage-cmd"],
}
"""What only one process may do, by database: the names of the locks that it keeps; others it borrows for a round."""

OTHERS = ("statuspage-query", "prober")
"""Which have tests of their own for this."""


@dataclass
class Pair:
    """Both processes of each service: `ports` by name."""

    servers: Servers
    supervisors: list[Supervisor]
    ports: list[dict[str, int]]

    @asynccontextmanager
    async def sql(self, database: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(await self.servers.create_database(database))
        try:
            yield connection
        finally:
            await connection.close()

    async def active(self, database: str, lock: str) -> list[int]:
        """The processes that hold a lock."""
        async with self.sql(database) as connection:
            rows = await connection.fetch(
                "SELECT a.client_port FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                " WHERE locktype = 'advisory' AND a.datname = $1 AND l.database = a.datid"
                " AND ((classid::bigint << 32) | objid::bigint) = hashtextextended($2, 0)",
                database, lock,
            )  # fmt: skip
        ports = {row["client_port"] for row in rows}
        return [
            pid
            for supervisor in self.supervisors
            for pid in supervisor.pids.values()
            for it in psutil.Process(pid).net_connections("tcp")
            if it.laddr.port in ports
        ]

    async def all_active(self) -> dict[str, list[int]]:
        return {f"{name} {lock}": await self.active(name, lock) for name, locks in ONCE.items() for lock in locks}


@asynccontextmanager
async def two_of_each(folder: Path) -> AsyncIterator[Pair]:
    # A path too long for a Unix socket: by the port of a connection to PostgreSQL, its process is known.
    settings = Settings(
        data=folder / f"pair-{'x' * 100}", regions=["eu"], database_url="", nats_url="", bootstrap_token=TOKEN,
        probe_allow_cidrs=["127.0.0.0/8"], console=False,
    )  # fmt: skip
    here = {name: factory for name, factory in services.SERVICES.items() if name not in OTHERS}
    async with Servers(settings) as servers, Supervisor() as one, Supervisor() as other:
        complete, _ = platform_keys.complete(settings)
        ports = []
        for supervisor, data in ((one, settings.data), (other, folder / "second")):
            (data / "log").mkdir(parents=True, exist_ok=True)
            with patch.object(services, "SERVICES", here):
                urls = await services.as_processes(complete.but(data=data), servers, supervisor)
            ports.append({name: int(url.rpartition(":")[2]) for name, url in urls.items()})
        yield Pair(servers, [one, other], ports)


class Clients:
    """Asks the two processes of a service in turn."""

    def __init__(self, pair: Pair, http: httpx.AsyncClient) -> None:
        self._http = http
        self._ports = {name: cycle([each[name] for each in pair.ports]) for name in pair.ports[0]}

    async def __call__(self, method: str, service: str, path: str, **more: Any) -> httpx.Response | None:
        """The answer, or None from a process that has just been killed."""
        url = f"http://127.0.0.1:{next(self._ports[service])}{path}"
        try:
            return await self._http.request(method, url, headers={"Authorization": f"Bearer {TOKEN}"}, **more)
        except httpx.TransportError:
            return None

    async def surely(self, method: str, service: str, path: str, **more: Any) -> Any:
        """The body of the first answer that is 2xx, from whichever process."""
        answer = await eventually(
            lambda: self(method, service, path, **more), lambda it: it is not None and it.status_code != 503
        )
        assert answer is not None
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@dataclass
class Follower:
    """Hears of changes from either process, and from the other one when a stream ends or breaks off."""

    pair: Pair
    http: httpx.AsyncClient
    made: list[str] = field(default_factory=list)
    resets: int = 0
    last: str = ""

    async def run(self) -> None:
        """Notes what was made, until cancelled."""
        for port in cycle([each["resource-query"] for each in self.pair.ports]):
            self.http.base_url = f"http://127.0.0.1:{port}"
            with suppress(httpx.TransportError, AssertionError):  # it was killed, or is starting
                async with following(Client(self.http, TOKEN), "", self.last) as stream:
                    await self._hear(stream)
            await asyncio.sleep(0.1)

    async def _hear(self, stream: Following) -> None:
        try:
            while True:
                name, said = await stream.next()
                if name == "end":
                    return
                self.resets += name == "reset"
                self.last = stream.last
                if said.get("noun") == "heartbeat" and said["version"] == 1:
                    self.made.append(said["id"])
        finally:
            self.last = stream.last


async def sees_each_change_once(ask: Clients, made: set[str]) -> None:
    """The counts by state are those of the lists, and the audit log has each creation."""

    async def counted() -> dict[str, int]:
        return (await ask.surely("GET", "resource-query", "/v1/overview"))["counts"]["heartbeat"]

    counts = await eventually(counted, lambda found: found["down"] == len(ONCE), 120)  # the last one falls silent
    for state, n in counts.items():
        assert (await ask.surely("GET", "resource-query", f"/v1/heartbeats?state={state}"))["total"] == n, state
    entries = [
        entry for id_ in made for entry in (await ask.surely("GET", "resource-query", f"/v1/events?id={id_}"))["data"]
    ]
    assert Counter(it["subject"] for it in entries if it["what"] == "created") == dict.fromkeys(made, 1)


async def sees_what_is_away(pair: Pair, ask: Clients) -> None:
    """What the operator is told of health while processes hang, and after they have gone on."""

    async def seen() -> dict[str, Any]:
        health = await ask.surely("GET", "resource-query", "/v1/health")
        return {each["name"]: (each["state"], len(each["replicas"])) for each in health["services"]}

    there = dict.fromkeys((name.replace("_", "-") for name in ONCE), ("ready", 2)) | {"data-gateway": ("ready", 2)}
    await eventually(seen, lambda it: it == there | {"statuspage-query": ("away", 0)}, 120)
    hanging = [each.pids["statuspage-cmd"] for each in pair.supervisors]
    for pid in hanging:
        os.kill(pid, signal.SIGSTOP)
    assert (await seen())["statuspage-cmd"] == ("away", 0)
    os.kill(hanging[0], signal.SIGCONT)
    await eventually(seen, lambda it: it["statuspage-cmd"][1] == 1)
    os.kill(hanging[1], signal.SIGCONT)
    await eventually(seen, lambda it: it["statuspage-cmd"] == ("ready", 2), 120)


@pytest.mark.timeout(600)
async def test_what_is_done_once_goes_on_in_the_other_process_when_the_active_one_is_killed(folder: Path):
    async with two_of_each(folder) as pair, httpx.AsyncClient(timeout=30, trust_env=False) as http, listening() as hook:
        ask = Clients(pair, http)
        follower = Follower(pair, httpx.AsyncClient(timeout=30, trust_env=False))
        follows = asyncio.create_task(follower.run())
        assert {name: len(pids) for name, pids in (await pair.all_active()).items()} == dict.fromkeys(
            await pair.all_active(), 1
        )
        service = str(uuid4())

        async def create(name: str, interval: int = 3600, **more: Any) -> str:
            body = {"name": name, "service_id": service, "interval": interval, "methods": ["POST"], **more}
            answer = await ask("POST", "resource-cmd", "/v1/heartbeat", json=body)
            assert answer is None or answer.status_code in (201, 503), answer.text
            return answer.json()["id"] if answer is not None and answer.status_code == 201 else ""

        async def listed() -> Counter[str]:
            found = await ask.surely("GET", "resource-query", f"/v1/service/{service}/heartbeats?limit=500")
            return Counter(it["id"] for it in found["data"])

        # What one process writes, either shows at once: the relay and the projections may be anywhere.
        for number in range(10):
            made = await create(f"at once {number}")
            assert [(await ask("GET", "resource-query", f"/v1/heartbeat/{made}")).status_code for _ in range(2)] == [
                200
            ] * 2

        channel = {"name": "hook", "service_id": service, "kind": "webhook", "config": {"url": hook.url}}
        channel_id = (await ask.surely("POST", "resource-cmd", "/v1/channel", json=channel))["id"]
        counted = await create("counted")
        made, pings = {counted}, 0
        for turn, (name, locks) in enumerate(ONCE.items()):
            quiet = {"name": f"silent {turn}", "interval": 1, "channels": [channel_id]}
            silent = await eventually(lambda: create(**quiet), bool)  # noqa: B023  # at once
            made.add(silent)
            await ask.surely("POST", "data-gateway", f"/v1/heartbeat/{silent}")
            (victim,) = set(await pair.active(name, locks[0]))
            os.kill(victim, signal.SIGKILL)
            for number in range(20):
                pings += bool((it := await ask("POST", "data-gateway", f"/v1/heartbeat/{counted}")) and it.is_success)
                made.add(await create(f"meanwhile {turn} {number}"))
            (heir,) = set(await eventually(lambda: pair.active(name, locks[0]), bool))  # noqa: B023  # nominal: 0.5
            assert heir != victim
        made.discard("")

        assert await eventually(listed, lambda found: made <= set(found))
        assert set((await listed()).values()) == {1}

        async def heard() -> set[str]:
            return set(follower.made)

        await eventually(heard, lambda found: made <= found)
        assert (max(Counter(follower.made).values()), follower.resets) == (1, 0)
        await sees_each_change_once(ask, made)
        follows.cancel()
        await sees_what_is_away(pair, ask)
        await asyncio.gather(follows, return_exceptions=True)
        async with following(Client(follower.http, TOKEN), "") as stream, asyncio.timeout(60):
            await stream.hello()
            port = follower.http.base_url.port
            place = next(place for place, each in enumerate(pair.ports) if each["resource-query"] == port)
            os.kill(pair.supervisors[place].pids["resource-query"], signal.SIGTERM)
            assert await stream.next() == ("end", {})  # and not in the middle of an answer
        await follower.http.aclose()

        async def count() -> int:
            async with pair.sql("resource_cmd") as connection:
                return await connection.fetchval("SELECT n_pings FROM runtime_state WHERE heartbeat = $1", counted)

        await eventually(count, lambda found: found >= pings)
        assert await count() == pings

        def told() -> set[tuple[str, str]]:
            """What was told; what a killed process had sent unrecorded comes again, with the same key."""
            return {(json.loads(it.body)["title"], it.headers["idempotency-key"]) for it in hook.asked}

        async def titles() -> list[str]:
            return sorted(title for title, _ in told())

        expected = [f"silent {turn} is down" for turn in range(len(ONCE))]
        await eventually(titles, lambda found: len(found) >= len(expected), 120)
        assert await hook.silent_for(3)
        assert await titles() == expected
