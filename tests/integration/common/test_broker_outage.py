"""What our NATS client does when the broker goes away under its hands."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from conftest import connected
from pinghome_common.errors import Unavailable
from pinghome_common.stream import Broker
from resource_cmd.scheduling.streams import make_streams


async def stopped(pid: int) -> None:
    """Stops a process; a thread of it may run on for a moment after the signal."""
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.timeout(10):
        while set(states(pid)) != {"T"}:
            await asyncio.sleep(0.01)


def states(pid: int) -> list[str]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [(thread / "stat").read_text().rpartition(")")[2].split()[0] for thread in threads]


async def test_what_is_in_flight_when_the_broker_dies_fails_at_once_and_is_not_counted_as_pending(broker):
    async with Broker(broker.url("admin"), "test") as ours:
        await connected(ours)
        await make_streams(ours, 1, 1 << 20)
        await stopped(broker.supervisor.pids["nats"])
        sending = asyncio.create_task(ours.publish([("telemetry.test", b"1", None)]))
        asking = asyncio.create_task(ours.api("STREAM.INFO.TELEMETRY"))
        await asyncio.sleep(0.5)
        assert not sending.done()
        begun = time.monotonic()
        os.kill(broker.supervisor.pids["nats"], signal.SIGKILL)
        for waiting in (sending, asking):
            with pytest.raises(Unavailable):
                await waiting
        assert time.monotonic() - begun < 1
        await asyncio.sleep(0)
        assert ours._js.publish_async_pending() == 0
        await connected(ours)
        await ours.publish([("telemetry.test", b"2", None)])


async def test_who_waits_for_a_change_of_the_connection_is_told_of_its_loss_and_of_its_return(broker):
    async with Broker(broker.url("admin"), "test") as ours:
        await ours.until_connected(20)
        for there in (False, True):
            waiting = asyncio.create_task(ours.change(600))
            if not there:
                await asyncio.sleep(0)
                os.kill(broker.supervisor.pids["nats"], signal.SIGKILL)
            async with asyncio.timeout(60):
                await waiting
            assert ours.connected is there


async def test_our_client_has_no_end_to_its_patience(broker):
    async with Broker(broker.url("admin"), "test") as ours:
        await connected(ours)
        assert ours.client.options["max_reconnect_attempts"] == -1
        assert ours.client.options["allow_reconnect"] is True
