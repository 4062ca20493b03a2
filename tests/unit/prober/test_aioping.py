"""The optional backend: aioping behind the same probe."""

import asyncio
import os
from functools import partial
from ipaddress import ip_network

import pytest

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import Guard
from prober.probes import icmp
from prober.probes.probe_types import ProbeSpec
from unit.prober.permission import may_ping

pytest.importorskip("aioping")

from prober import aioping_echo  # only where the extra is installed

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOCAL = Guard([ip_network("127.0.0.0/8")])
probe = partial(icmp.probe, echo=aioping_echo.ping)


async def test_host_that_replies_is_up_where_the_system_lets_us_ping():
    seen = await probe(ProbeSpec(host="127.0.0.1"), LOCAL, 5)

    assert seen.verdict is (Verdict.up if may_ping() else Verdict.probe_error), seen.error
    assert not may_ping() or 0 < seen.phases.first_byte < 5000


@pytest.mark.skipif(not may_ping(), reason="this system lets us send no ICMP")
async def test_host_that_never_replies_is_down_and_leaves_no_socket(monkeypatch):
    async def unsent(*_, **__):
        pass

    monkeypatch.setattr(aioping_echo.aioping, "send_one_ping", unsent)
    monkeypatch.setattr(aioping_echo, "RESEND_AFTER", 0.2)
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208  # names of descriptors

    seen = await probe(ProbeSpec(host="127.0.0.9"), LOCAL, 0.5)

    assert seen.verdict is Verdict.target_fail
    assert seen.error == "timed out after 0.5 s while waiting for an echo reply"
    async with asyncio.timeout(60):
        while set(os.listdir("/proc/self/fd")) > before:  # noqa: PTH208
            await asyncio.sleep(0.05)


async def test_forbidden_address_gets_no_echo(monkeypatch):
    async def forbidden(*_, **__):
        raise AssertionError

    monkeypatch.setattr(aioping_echo.aioping, "ping", forbidden)

    assert (await probe(ProbeSpec(host="10.0.0.1"), LOCAL, 5)).verdict is Verdict.blocked
