"""2xx means stored for points, too: spooled while the broker is away, published once by a gateway that was killed."""

import asyncio
import os
import signal
import time
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest

from conftest import connected
from gateways import Gateway, gateway, telemetry
from pinghome.nats import Nats
from pinghome_common.dialects.pingpong import short
from pinghome_common.events import Event, encode
from pinghome_common.events.key import Key, Kind, Scope
from pinghome_common.events.page_metric import CustomMetric
from pinghome_common.events.point import decode_batch
from pinghome_common.secret import token_hash
from pinghome_common.stream import Broker, streams
from resource_cmd.scheduling.streams import make_streams
from statuspage_cmd.streams import STREAMS

TOKEN, PAGE, ORGANISATION = "a" * 40, uuid4(), uuid4()
URL = "/rest/v1/custom-metrics/data"


async def publish(nats: Nats, user: str, prefix: str, event: Event) -> None:
    async with Broker(nats.url(user), user) as commands:
        await connected(commands)
        if user == "statuspage-cmd":
            await streams.make(commands, 1, STREAMS)
        await commands.publish([(event.address(prefix), encode(event), None)])


async def key(nats: Nats) -> None:
    now = datetime.now(UTC)
    it = Key(
        id=uuid4(), organisation=ORGANISATION, name="", kind=Kind.status, scope=Scope.write, hash=token_hash(TOKEN),
        page=PAGE, created_at=now,
    )  # fmt: skip
    event = Event(type="key.created", time=now, subject=it.id, organisation=ORGANISATION, version=1, actor="", data=it)
    await publish(nats, "resource-cmd", "events", event)


async def metric(nats: Nats, id_: UUID, page: UUID = PAGE, what: str = "created") -> None:
    now = datetime.now(UTC)
    it = CustomMetric(
        id=id_, organisation=ORGANISATION, page=page, name="Errors", created_at=now, updated_at=now,
    )  # fmt: skip
    event = Event(
        type=f"custom_metric.{what}", time=now, subject=id_, organisation=ORGANISATION, version=1, actor="", data=it
    )
    await publish(nats, "statuspage-cmd", "status", event)


def client(it: Gateway) -> httpx.AsyncClient:
    limits = httpx.Limits(max_keepalive_connections=0)
    headers = {"Authorization": f"Token {TOKEN}"}
    return httpx.AsyncClient(base_url=it.url, timeout=60, trust_env=False, limits=limits, headers=headers)


async def send(http: httpx.AsyncClient, id_: UUID, minute: int, value: float) -> int:
    body = {"data": {short(id_): [{"timestamp": minute * 60, "value": value}]}}
    return (await http.post(URL, json=body)).status_code


async def points(nats: Nats) -> list[tuple[UUID, int, float]]:
    """The points in the stream in their order; a batch that came twice counts once."""
    found = [decode_batch(data) for data in await telemetry(nats.url("admin"), "point")]
    batches = {(it.boot, it.number): it.points for it in found}
    return [
        (UUID(bytes=it.metric), minute, value)
        for each in batches.values()
        for it in each
        for minute, value in it.unpacked()
    ]


@pytest.mark.timeout(300)
async def test_points_that_are_acknowledged_without_the_broker_are_published_once(broker: Nats, tmp_path):
    id_, first = uuid4(), int(time.time()) // 60 - 100
    await key_and_stream(broker, id_)
    async with gateway(broker, tmp_path) as it, client(it) as http:
        await remembered(it)
        pid = broker.supervisor.pids["nats"]
        os.kill(pid, signal.SIGSTOP)
        try:
            assert [await send(http, id_, first + place, place) for place in range(3)] == [200] * 3
            it.kill()
            await it.start(ready=False)  # it knows the token and the metric from its snapshots
            assert [await send(http, id_, first + place, place) for place in range(3, 6)] == [200] * 3
            assert await send(http, uuid4(), first, 0) == 503
        finally:
            os.kill(pid, signal.SIGCONT)
        async with asyncio.timeout(60):
            while len(await points(broker)) < 6:
                await asyncio.sleep(0.2)
        it.kill()
        await it.start()
        assert await points(broker) == [(id_, first + place, place) for place in range(6)]


async def test_a_metric_is_known_as_soon_as_it_is_made_and_until_it_is_gone(broker: Nats, tmp_path):
    await key_and_stream(broker, uuid4())
    async with gateway(broker, tmp_path) as it, client(it) as http:
        minute = int(time.time()) // 60
        for _ in range(20):
            id_ = uuid4()
            await metric(broker, id_)
            assert await send(http, id_, minute, 1) == 200
        other = uuid4()
        await metric(broker, other, uuid4())
        assert await send(http, other, minute, 1) == 404
        await metric(broker, id_, what="deleted")
        async with asyncio.timeout(20):
            while await send(http, id_, minute, 1) != 404:
                await asyncio.sleep(0.05)
        assert {found for found, _, _ in await points(broker)} >= {id_}
        assert other not in {found for found, _, _ in await points(broker)}


async def key_and_stream(nats: Nats, id_: UUID) -> None:
    """Both streams with a token and a metric."""
    async with Broker(nats.url("resource-cmd"), "resource-cmd") as commands:
        await connected(commands)
        await make_streams(commands, 1, 64 << 20)
    await key(nats)
    await metric(nats, id_)


async def remembered(it: Gateway) -> None:
    """Until the gateway has written down the token and the metric, which it does seconds after the last event."""
    async with asyncio.timeout(60):
        while not all((it.data / "data-gateway" / "0" / name).exists() for name in ("known", "known-metrics")):
            await asyncio.sleep(0.1)
