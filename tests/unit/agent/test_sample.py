"""A whole sample: names, times, and what a failing part costs; traps 3, 7, 13 and 14 of host numbers."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from pinghome_agent.gateway import batch
from pinghome_agent.host.disk_usage import DiskUsage, Space
from pinghome_agent.host.identity import container, identity
from pinghome_agent.sample import Choices, Parts, Sampler, encoded
from pinghome_common.events.metric import COUNTED, FIELDS, PROCESSES


@pytest.fixture
def sampler(host):
    made = Sampler(10, Choices(), host.proc, host.sys)
    made._disk_usage = DiskUsage(host.proc, measure=lambda _: Space(100, 40, 60))
    host.cpu(150, 0, 75, 1025)
    return made


def test_names_are_those_of_the_platform(sampler):
    sample = json.loads(sampler.sample())

    assert set(sample) == {"at", "interval", "values", "by", "counters"}
    assert set(sample["values"]) == set(FIELDS) - set(COUNTED) | {PROCESSES}
    assert set(sample["counters"]) == set(COUNTED)
    for name in FIELDS:
        if name in COUNTED:
            assert set(sample["counters"][name].popitem()[1]) == set(FIELDS[name])
        else:
            assert set(sample["values"][name]) == set(FIELDS[name])
    assert set(sample["by"]) == {"disk-usage-unified"}
    assert set(sample["by"]["disk-usage-unified"]["/"]) == set(FIELDS["disk-usage-unified"])


def test_the_time_is_the_hosts_own_whatever_its_clock_says(sampler):
    before = datetime.now(UTC)
    sample = json.loads(sampler.sample())
    sent = json.loads(batch(b"{}", [json.dumps(sample).encode()]))

    assert sample["at"].endswith("Z")
    assert before <= datetime.fromisoformat(sample["at"]) <= datetime.fromisoformat(sent["sent_at"])
    assert datetime.fromisoformat(sent["sent_at"]) - before < timedelta(seconds=60)


def test_a_part_that_fails_costs_only_itself_and_is_told_once(host, sampler, capsys):
    (host.proc / "meminfo").unlink()
    host.write("proc/diskstats", "nonsense\n")
    for _ in range(3):
        sample = json.loads(sampler.sample())
        host.cpu(*(int(time.monotonic() * 1e6) + each for each in (1, 2, 3, 4)))

    assert set(FIELDS) - set(sample["values"]) - set(sample["counters"]) == {
        "memory-usage", "swap-usage", "disk-io-unified",
    }  # fmt: skip
    assert capsys.readouterr().err.count("not_measured") == 3


def test_names_that_are_not_text_are_made_text():
    parts = Parts(by={"disk-usage-unified": {"/mnt/\udcff\n": {"total": 1.0}}})

    assert json.loads(encoded(0, 10, parts))["by"]["disk-usage-unified"] == {"/mnt/\ufffd\ufffd": {"total": 1.0}}


def test_a_sample_of_any_host_fits_into_a_request():
    named = {f"{number:03d}{'x' * 4000}": dict.fromkeys("abcd", 2.0**60) for number in range(2000)}
    sample = encoded(0, 10, Parts(by={"m": named}, counters={"d": named, "n": named}))

    assert len(sample) < 498_000


def test_a_sample_is_one_line_of_json_that_begins_with_its_time():
    assert encoded(1_790_000_000.5, 10, Parts()).startswith(b'{"at":"2026-09-21T14:13:20.500000Z","interval":10,')


def test_what_sends_is_known_by_its_token_alone(host, tmp_path):
    """Cloned machines share the rest, so nothing of it is an id."""
    host.write("etc/machine-id", "0123456789abcdef")
    host.write("etc/os-release", 'NAME=Debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    it = identity(host.proc, tmp_path)

    assert set(it) == {"version", "hostname", "os", "boot_time"}
    assert it["boot_time"] == "2026-09-21T14:13:20.000000Z"
    assert it["os"].startswith("Debian GNU/Linux 12 (bookworm), Linux ")
    assert "0123456789abcdef" not in str(it)


OVERLAY = "40 1 0:70 / / rw - overlay overlay rw"
LXCFS = "41 40 0:50 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw"


@pytest.mark.parametrize(
    ("files", "mounts", "kind", "told"),
    [
        ({}, [OVERLAY], "", ""),
        ({".dockerenv": ""}, [OVERLAY], "docker", "(docker), figures of its host"),
        ({"run/.containerenv": ""}, [OVERLAY], "podman", "(podman), figures of its host"),
        ({"proc/1/cgroup": "0::/kubepods/pod1/x\n"}, [OVERLAY], "kubernetes", "(kubernetes), figures of its host"),
        ({"run/systemd/container": "lxc\n"}, [OVERLAY, LXCFS], "lxc", "(lxc), figures of the container"),
        ({}, [OVERLAY, LXCFS], "lxc", "(lxc), figures of the container"),
    ],
)
def test_a_container_says_whose_figures_it_shows(host, tmp_path, files, mounts, kind, told):
    host.mounts(*mounts)
    for name, text in files.items():
        host.write(name, text)

    assert container(host.proc, tmp_path) == kind
    assert identity(host.proc, tmp_path)["os"].endswith(told)


def test_a_host_made_from_a_containers_image_is_a_host(host, tmp_path):
    host.write(".dockerenv", "")
    host.process(2, b"kthreadd")

    assert container(host.proc, tmp_path) == ""
