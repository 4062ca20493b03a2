"""Dry runs over a real NATS: every region has its word in time, also one whose prober is away, hangs or is busy."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import msgspec
import pytest

from conftest import connected
from pinghome_common import clock
from pinghome_common.errors import TooMany
from pinghome_common.events.dry_run import DryRun
from pinghome_common.events.probe import Job, Result, Verdict, attempt_deadline
from pinghome_common.events.resource import Resource
from pinghome_common.secret import derive, unseal
from pinghome_common.stream import Broker
from resource_cmd.monitors import resource
from resource_cmd.scheduling import dry_run
from resource_cmd.scheduling.dry_run import DryRuns
from resource_cmd.scheduling.regions import Regions

HERE, THERE = "eu-central-1", "us-east-1"
KEY = "a secret key"


def monitor(**settings) -> Resource:
    own = {"name": "x", "type": "http", "url": "http://127.0.0.1/", "service_id": uuid4(), "interval": 5}
    it = resource.create(uuid4(), uuid4(), {**own, "regions": [HERE, THERE], **settings}, clock.now())
    return resource.with_secrets(it, derive(KEY, "resource"), {"X-Key": "hidden"}, "body")


@pytest.fixture
async def trials(broker) -> AsyncIterator[DryRuns]:
    async with Broker(broker.url("resource-cmd"), "resource-cmd") as service:
        await connected(service)
        yield DryRuns(service, KEY, Regions(None, service, KEY))


async def test_region_tells_and_one_without_a_prober_is_silent(broker, trials, monkeypatch):
    monkeypatch.setattr(dry_run, "ON_THE_WAY", 60)  # the machine may be busy
    seen: list[Job] = []

    async def answer(data: bytes) -> bytes:
        seen.append(msgspec.msgpack.decode(data, type=Job))
        result = Result(resource=seen[0].resource, slot=0, checked_at=1, interval=5, verdict=Verdict.up)
        return msgspec.msgpack.encode(DryRun(result=result))

    async with Broker(broker.url(f"prober-{HERE}"), "prober") as prober:
        await connected(prober)
        await prober.serve(f"probe.{HERE}", "prober", answer)
        told = await trials.run(monitor())

    assert told[HERE].result.verdict is Verdict.up
    assert told[THERE] == DryRun()
    assert len(seen) == 1
    assert b"hidden" not in seen[0].sealed
    assert unseal(derive(KEY, f"region:{HERE}"), seen[0].sealed) == b'[{"X-Key": "hidden"}, "body"]'


async def test_prober_that_never_answers_is_not_waited_for(broker, trials):
    async with Broker(broker.url(f"prober-{HERE}"), "prober") as prober:
        await connected(prober)
        await prober.serve(f"probe.{HERE}", "prober", lambda _: asyncio.Event().wait())
        begun = time.monotonic()
        told = await trials.run(monitor(regions=[HERE]))

    assert told == {HERE: DryRun()}
    assert time.monotonic() - begun > attempt_deadline(5)


async def test_an_organisation_that_has_its_share_is_refused_and_no_other(broker, trials, monkeypatch):
    monkeypatch.setattr(dry_run, "AT_ONCE", 1)
    async with Broker(broker.url(f"prober-{HERE}"), "prober") as prober:
        await connected(prober)
        await prober.serve(f"probe.{HERE}", "prober", lambda _: asyncio.Event().wait())
        it = monitor(regions=[HERE])
        waiting = asyncio.create_task(trials.run(it))
        await asyncio.sleep(0)  # until it asks
        with pytest.raises(TooMany):
            await trials.run(it)
        assert await trials.run(monitor(regions=[THERE])) == {THERE: DryRun()}
        await waiting
    assert await trials.run(it) == {HERE: DryRun()}
