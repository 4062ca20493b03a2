"""The agent as a process, against a real receiver: order, outages, kills, a mount that hangs."""

# ruff: noqa: S603  # the agent is run as its operator runs it

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from agents import QUICK, agent, receiving, until
from pinghome_agent.host.disk_usage import DEADLINE
from running import free_port

PINGHOME = Path(sys.executable).parent / "pinghome"


def seconds(times):
    return [datetime.fromisoformat(each).timestamp() for each in times]


def opened_by(pid):
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.add(str(each.readlink()))
    return found


def test_samples_arrive_in_order_the_first_after_a_second_and_nothing_listens(receiver, tmp_path):
    begun = time.time()
    with agent(receiver.url, tmp_path, interval=0.15) as running:
        until(lambda: len(receiver.times()) >= 8)
        descriptors = opened_by(running.process.pid)
        listening = [line.split() for name in ("tcp", "tcp6", "udp", "udp6")
                     for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]  # fmt: skip
    times = seconds(receiver.times())

    assert times == sorted(times)
    assert times[0] - begun > 1
    assert all(sample["interval"] == 0.15 for sample in receiver.samples())
    inodes = {line[9] for line in listening if line[3] in {"0A", "07"}}
    assert not {f"socket:[{inode}]" for inode in inodes} & descriptors
    for sample in receiver.samples():
        assert 0 <= sample["values"]["cpu-total-usage"]["total"] <= 100


def test_after_an_outage_everything_arrives_in_order_with_its_original_times(tmp_path):
    port = free_port()
    with agent(f"http://127.0.0.1:{port}", tmp_path, code=QUICK) as running:
        until(lambda: len(running.kept()) >= 5)
        with receiving(port) as overloaded:
            overloaded.answer = lambda _: (503, {"Retry-After": "1"})
            until(lambda: len(overloaded.requests) >= 2)
        back = time.time()
        with receiving(port) as it:
            until(lambda: it.times() and seconds(it.times())[-1] > back)
            kept = running.kept()
            until(lambda: set(kept) <= set(it.times()))
            until(lambda: " sending_again" in running.log)  # it hears the answer after us

    assert it.times()[: len(kept)] == kept
    assert seconds(kept)[0] < back
    requests = [request.at for request in it.requests]
    assert all(later - earlier > 0.45 for earlier, later in pairwise(requests))
    assert len(re.findall(" sending_again", running.log)) == 1


def test_ten_kills_lose_no_sample_that_was_taken_and_send_no_garbage(tmp_path):
    kept, port = [], free_port()
    seen = []
    for number in range(10):
        with receiving(port) as it:
            it.answer = lambda _, number=number: 200 if number % 3 else 503
            with agent(it.url, tmp_path, code=QUICK, interval=0.1) as running:
                until(lambda running=running: running.kept())
                time.sleep(random.uniform(0, 0.25))
                running.process.send_signal(signal.SIGKILL)
                running.process.wait()
            kept += running.kept()
        seen += it.accepted
    with receiving(port) as it, agent(it.url, tmp_path, code=QUICK):
        until(lambda: len(it.times()) >= 5 and set(kept) <= {
            sample["at"] for request in (*seen, *it.accepted) for sample in request.batch["samples"]
        })  # fmt: skip
    seen += it.accepted

    texts: dict[str, set[str]] = {}
    for request in seen:
        for sample in request.batch["samples"]:  # garbage would not be JSON
            assert set(sample) == {"at", "interval", "values", "by", "counters"}
            texts.setdefault(sample["at"], set()).add(json.dumps(sample))
    assert all(len(each) == 1 for each in texts.values())  # what is sent again is the same
    first = list(dict.fromkeys(sample["at"] for request in seen for sample in request.batch["samples"]))
    assert first == sorted(first)
    assert set(kept) <= set(first)
    assert kept == sorted(kept)


HANGS = """
import ctypes, os, sys
fuse = os.open("/dev/fuse", os.O_RDWR)
os.set_inheritable(fuse, True)
options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0".encode()
if ctypes.CDLL(None, use_errno=True).mount(b"hangs", sys.argv[1].encode(), b"fuse.hangs", 0, options):
    sys.exit(f"no FUSE: {os.strerror(ctypes.get_errno())}")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Mounts a FUSE file system that nobody serves: every system call on it waits. It ends with the process."""
NAMESPACE = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")


def can_hang(folder):
    folder.mkdir()
    command = [*NAMESPACE, sys.executable, "-c", HANGS, str(folder), "/bin/true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_mount_that_hangs_holds_no_sample_and_one_thread(receiver, tmp_path):
    if not can_hang(tmp_path / "hangs"):
        pytest.skip("this system lets us mount no FUSE; tests/unit/agent/test_mounts.py has the same with a pipe")
    before = (*NAMESPACE, sys.executable, "-c", HANGS, str(tmp_path / "hangs"))
    with agent(
        receiver.url, tmp_path, "--include-mounts", str(tmp_path / "hangs"), before=before, code=QUICK
    ) as running:
        until(lambda: len(receiver.times()) >= 6)
        tasks = Path(f"/proc/{running.process.pid}/task")
        until(lambda: len(list(tasks.iterdir())) == 3)  # the sampler, the sender, and the one that waits for the mount

    assert running.log.count("mount_does_not_answer") == 1
    for sample in receiver.samples():
        assert str(tmp_path / "hangs") not in sample["by"]["disk-usage-unified"]
        assert sample["by"]["disk-usage-unified"]
    times = seconds(receiver.times())
    assert all(later - earlier < 10 * DEADLINE for earlier, later in pairwise(times))


def test_the_spool_is_bounded_and_says_what_it_drops(receiver, tmp_path):
    with agent("http://127.0.0.1:1", tmp_path, "--spool-limit", "16k", code=QUICK) as running:
        until(lambda: "spool_full" in running.log)
    kept = running.kept()
    assert sum(path.stat().st_size for path in tmp_path.glob("spool/*.segment")) <= 16 << 10
    with agent(receiver.url, tmp_path, "--spool-limit", "16k"):
        until(lambda: kept[-1] in receiver.times())

    dropped = kept.index(receiver.times()[0])
    assert dropped > 0
    assert receiver.times()[: len(kept) - dropped] == kept[dropped:]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_it_stops_at_a_signal_and_goes_on_where_it_was(receiver, tmp_path, name):
    with agent("http://127.0.0.1:1", tmp_path, code=QUICK) as running:
        until(lambda: len(running.kept()) >= 3)
        running.process.send_signal(getattr(signal, name))
        assert running.process.wait(60) == 0
    assert " stopped" in running.log
    with agent(receiver.url, tmp_path):
        until(lambda: set(running.kept()) <= set(receiver.times()))


def test_a_second_agent_on_the_same_spool_says_so_and_ends(receiver, tmp_path):
    with agent(receiver.url, tmp_path, code=QUICK) as running:
        until(running.kept)
        with agent(receiver.url, tmp_path) as second:
            assert second.process.wait(60) == 1
        assert "is used by another agent" in second.log


def test_one_sample_can_be_shown_by_both_commands():
    commands = ([sys.executable, "-m", "pinghome_agent"], [str(PINGHOME), "agent"])
    running = [subprocess.Popen([*command, "--once", "--print"], stdout=subprocess.PIPE) for command in commands]
    for each in running:
        shown = json.loads(each.communicate()[0])
        assert set(shown) == {"sent_at", "agent", "samples"}
        assert len(shown["samples"]) == 1
