"""What becomes of a job: its result, whose fault a failure is, and messages that no target can make too large."""

import asyncio
from ipaddress import ip_network
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from pinghome_common.events.probe import Job, Result, Results, Verdict
from pinghome_common.guard import Guard
from pinghome_common.stream import Task
from prober import outbox
from prober.anchors import Anchors
from prober.outbox import MAX_PER_MESSAGE, Done, encode, next_message
from prober.region import OWN_FAULT
from prober.worker import Prober

pytestmark = pytest.mark.asyncio(loop_scope="module")
GUARD = Guard([ip_network("127.0.0.1/32")])
SLOT = 1_790_000_000


def results(count: int, excerpt: str) -> list[Done]:
    one = Result(
        resource=UUID(int=1), slot=1, checked_at=1, interval=60, verdict=Verdict.target_fail,
        error="e" * 300, condition="c" * 200, excerpt=excerpt,
    )  # fmt: skip
    return [Done(encode(one), None)] * count


def size(done: list[Done]) -> int:
    return len(
        msgspec.msgpack.encode(
            Results(
                batch=UUID(int=1),
                region="a",
                results=[msgspec.msgpack.decode(each.result, type=Result) for each in done],
            )
        )
    )


async def test_message_with_long_excerpts_stays_below_half_a_mebibyte():
    done = results(1000, "é" * 2048)

    parts = []
    while done:
        parts.append(next_message(done))
        done = done[len(parts[-1]) :]

    assert sum(map(len, parts)) == 1000
    assert max(map(size, parts)) < (512 << 10) + 1000


async def test_message_without_excerpts_holds_as_many_as_it_may():
    assert len(next_message(results(1000, ""))) == MAX_PER_MESSAGE
    assert size(next_message(results(1000, ""))) < 512 << 10


async def worked(anchors: list[str], **job) -> Result:
    """The result that a prober would publish of a job."""
    prober = Prober(None, "a", b"", GUARD, Anchors(anchors), Path("/nowhere"))
    job = Job(resource=UUID(int=1), interval=60, **job)
    await prober._start(Task("job", msgspec.msgpack.encode(job), SLOT * 10**9 + 3_000_000, ""))
    await asyncio.gather(*prober._running)
    (done,) = prober.outbox.waiting
    return msgspec.msgpack.decode(done.result, type=Result)


async def test_result_has_its_slot_and_what_was_seen(listening):
    async with listening(b"HTTP/1.1 500 X\r\nContent-Length: 7\r\n\r\nso sad\0") as target:
        result = await worked([], type="http", url=target.url)

    assert (result.verdict, result.slot, result.interval) == (Verdict.target_fail, SLOT * 10**6, 60)
    assert (result.status_code, result.address, result.excerpt) == (500, "127.0.0.1", "so sad")
    assert result.error == "answered 500 Internal Server Error"


async def test_excerpt_is_dropped_while_too_many_results_wait(listening, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_EXCERPTS", 0)
    async with listening(b"HTTP/1.1 500 X\r\nContent-Length: 3\r\n\r\nsad") as target:
        result = await worked([], type="http", url=target.url)

    assert (result.status_code, result.excerpt) == (500, "")


@pytest.mark.parametrize("kind", ["tcp", "udp", "smtp"])
async def test_failure_is_published_as_our_own_when_no_anchor_answers(listening, kind):
    async with listening(b"", read=False) as anchor:
        down = await worked([f"127.0.0.1:{anchor.port}"], type=kind, host="127.0.0.1", port=1)
    cut_off = await worked([f"127.0.0.1:{anchor.port}"], type=kind, host="127.0.0.1", port=1)

    assert (down.verdict, down.error) == (Verdict.target_fail, "refused the connection")
    assert (cut_off.verdict, cut_off.error) == (Verdict.probe_error, OWN_FAULT)
