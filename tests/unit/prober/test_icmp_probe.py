"""ICMP: a reply counts for nobody but the echo that it answers; forged ones come through the real kernel."""

import asyncio
import os
import socket
import struct
import subprocess
import sys
from functools import partial
from ipaddress import ip_address, ip_network
from time import perf_counter

import pytest

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import Guard
from prober import ping
from prober.probes import icmp
from prober.probes.probe_types import ProbeSpec

ICMP = pytest.mark.skipif(os.geteuid() != 0, reason="forging replies needs root")
pytestmark = [pytest.mark.asyncio(loop_scope="module"), ICMP]

LOCAL = Guard([ip_network("127.0.0.0/8"), ip_network("::1/128")])


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
async def test_host_that_replies_is_up_with_the_time_of_the_echo(host):
    seen = await icmp.probe(ProbeSpec(host=host), LOCAL, 5)

    assert (seen.verdict, seen.error) == (Verdict.up, "")
    assert ip_address(seen.address).is_loopback
    assert 0 < seen.phases.first_byte < 5000
    assert seen.phases.total == pytest.approx((seen.phases.dns or 0) + seen.phases.first_byte)


async def test_thousands_of_echoes_share_one_socket():
    hosts = [f"127.0.{number // 250}.{number % 250 + 1}" for number in range(3000)]
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208  # names of descriptors
    probing = [asyncio.create_task(icmp.probe(ProbeSpec(host=host), LOCAL, 20)) for host in hosts]
    most = 0
    while not all(task.done() for task in probing):
        most = max(most, len(set(os.listdir("/proc/self/fd")) - before))  # noqa: PTH208
        await asyncio.sleep(0.005)

    assert {task.result().verdict for task in probing} == {Verdict.up}
    assert [task.result().address for task in probing] == hosts
    assert most <= 2  # the socket, and the folder that is being listed
    assert not ping._sockets  # nothing stays open when nobody waits


class Silent(ping.PingSocket):
    """A line whose echoes never leave, so that none but a forged reply can come."""

    sent: list[tuple[bytes, str]]

    def _transmit(self, packet: bytes, address: str) -> None:
        type(self).sent.append((packet, address))


@pytest.fixture
def silent(monkeypatch):
    Silent.sent = []
    monkeypatch.setattr(ping, "PingSocket", Silent)
    monkeypatch.setattr(ping, "RESEND_AFTER", 60)
    return Silent


def reply(packet: bytes, *, kind: int = 0, id_: int = 0, sequence: int = 0, nonce: int = 0, cut: int = 0) -> bytes:
    """The reply to an echo; numbers other than 0 make that part wrong."""
    _, _, _, was_id, was_sequence = struct.unpack_from("!BBHHH", packet)
    body = bytearray(packet[8:])
    body[nonce - 1] ^= bool(nonce)
    head = struct.pack("!BBHHH", kind, 0, 0, was_id ^ id_, was_sequence ^ sequence)
    whole = head + bytes(body[: len(body) - cut])
    whole += b"\0" * (len(whole) % 2)
    return whole[:2] + struct.pack("!H", ping._checksum(whole)) + whole[4:]


def say(packet: bytes, source: str, to: str = "127.0.0.1") -> None:
    """Sends an ICMP packet through the kernel, from `source`."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.bind((source, 0))
        raw.sendto(packet, (to, 0))


FORGED = {
    "another host's address": (dict, "127.0.0.3"),
    "another id": (partial(dict, id_=1), "127.0.0.2"),
    "another sequence": (partial(dict, sequence=1), "127.0.0.2"),
    "the first byte of the nonce": (partial(dict, nonce=1), "127.0.0.2"),
    "the last byte of the nonce": (partial(dict, nonce=16), "127.0.0.2"),
    "no nonce": (partial(dict, cut=16), "127.0.0.2"),
    "half a nonce": (partial(dict, cut=8), "127.0.0.2"),
    "a time exceeded": (partial(dict, kind=11), "127.0.0.2"),
    "a timestamp reply": (partial(dict, kind=14), "127.0.0.2"),
}


@pytest.mark.parametrize("what", FORGED)
async def test_forged_reply_never_counts_and_the_true_one_does(silent, what):
    wrong, source = FORGED[what]
    forged = asyncio.create_task(icmp.probe(ProbeSpec(host="127.0.0.2"), LOCAL, 0.4))
    true = asyncio.create_task(icmp.probe(ProbeSpec(host="127.0.0.2"), LOCAL, 5))
    while len(silent.sent) < 2:
        await asyncio.sleep(0.01)
    (first, _), (second, _) = silent.sent
    say(reply(first, **wrong()), source)
    seen = await forged
    say(reply(second), "127.0.0.2")

    assert (seen.verdict, seen.error) == (
        Verdict.target_fail,
        "timed out after 0.4 s while waiting for an echo reply",
    )
    assert (await true).verdict is Verdict.up


async def test_reply_to_one_monitor_never_counts_for_another(silent):
    """Fact 12: with aioping one in seventy dead hosts looked alive among a thousand replies."""
    hosts = [f"127.1.{number // 200}.{number % 200 + 1}" for number in range(1000)]
    dead = [asyncio.create_task(icmp.probe(ProbeSpec(host=f"127.2.0.{number + 1}"), LOCAL, 3)) for number in range(100)]
    alive = [asyncio.create_task(icmp.probe(ProbeSpec(host=host), LOCAL, 10)) for host in hosts]
    while len(silent.sent) < 1100:
        await asyncio.sleep(0.01)
    for number, (packet, address) in enumerate(list(silent.sent)):
        if address.startswith("127.1."):
            say(reply(packet), address)
        if number % 50 == 0:
            await asyncio.sleep(0)

    assert {seen.verdict for seen in await asyncio.gather(*alive)} == {Verdict.up}
    assert {seen.verdict for seen in await asyncio.gather(*dead)} == {Verdict.target_fail}


async def test_lost_echo_is_sent_again(silent, monkeypatch):
    monkeypatch.setattr(ping, "RESEND_AFTER", 0.1)
    begun = perf_counter()
    probing = asyncio.create_task(icmp.probe(ProbeSpec(host="127.0.0.2"), LOCAL, 60))
    while len(silent.sent) < 3:
        await asyncio.sleep(0.01)
    say(reply(silent.sent[-1][0]), "127.0.0.2")
    seen = await probing

    assert seen.verdict is Verdict.up
    # The time of the one that was answered, not of all.
    assert seen.phases.total < (perf_counter() - begun) * 1000 - 150


async def test_system_without_icmp_is_our_own_fault_and_says_what_to_do(monkeypatch):
    class DialectError(socket.socket):
        def __init__(self, *_, **__) -> None:
            raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(ping.socket, "socket", DialectError)
        seen = await icmp.probe(ProbeSpec(host="127.0.0.1"), LOCAL, 2)

    assert seen.verdict is Verdict.probe_error
    assert "ping_group_range" in seen.error
    assert "CAP_NET_RAW" in seen.error


async def test_forbidden_address_gets_no_echo(silent):
    for host in ("10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"):
        assert (await icmp.probe(ProbeSpec(host=host), LOCAL, 2)).verdict is Verdict.blocked
    assert silent.sent == []


UNPRIVILEGED = """
import asyncio, fcntl, os, pathlib, socket, struct
from ipaddress import ip_address
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:  # the loopback of this namespace is down
    fcntl.ioctl(it, 0x8914, struct.pack("16sH14s", b"lo", 0x1 | 0x40, b""))
pathlib.Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 2147483647")
os.setgid(65534); os.setuid(65534)
from prober import ping
made, raw = ping._open(v6=False)
made.close()
seconds = asyncio.run(ping.ping(ip_address("127.0.0.1"))), asyncio.run(ping.ping(ip_address("::1")))
print(raw, all(0 < each < 10 for each in seconds))
"""


async def test_process_without_privileges_pings_by_a_datagram_socket():
    source = os.pathsep.join(each for each in sys.path if each)
    code = f"import sys; sys.path[:0] = {source.split(os.pathsep)!r}\nfrom prober import ping\n{UNPRIVILEGED}"
    done = await asyncio.to_thread(
        subprocess.run, ["unshare", "--net", sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    if "unshare" in done.stderr:
        pytest.skip("no namespaces here")

    assert (done.stdout, done.stderr) == ("False True\n", "")
