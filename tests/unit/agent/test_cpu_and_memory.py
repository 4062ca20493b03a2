"""Processor and memory: traps 1, 2, 4 and 5 of host numbers."""

import pytest

from pinghome_agent.host.cpu import Cpu, load
from pinghome_agent.host.memory import memory, swap

KB = 1024


def test_the_first_times_of_the_processor_are_never_a_figure(host):
    cpu = Cpu()

    assert cpu.usage() is None  # no time has passed: nothing is said, least of all 0
    host.cpu(150, 0, 75, 1025)
    assert cpu.usage()["total"] == 75


def test_usage_is_that_of_all_processors_together_and_at_most_100(host):
    cpu = Cpu()
    host.cpu(500, 0, 50, 1000)  # four processors busy for a second

    assert cpu.usage() == pytest.approx({"total": 100, "user": 100, "system": 0, "iowait": 0, "steal": 0})


def test_each_share_is_of_the_whole_and_guests_are_not_counted_twice(host):
    cpu = Cpu()
    host.cpu(130, 10, 60, 1020, 10, 5, 5, 10, 20, 10)  # 20 of 30 user and the nice time ran guests

    assert cpu.usage() == pytest.approx({"total": 70, "user": 40, "system": 20, "iowait": 10, "steal": 10})


def test_times_that_go_backwards_are_never_negative_shares(host):
    host.cpu(100, 0, 50, 1000, 50)
    cpu = Cpu()
    host.cpu(110, 0, 50, 1010, 40)

    assert cpu.usage() == pytest.approx({"total": 50, "user": 50, "system": 0, "iowait": 0, "steal": 0})


def test_load(host):
    assert load(host.proc) == {"load1": 0.5, "load5": 0.4, "load15": 0.3}


def test_used_memory_is_what_is_not_available(host):
    assert memory(host.proc) == {
        "total": 1000 * KB, "used": 400 * KB, "available": 600 * KB, "cached": 330 * KB, "percent": 40,
    }  # fmt: skip


@pytest.mark.parametrize("available", [0, None, 5000])
def test_available_that_is_zero_missing_or_above_the_total_is_estimated(host, available):
    host.memory(MemAvailable=available)
    it = memory(host.proc)

    assert 0 < it["available"] < it["total"]
    assert it["used"] == it["total"] - it["available"]


def test_figures_of_lxc_that_contradict_each_other_stay_within_bounds(host):
    host.memory(MemTotal=100, MemFree=500, MemAvailable=700, Cached=900)
    it = memory(host.proc)

    assert (it["used"], it["available"], it["cached"], it["percent"]) == (0, 100 * KB, 100 * KB, 0)


def test_the_cache_of_zfs_is_not_used_memory(host):
    host.arc(size=300 * KB, least=100 * KB)
    it = memory(host.proc)

    assert (it["used"], it["available"], it["cached"]) == (200 * KB, 800 * KB, 530 * KB)


def test_the_cache_of_the_hosts_zfs_is_not_taken_from_a_containers_memory(host):
    host.arc(size=300 * KB, least=0)
    host.mounts("1 0 0:40 / / rw - zfs pool/ct rw", "2 1 0:50 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw")

    assert memory(host.proc)["used"] == 400 * KB


def test_more_cache_than_memory_never_makes_used_negative(host):
    host.arc(size=90_000 * KB, least=0)

    assert memory(host.proc)["used"] == 0


def test_swap(host):
    assert swap() == {"total": 100 * KB, "used": 25 * KB, "percent": 25}
    host.memory(SwapTotal=0, SwapFree=0)
    assert swap() == {"total": 0, "used": 0, "percent": 0}
    host.memory(SwapTotal=100, SwapFree=200)
    assert swap()["used"] == 0
