"""Gateways that share a data folder: each has a part of its own, and what an ended one has spooled is not lost."""

import asyncio
import os
import signal
import time
from uuid import uuid4

import pytest

from gateways import Gateway, gateway, telemetry
from integration.data_gateway.test_points import client, key_and_stream, points, remembered, send
from pinghome.nats import Nats
from pinghome_common.events.ping import Tick, decode_tick


async def ticks(nats: Nats) -> list[Tick]:
    return [decode_tick(data) for data in await telemetry(nats.url("admin"), "tick")]


@pytest.mark.timeout(300)
async def test_what_a_killed_gateway_has_spooled_is_sent_by_another_which_says_that_it_is_gone(broker: Nats, tmp_path):
    id_, first = uuid4(), int(time.time()) // 60 - 100
    await key_and_stream(broker, id_)
    async with gateway(broker, tmp_path) as one:
        two = Gateway(broker, one.data, {})
        await two.start()
        async with client(one) as http, client(two) as other:
            await remembered(one)
            assert [await send(each, id_, first, 0) for each in (http, other)] == [200, 200]
            names = [(one.data / "data-gateway" / number / "name").read_text() for number in ("0", "1")]
            pid = broker.supervisor.pids["nats"]
            os.kill(pid, signal.SIGSTOP)
            try:
                assert [await send(other, id_, first + place, place) for place in range(1, 4)] == [200] * 3
                two.kill()
            finally:
                os.kill(pid, signal.SIGCONT)
            async with asyncio.timeout(120):
                while not any(tick.gone for tick in await ticks(broker)):
                    await asyncio.sleep(0.2)
        assert {(minute - first, value) for _, minute, value in await points(broker)} == {
            (place, place) for place in range(4)
        }
        assert {tick.gateway for tick in await ticks(broker) if tick.gone} == {names[1]}
        await two.start()  # as a new gateway, in the folder that is free
        two.kill()
        assert (one.data / "data-gateway" / "1" / "name").read_text() not in names


async def test_what_a_gateway_had_before_there_could_be_several_is_taken_over(broker: Nats, tmp_path):
    await key_and_stream(broker, uuid4())
    async with gateway(broker, tmp_path) as it:
        parent = it.data / "data-gateway"
        it.kill()
        for path in (parent / "0").iterdir():
            path.rename(parent / path.name)
        (parent / "0").rmdir()
        name = (parent / "name").read_text()
        await it.start()
        assert (parent / "0" / "name").read_text() == name
        assert not (parent / "name").exists()
