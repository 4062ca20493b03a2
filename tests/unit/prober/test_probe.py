"""A job is probed within its interval, and a failure is tried once more before it counts."""

import socket
from ipaddress import ip_network
from uuid import UUID

import pytest

from pinghome_common.events.condition import Condition
from pinghome_common.events.probe import Job, Verdict
from pinghome_common.guard import Guard
from prober.probe import attempt_deadline, probe

pytestmark = pytest.mark.asyncio(loop_scope="module")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
DOWN = b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"
LOCAL = Guard([ip_network("127.0.0.1/32")])


def job(url="", **changes):
    return Job(**{"resource": UUID(int=1), "type": "http", "interval": 60, "url": url} | changes)


def opener(sealed):
    return {"X-Key": sealed.decode()}, "body"


def answering(*answers):
    """Answers each request with the next of `answers`."""
    left = list(answers)

    async def answer(writer):
        writer.write(left.pop(0))

    return answer


@pytest.mark.parametrize(
    ("interval", "seconds"), [(1, 1.5), (3, 1.5), (5, 2.25), (10, 4.5), (20, 9), (22, 9.9), (30, 10), (86400, 10)]
)
async def test_attempt_takes_at_most_ten_seconds_and_two_fit_into_the_interval(interval, seconds):
    assert attempt_deadline(interval) == pytest.approx(seconds)
    assert interval < 4 or 2 * attempt_deadline(interval) < interval


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ([OK], Verdict.up),
        ([DOWN, OK], Verdict.up),
        ([b"", OK], Verdict.up),
        ([DOWN, DOWN], Verdict.target_fail),
        ([DOWN, b""], Verdict.target_fail),
    ],
)
async def test_failure_is_tried_once_more_at_once(listening, answers, verdict):
    async with listening(answering(*answers)) as target:
        seen = await probe(job(target.url), LOCAL, opener)

    assert seen.verdict is verdict
    assert target.connections == len(answers)


async def test_what_policy_refuses_is_not_tried_again():
    asked = []

    seen = await probe(
        job("http://name.example/"), Guard(lookup=lambda name: asked.append(name) or ["10.0.0.1"]), opener
    )

    assert (seen.verdict, asked) == (Verdict.blocked, ["name.example"])


async def test_our_own_failure_is_tried_again(listening):
    asked = []

    def lookup(name):
        asked.append(name)
        if len(asked) == 1:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return ["127.0.0.1"]

    async with listening(OK) as target:
        seen = await probe(
            job(f"http://name.example:{target.port}/"), Guard([ip_network("127.0.0.1/32")], lookup), opener
        )

    assert (seen.verdict, len(asked)) == (Verdict.up, 2)


async def test_sealed_headers_and_body_are_opened_and_sent(listening):
    async with listening(OK) as target:
        await probe(job(target.url, method="POST", sealed=b"secret"), LOCAL, opener)

    line, headers, body = target.last
    assert line == b"POST / HTTP/1.1"
    assert b"X-Key: secret" in headers
    assert body == b"body"


async def test_settings_of_the_monitor_reach_the_probe(listening):
    async with listening(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n") as target:
        seen = await probe(job(target.url, method="HEAD", not_follow_redirect=True), LOCAL, opener)

    assert (seen.verdict, seen.status_code, target.connections) == (Verdict.up, 302, 1)
    assert target.last[0] == b"HEAD / HTTP/1.1"


async def test_job_that_cannot_be_opened_is_our_failure(listening):
    def refuse(_):
        raise ValueError("wrong key")

    async with listening(OK) as target:
        seen = await probe(job(target.url, sealed=b"x"), LOCAL, refuse)

    assert (seen.verdict, target.connections) == (Verdict.probe_error, 0)
    assert seen.error.startswith("prober: ")


async def test_kind_of_job_that_this_prober_does_not_know_is_our_failure():
    seen = await probe(job("http://127.0.0.1/", type="telepathy"), LOCAL, opener)

    assert seen.verdict is Verdict.probe_error


async def test_secret_that_a_target_sends_back_is_masked_in_error_and_excerpt(listening):
    def secrets(_):
        return {"X-Key": "a-long-secret"}, ""

    wanted = [Condition(type="response-body-check", operator="equal", values=["fine"])]
    async with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\na-long-secret") as target:
        seen = await probe(job(target.url, sealed=b"x", conditions=wanted), LOCAL, secrets)

    assert (seen.verdict, seen.condition) == (Verdict.target_fail, "response-body-check equal fine")
    assert (seen.error, seen.excerpt) == ("response-body-check equal fine: found ********", "********")


async def test_success_has_no_excerpt_and_the_condition_that_held_last(listening):
    wanted = [Condition(type="response-status-check", operator="equal", values=[each]) for each in ("200", "500")]
    wanted[1].operator = "not-equal"
    async with listening(OK) as target:
        seen = await probe(job(target.url, conditions=wanted), LOCAL, opener)

    assert (seen.verdict, seen.excerpt, seen.condition) == (Verdict.up, "", "response-status-check not-equal 500")
