"""Disks and interfaces: traps 10, 11 and 12 of host numbers."""

from pinghome_agent.choice import Choice
from pinghome_agent.host import disks, network

ALL = Choice()


def test_only_whole_disks_are_counted(host):
    for name, slaves in {"sda": (), "nvme0n1": (), "loop0": (), "zram0": (), "sr0": (), "zd0": (), "rbd0": (),
                         "dm-0": ("sda3",), "md127": ("sda", "sdb"), "cciss!c0d0": ()}.items():  # fmt: skip
        host.disk(name, slaves=slaves)
    host.disk("nvme0c0n1", hidden=True)
    names = ("sda", "sda1", "nvme0n1", "nvme0n1p1", "nvme0c0n1", "loop0", "zram0", "sr0", "zd0", "rbd0", "dm-0",
             "md127", "cciss/c0d0", "cciss/c0d0p1")  # fmt: skip
    host.diskstats(**dict.fromkeys(names, 8))

    assert set(disks.counters(host.sys, ALL)) == {"sda", "nvme0n1", "rbd0", "cciss/c0d0"}
    assert "dm-0" in disks.counters(host.sys, Choice(include=("dm-*",)))
    assert "sda" not in disks.counters(host.sys, Choice(exclude=("sd*",)))


def test_counters_of_disks_are_bytes_and_operations(host):
    assert disks.counters(host.sys, ALL) == {"vda": {"read_bytes": 1024, "write_bytes": 0, "reads": 7, "writes": 0}}


def test_physical_interfaces_are_counted_and_an_include_beats_that(host):
    for name in ("eth1", "wlan0"):
        (host.sys / "class/net" / name / "device").mkdir(parents=True)
    host.network(lo=1, eth0=1, eth1=1, wlan0=1, bond0=1, br0=1, docker0=1, veth12ab=1, vlan7=1, wg0=1)

    assert set(network.counters(host.sys, ALL)) == {"eth0", "eth1", "wlan0"}
    choice = Choice(include=("wg*",), exclude=("*",))
    assert set(network.counters(host.sys, choice)) == {"wg0"}


def test_in_a_container_the_way_out_is_counted_although_it_is_virtual(host):
    host.network(lo=1, ens5=1, docker0=1, veth0=1)

    assert set(network.counters(host.sys, ALL)) == {"ens5"}


def test_an_interface_may_come_later_and_go(host):
    for name in ("usb0",):
        (host.sys / "class/net" / name / "device").mkdir(parents=True)
    seen = []
    for interfaces in ({"eth0": 1}, {"eth0": 2, "usb0": 1}, {"eth0": 3}, {}):
        host.network(**interfaces)
        seen.append(list(network.counters(host.sys, ALL)))

    assert seen == [["eth0"], ["eth0", "usb0"], ["eth0"], []]


def test_a_counter_that_was_reset_is_told_as_it_is(host):
    """The platform sees a reset; psutil's own correction would make it a jump ahead."""
    seen = []
    for number in (4_000_000_000, 17, 18):
        host.network(eth0=number)
        host.diskstats(vda=number)
        seen.append((network.counters(host.sys, ALL)["eth0"]["received_bytes"],
                     disks.counters(host.sys, ALL)["vda"]["read_bytes"] // 512))  # fmt: skip

    assert seen == [(4_000_000_000, 4_000_000_000), (17, 17), (18, 18)]
