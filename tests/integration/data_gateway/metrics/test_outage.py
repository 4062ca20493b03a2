"""2xx means stored: while the broker is away samples and pings are spooled, and a killed gateway forgets nothing."""

import asyncio
import os
import signal
from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from conftest import connected
from gateways import Gateway, Token, gateway, telemetry
from otlp import PROTOBUF, accepted, encoded, memory, micros, request
from pinghome_common.events import Event, encode
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.ping import decode_batch
from pinghome_common.stream import Broker


def client(it: Gateway) -> httpx.AsyncClient:
    """A client whose connections do not outlive a request, as the gateway may be killed after it."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=it.url, timeout=60, trust_env=False, limits=limits)


async def heartbeat(nats_url: str) -> str:
    """A heartbeat that the gateway knows."""
    id_, now = uuid4(), datetime.now(UTC)
    it = Heartbeat(
        id=id_, organisation=uuid4(), service_id=uuid4(), name="", slug="", period=60, methods=["GET"], created_at=now,
        updated_at=now,
    )  # fmt: skip
    event = Event(type="heartbeat.created", time=now, subject=id_, organisation=uuid4(), version=1, actor="", data=it)
    async with Broker(nats_url, "resource-cmd") as commands:
        await connected(commands)
        await commands.publish([(event.address(), encode(event), None)])
    return str(id_)


async def pings(it: Gateway) -> Counter[str]:
    """The messages of all pings in the stream, by how often they are there."""
    found = [decode_batch(data) for data in await telemetry(it.nats.url("admin"), "ping")]
    batches = {(each.boot, each.number): each.pings for each in found}
    return Counter(ping.message for each in batches.values() for ping in each)


async def send(http: httpx.AsyncClient, token: Token, id_: str, number: int) -> int:
    """One sample in each form and one ping; returns the sample's time."""
    at = micros()
    body = encoded(request(memory(at)), PROTOBUF)
    accepted(await http.post("/v1/metrics", content=body, headers=token.header | {"Content-Type": PROTOBUF}), PROTOBUF)
    assert (await http.get(f"/v1/heartbeat/{id_}?message={number}")).status_code == 200
    moment = datetime.fromtimestamp(at / 1e6, UTC).isoformat()
    sample = {"at": moment, "values": {"swap-usage": {"used": number}}}
    answer = await http.post("/v1/server-resource/metrics", json={"samples": [sample]}, headers=token.header)
    assert answer.status_code == 200, answer.text
    return at


@pytest.mark.timeout(300)
async def test_what_is_acknowledged_without_the_broker_is_published_once_by_a_gateway_that_was_killed(broker, tmp_path):
    async with gateway(broker, tmp_path) as it, client(it) as http:
        token, id_ = await it.token(), await heartbeat(broker.url("resource-cmd"))
        times = [await send(http, token, id_, number) for number in range(5)]
        pid = broker.supervisor.pids["nats"]
        os.kill(pid, signal.SIGSTOP)
        try:
            times += [await send(http, token, id_, number) for number in range(5, 10)]
            it.kill()
            await it.start(ready=False)  # it knows the token from its snapshot
            times += [await send(http, token, id_, number) for number in range(10, 15)]
            assert [path for path in (it.data / "data-gateway/0/spool").iterdir() if path.suffix == ".spool"]
        finally:
            os.kill(pid, signal.SIGCONT)
        async with asyncio.timeout(60):
            while len(await it.samples(token.server)) < 2 * len(times):
                await asyncio.sleep(0.2)
        it.kill()
        await it.start()
        found = await it.samples(token.server)

        assert Counter(each.at for each in found) == dict.fromkeys(times, 2)
        assert await pings(it) == {str(number): 1 for number in range(15)}
        assert all(0 <= each.received_at - each.at < 60_000_000 for each in found)


async def test_neither_the_broker_nor_a_disk_is_503(broker, tmp_path):
    async with gateway(broker, tmp_path) as it, client(it) as http:
        token = await it.token()
        body = encoded(request(memory(micros())), PROTOBUF)
        headers = token.header | {"Content-Type": PROTOBUF}
        accepted(await http.post("/v1/metrics", content=body, headers=headers), PROTOBUF)
        spool = it.data / "data-gateway/0/spool"
        spool.write_text("in the way")
        pid = broker.supervisor.pids["nats"]
        os.kill(pid, signal.SIGSTOP)
        try:
            answer = await http.post("/v1/metrics", content=body, headers=headers)
        finally:
            os.kill(pid, signal.SIGCONT)

        assert answer.status_code == 503
        assert answer.headers["content-type"] == PROTOBUF
        assert int(answer.headers["retry-after"]) <= 5
