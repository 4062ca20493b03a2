"""Whose fault a failure is: the target's, or the region's own."""

import asyncio
from uuid import UUID

import pytest
import structlog
from prometheus_client import REGISTRY

from pinghome_common.events.probe import Job, Verdict
from prober import region
from prober.anchors import Anchors
from prober.probes.probe_types import Observation
from prober.region import MIN_FAILURES, OWN_FAULT, NewFailures, Region

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Anchor:
    """Accepts connections until told not to, and counts them."""

    def __init__(self) -> None:
        self.connections, self.port = 0, 0

    async def start(self) -> "Anchor":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def _serve(self, _, writer) -> None:
        self.connections += 1
        writer.close()

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()


def job(number: int = 1, interval: int = 60) -> Job:
    return Job(resource=UUID(int=number), type="tcp", interval=interval)


def failed() -> Observation:
    return Observation(verdict=Verdict.target_fail, error="refused the connection")


def gauge(name: str) -> float:
    return REGISTRY.get_sample_value("pinghome_region_suspect", {"region": name})


async def test_without_anchors_a_failure_stays_the_targets():
    seen = failed()

    await Region("none", Anchors([])).assess(job(), seen, 0)

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "refused the connection")


async def test_one_anchor_that_answers_is_enough():
    anchor = await Anchor().start()
    seen = failed()

    await Region("one", Anchors(["127.0.0.1:1", f"127.0.0.1:{anchor.port}", "192.0.2.1:9"])).assess(job(), seen, 0)
    await anchor.stop()

    assert (seen.verdict, gauge("one")) == (Verdict.target_fail, 0)


async def test_failure_is_our_own_when_no_anchor_answers_and_the_operator_is_told_once(monkeypatch):
    monkeypatch.setattr("prober.anchors.CACHE_SECONDS", 0)
    anchor = await Anchor().start()
    it = Region("cut off", Anchors(["127.0.0.1:1", f"127.0.0.1:{anchor.port}"]))
    with structlog.testing.capture_logs() as logs:
        verdicts = []
        for up in (True, False, True):
            if not up:
                await anchor.stop()
            elif verdicts:
                await anchor.start()
            for number in range(3):
                seen = failed()
                await it.assess(job(number), seen, number)
                verdicts.append((seen.verdict, seen.error))
    await anchor.stop()

    assert verdicts == 3 * [(Verdict.target_fail, "refused the connection")] + 3 * [
        (Verdict.probe_error, OWN_FAULT)
    ] + 3 * [(Verdict.target_fail, "refused the connection")]  # fmt: skip
    assert [(log["log_level"], log["event"]) for log in logs] == [
        ("warning", "region_suspect"),
        ("warning", "region_trusted"),
    ]


async def test_success_while_cut_off_stays_a_success():
    it = Region("lan", Anchors(["127.0.0.1:1"]))
    await it.assess(job(1), failed(), 0)
    seen = Observation()

    await it.assess(job(2), seen, 0)

    assert (seen.verdict, gauge("lan")) == (Verdict.up, 1)


async def test_thousand_failures_ask_the_anchors_once_a_second():
    anchor = await Anchor().start()
    it = Region("many", Anchors([f"127.0.0.1:{anchor.port}"]))

    await asyncio.gather(*(it.assess(job(number), failed(), 0) for number in range(1000)))
    await anchor.stop()

    assert 1 <= anchor.connections <= 3


async def test_what_policy_refuses_asks_nobody():
    anchor = await Anchor().start()
    seen = Observation(verdict=Verdict.blocked, error="no")

    await Region("policy", Anchors([f"127.0.0.1:{anchor.port}"])).assess(job(), seen, 0)
    await asyncio.sleep(0.05)
    await anchor.stop()

    assert (seen.verdict, anchor.connections) == (Verdict.blocked, 0)


async def test_silent_anchor_is_waited_for_only_so_long(monkeypatch):
    monkeypatch.setattr("prober.anchors.CONNECT_TIMEOUT", 0.2)

    assert await Anchors(["192.0.2.1:9", "no.such.name.invalid:1"]).all_down()


async def test_mass_outage_is_suspect_yet_told_of_every_target():
    """M7: with the anchors well, or none, five thousand dead targets are five thousand failures."""
    it = Region("mass", Anchors([]))
    for number in range(5000):
        await it.assess(job(number), Observation(), 0)
    found = [failed() for _ in range(5000)]
    for number, seen in enumerate(found):
        await it.assess(job(number), seen, 10)

    assert {seen.verdict for seen in found} == {Verdict.target_fail}
    assert gauge("mass") == 1
    await it.assess(job(1), failed(), 10 + region.WINDOW)
    assert gauge("mass") == 0


def turned(count: int, of: int, at: float = 10) -> NewFailures:
    failures = NewFailures()
    for number in range(of):
        failures.record(UUID(int=number), 60, 0, up=True)
    for number in range(count):
        failures.record(UUID(int=number), 60, at, up=False)
    return failures


@pytest.mark.parametrize(
    ("count", "of", "many"),
    [(9, 9, False), (10, 10, True), (10, 20, False), (11, 20, True), (50, 100, False), (51, 100, True)],
)
async def test_more_than_half_and_at_least_ten_are_many(count, of, many):
    assert turned(count, of).widespread(11) is many


async def test_new_failures_count_for_a_minute_and_until_the_monitor_is_up_again():
    failures = turned(15, 20)
    assert failures.widespread(69)
    assert not failures.widespread(70)
    failures = turned(15, 20)
    for number in range(5):
        failures.record(UUID(int=number), 60, 12, up=True)
    assert not failures.widespread(13)
    for number in range(5):
        failures.record(UUID(int=number), 60, 14, up=False)
    assert failures.widespread(15)


async def test_monitors_that_never_were_up_turn_nothing():
    failures = NewFailures()
    for at in range(3):
        for number in range(MIN_FAILURES * 2):
            failures.record(UUID(int=number), 60, at, up=False)
    assert not failures.widespread(3)


async def test_monitors_that_are_gone_count_no_more():
    failures = turned(0, 100)
    for number in range(200, 211):
        failures.record(UUID(int=number), 60, 200, up=True)
    for number in range(200, 211):
        failures.record(UUID(int=number), 60, 201, up=False)

    assert failures.widespread(202)
    assert len(failures._last) == 11
