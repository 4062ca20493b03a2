"""A dry run of a prober: one attempt, the outcome of every condition, and the limit of concurrent probes."""

from ipaddress import ip_network
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from pinghome_common.events.condition import BODY, STATUS, Condition
from pinghome_common.events.dry_run import DryRun
from pinghome_common.events.probe import Job, Verdict
from pinghome_common.guard import Guard
from pinghome_common.stream import Broker
from prober import worker
from prober.anchors import Anchors
from prober.dry_run import attempt
from prober.worker import Prober

pytestmark = pytest.mark.asyncio(loop_scope="module")

GUARD = Guard([ip_network("127.0.0.1/32")])
DEMANDS = [
    Condition(type=BODY, operator="contains", values=["ping"]),
    Condition(type=STATUS, operator="equal", values=["201"]),
    Condition(type=BODY, operator="contains", values=["home"]),
]


async def test_each_condition_has_its_own_verdict_and_there_is_one_attempt(listening):
    async with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npinghome") as target:
        job = Job(resource=uuid4(), type="http", interval=60, url=target.url, conditions=DEMANDS)
        told = await attempt(job, GUARD, lambda _: ({}, ""))

    assert target.connections == 1
    assert (told.result.verdict, told.result.status_code) == (Verdict.target_fail, 200)
    assert [(it.holds, it.found) for it in told.conditions] == [(True, "pinghome"), (False, "200"), (True, "pinghome")]


async def test_conditions_of_an_answer_that_did_not_come_have_no_verdict():
    job = Job(resource=uuid4(), type="http", interval=60, url="http://127.0.0.1:1/", conditions=DEMANDS)

    told = await attempt(job, GUARD, lambda _: ({}, ""))

    assert told.result.error == "refused the connection"
    assert [it.holds for it in told.conditions] == [None] * 3


async def test_prober_with_no_hand_free_says_so(monkeypatch):
    monkeypatch.setattr(worker, "MAX_PROBES", 0)
    prober = Prober(Broker("nats://127.0.0.1:1", "prober"), "a", b"", GUARD, Anchors([]), Path("/nowhere"))

    assert msgspec.msgpack.decode(await prober.dry_run(b""), type=DryRun) == DryRun(busy=True)
