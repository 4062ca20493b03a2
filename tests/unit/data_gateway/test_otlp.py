"""What the metrics of real clients become (servers.md 4), from both forms."""

import pytest

from data_gateway.api.otlp.metrics import FORMS as READERS
from data_gateway.api.otlp.points import Points
from data_gateway.metric_intake import MetricIntake
from otlp import DELTA, FORMS, counter, encoded, gauge, memory, point, request
from pinghome_common.events.metric import FIELDS, Figures, Sample

NOW = 1_795_760_000_000_000
AT = NOW - 2_000_000
GIB = 1 << 30


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


def taken(form, *metrics, **resource) -> tuple[list[Sample], Points]:
    reader = READERS[form]
    points = Points(MetricIntake(8, 10, 20_000), reader, NOW)
    body = encoded(request(*metrics, **resource), form)
    return points.samples(reader.decode(body), b"s" * 16), points


def rows(form, *metrics) -> dict[tuple[str, str], dict[str, float]]:
    """The figures of a request of one moment, by type and name."""
    samples, points = taken(form, *metrics)
    assert points.rejected == 0, points.reason
    assert len(samples) <= 1
    return {(it.type, it.name): named(it) for sample in samples for it in sample.figures}


def named(it: Figures) -> dict[str, float]:
    found = dict(zip(FIELDS[it.type], it.values, strict=True))
    return {field: round(value, 6) for field, value in found.items() if value is not None}


def cpu_times(state: str = "state", cpu: str = "cpu", **seconds: float):
    return [point(value, AT, {state: name, cpu: str(number)}) for name, value in seconds.items() for number in (1, 2)]


# -- processor ---------------------------------------------------------------------------------------------------------


def test_processor_time_is_a_counter_whose_rate_is_the_percentage_of_all_processors(form):
    times = cpu_times(idle=500.0, user=100.0, nice=10.0, system=20.0, irq=1.0, softirq=2.0, iowait=5.0, steal=3.0)
    (sample,), _ = taken(form, counter("system.cpu.time", *times))

    (figures,) = sample.figures
    assert figures.counter
    assert named(figures) == {"total": 13_600, "user": 11_000, "system": 2_300, "iowait": 500, "steal": 300}


@pytest.mark.parametrize(
    ("state", "cpu"), [("cpu.mode", "cpu.logical_number"), ("system.cpu.state", "system.cpu.logical_number")]
)
def test_newer_names_of_labels_mean_the_same(form, state, cpu):
    found = rows(
        form, counter("system.cpu.time", *cpu_times(state, cpu, user=100.0, interrupt=1.0, wait=2.0, kernel=3.0))
    )

    assert found["cpu-total-usage", ""] == {"total": 10_400, "user": 10_000, "system": 400, "iowait": 200}


def test_a_processor_number_may_be_an_integer_and_counters_may_be_gauges(form):
    points = [point(50.0, AT, {"cpu.mode": "user", "cpu.logical_number": number}) for number in range(4)]

    assert rows(form, gauge("system.cpu.time", *points))["cpu-total-usage", ""]["user"] == 5_000


def test_utilization_is_the_mean_of_processors_and_the_first_export_which_is_zero_is_dropped(form):
    first = [
        point(0.0, AT, {"state": state, "cpu": cpu}) for state in ("idle", "user", "system", "irq") for cpu in "12"
    ]
    assert rows(form, gauge("system.cpu.utilization", *first)) == {}

    values = [("idle", "1", 0.5), ("user", "1", 0.4), ("system", "1", 0.06), ("idle", "2", 0.9), ("user", "2", 0.08)]
    points = [point(value, AT, {"state": state, "cpu": cpu}) for state, cpu, value in values]
    assert rows(form, gauge("system.cpu.utilization", *points))["cpu-total-usage", ""] == {
        "total": 27, "user": 24, "system": 3,
    }  # fmt: skip


def test_time_is_preferred_to_utilization(form):
    shares = [point(0.9, AT, {"state": "user", "cpu": cpu}) for cpu in "12"]
    (sample,), _ = taken(
        form, gauge("system.cpu.utilization", *shares), counter("system.cpu.time", *cpu_times(user=1.0))
    )

    assert [(it.type, it.counter) for it in sample.figures] == [("cpu-total-usage", True)]


def test_time_of_an_unknown_number_of_processors_is_not_kept_as_it_may_be_400_percent(form):
    all_ = counter("system.cpu.time", point(400.0, AT, {"state": "user"}))
    assert rows(form, all_) == {}
    assert rows(form, all_, gauge("system.cpu.logical.count", point(4, AT)))["cpu-total-usage", ""]["user"] == 10_000


def test_deltas_become_rates_per_second(form):
    of = {"start": AT - 10_000_000}
    times = [point(value, AT, {"state": "user", "cpu": cpu}, **of) for cpu, value in (("0", 5.0), ("1", 2.5))]
    reads = [point(1000, AT, {"device": disk, "direction": "read"}, **of) for disk in ("sda", "sdb")]
    (sample,), _ = taken(
        form,
        counter("system.cpu.time", *times, temporality=DELTA),
        counter("system.disk.io", *reads, temporality=DELTA),
    )

    assert not any(it.counter for it in sample.figures)
    assert {(it.type, it.name): named(it) for it in sample.figures} == {
        ("cpu-total-usage", ""): {"total": 37.5, "user": 37.5},
        ("disk-io-unified", "sda"): {"read_bytes": 100},
        ("disk-io-unified", "sdb"): {"read_bytes": 100},
        ("disk-io-unified", ""): {"read_bytes": 200},
    }


@pytest.mark.parametrize("start", [0, AT, AT + 1, AT - 90_000_000_000])
def test_a_delta_needs_a_start_before_it(form, start):
    metric = counter(
        "system.disk.io", point(1, AT, {"device": "a", "direction": "read"}, start=start), temporality=DELTA
    )
    _, points = taken(form, memory(AT), metric)

    assert (points.rejected, "does not start" in points.reason) == (1, True)


def test_a_new_start_time_changes_no_counter_as_clients_begin_anew_and_their_hosts_go_on(form):
    moments = [(AT, AT - 5_000_000), (AT + 1_000_000, AT + 900_000)]
    points = [point(value, at, {"device": "sda", "direction": "read"}, start=start)
              for value, (at, start) in zip((100, 150), moments, strict=True)]  # fmt: skip
    samples, _ = taken(form, counter("system.disk.io", *points))

    assert [it.figures[0].values[0] for it in samples] == [100, 150]
    assert all(it.figures[0].counter for it in samples)


# -- memory ------------------------------------------------------------------------------------------------------------


def states(name: str, values: dict[str, float], label: str = "state"):
    return gauge(name, *(point(value, AT, {label: state}) for state, value in values.items()))


def test_memory_of_pythons_client_whose_states_do_not_add_up(form):
    total, used = 16 * GIB, 4 * GIB
    usage = {"used": used, "free": 9 * GIB, "cached": 5 * GIB}
    found = rows(
        form,
        states("system.memory.usage", usage),
        states("system.memory.utilization", {state: value / total for state, value in usage.items()}),
    )

    assert found["memory-usage", ""] == {
        "total": total, "used": used, "available": total - used, "cached": 5 * GIB, "percent": 25,
    }  # fmt: skip


def test_memory_whose_shares_were_read_a_moment_later_has_the_same_total(form):
    total = 25_276_502_016
    found = rows(
        form,
        states("system.memory.usage", {"used": 558_051_328, "free": 23_888_457_728, "cached": 1_171_787_776}),
        states("system.memory.utilization", {
            "used": 558_061_000 / total, "free": 23_888_400_000 / total, "cached": 1_171_787_776 / total,
        }),
    )  # fmt: skip

    assert found["memory-usage", ""]["total"] == total


def test_memory_of_the_collector_is_the_sum_without_slabs(form):
    usage = {
        "used": 2 * GIB,
        "free": GIB,
        "cached": 4 * GIB,
        "buffered": GIB,
        "slab_reclaimable": GIB,
        "slab_unreclaimable": 7,
    }
    found = rows(form, states("system.memory.usage", usage, "system.memory.state"))

    assert found["memory-usage", ""]["total"] == 8 * GIB
    assert found["memory-usage", ""]["percent"] == 25


def test_available_memory_and_its_limit_are_believed_where_they_are_sent(form):
    found = rows(
        form,
        states("system.memory.usage", {"used": 3 * GIB, "free": GIB, "cached": 4 * GIB}),
        gauge("system.memory.limit", point(8 * GIB, AT)),
        gauge("system.linux.memory.available", point(6 * GIB, AT)),
    )

    assert found["memory-usage", ""]["used"] == 2 * GIB
    assert found["memory-usage", ""]["available"] == 6 * GIB


def test_more_available_than_there_is_uses_nothing(form):
    found = rows(form, states("system.memory.usage", {"used": GIB, "free": GIB}),
                 gauge("system.linux.memory.available", point(9 * GIB, AT)))  # fmt: skip

    assert found["memory-usage", ""] == {"total": 2 * GIB, "used": 0, "available": 2 * GIB, "percent": 0}


def test_utilization_alone_is_percent(form):
    found = rows(
        form,
        states("system.memory.utilization", {"used": 0.31, "free": 0.6}),
        states("system.paging.utilization", {"used": 0.02, "free": 0.98}),
        gauge(
            "system.filesystem.utilization", point(0.4, AT, {"mountpoint": "/", "device": "/dev/sda1", "type": "ext4"})
        ),
    )

    assert found == {
        ("memory-usage", ""): {"percent": 31}, ("swap-usage", ""): {"percent": 2},
        ("disk-usage-unified", "/"): {"percent": 40},
    }  # fmt: skip


@pytest.mark.parametrize("name", ["system.swap.usage", "system.paging.usage"])
def test_swap_is_bytes_whatever_the_unit_says_and_of_all_devices(form, name):
    points = [
        point(value, AT, {"state": state, "device": device})
        for device in ("/dev/sda2", "/swapfile")
        for state, value in (("used", GIB), ("free", 3 * GIB))
    ]

    assert rows(form, gauge(name, *points))["swap-usage", ""] == {"total": 8 * GIB, "used": 2 * GIB, "percent": 25}
    assert rows(form, states(name, {"used": 0, "free": 0}))["swap-usage", ""] == {"total": 0, "used": 0, "percent": 0}


def test_load(form):
    found = rows(form, *(gauge(f"system.cpu.load_average.{it}m", point(it / 10, AT)) for it in (1, 5, 15)))

    assert found["system-load-unified", ""] == {"load1": 0.1, "load5": 0.5, "load15": 1.5}


# -- devices -----------------------------------------------------------------------------------------------------------


def io(name: str, devices: list[str], label: str = "device", directions=("read", "write")):
    return counter(
        name,
        *(
            point(10 * number + place, AT, {label: device, "direction": direction})
            for number, device in enumerate(devices, 1)
            for place, direction in enumerate(directions)
        ),
    )


def test_disks_are_whole_ones(form):
    devices = [
        "sda",
        "sda1",
        "sda12",
        "nvme0n1",
        "nvme0n1p1",
        "mmcblk0",
        "mmcblk0p2",
        "dm-0",
        "md127",
        "loop0",
        "zram0",
        "sr0",
        "ram0",
        "fd0",
        "zd16",
        "vdb1",
    ]
    found = rows(form, io("system.disk.io", devices), io("system.disk.operations", devices))

    assert {name for _, name in found} == {"sda", "nvme0n1", "mmcblk0", "vdb1"}  # of vdb1 no whole disk is there
    assert found["disk-io-unified", "sda"] == {"read_bytes": 10, "write_bytes": 11, "reads": 10, "writes": 11}


def test_where_all_is_made_of_disks_these_count(form):
    assert {name for _, name in rows(form, io("system.disk.io", ["dm-0", "dm-1", "loop1"]))} == {"dm-0", "dm-1"}


@pytest.mark.parametrize("label", ["device", "system.device", "network.interface.name"])
def test_interfaces_are_the_ways_out(form, label):
    devices = [
        "lo",
        "eth0",
        "eth0.100",
        "wlan0",
        "docker0",
        "br-1f2e",
        "br0",
        "vmbr0",
        "veth12ab",
        "virbr0",
        "bond0",
        "wg0",
        "tun0",
    ]
    directions = ("receive", "transmit")
    found = rows(
        form,
        io("system.network.io", devices, label, directions),
        io("system.network.errors", devices, label, directions),
    )

    assert {name for _, name in found} == {"eth0", "wlan0"}
    assert found["network-usage-unified", "eth0"] == {
        "received_bytes": 20, "sent_bytes": 21, "received_errors": 20, "sent_errors": 21,
    }  # fmt: skip


def test_a_total_without_devices_is_the_hosts(form):
    metric = counter("system.disk.io", *(point(5, AT, {"disk.io.direction": it}) for it in ("read", "write")))

    assert rows(form, metric)["disk-io-unified", ""] == {"read_bytes": 5, "write_bytes": 5}


def space(mount: str, device: str, kind: str, used: int, free: int, reserved: int = 0):
    labels = {"mountpoint": mount, "device": device, "type": kind, "mode": "rw"}
    amounts = {"used": used, "free": free, "reserved": reserved}
    return [point(value * GIB, AT, labels | {"state": state}) for state, value in amounts.items()]


def test_file_systems_as_df_has_them_each_device_once(form):
    found = rows(form, gauge(
        "system.filesystem.usage",
        *space("/var/lib/docker", "/dev/sda1", "ext4", 60, 30, 10), *space("/", "/dev/sda1", "ext4", 60, 30, 10),
        *space("/srv", "/dev/sdb1", "xfs", 10, 90), *space("/nas", "nas:/x", "nfs4", 500, 500),
        *space("/tank/a", "tank/a", "zfs", 20, 50), *space("/tank/b", "tank/b", "zfs", 10, 50),
        *space("/snap/core", "/dev/loop3", "squashfs", 1, 0), *space("/run", "tmpfs", "tmpfs", 1, 1),
        *space("/overlay", "overlay", "overlay", 60, 30),
    ))  # fmt: skip

    assert {name for _, name in found} == {"", "/", "/srv", "/nas", "/tank/a", "/tank/b"}
    assert found["disk-usage-unified", "/"] == {
        "total": 100 * GIB, "used": 60 * GIB, "free": 30 * GIB, "percent": round(100 * 60 / 90, 6),
    }  # fmt: skip
    assert found["disk-usage-unified", ""] == {
        "total": 280 * GIB, "used": 100 * GIB, "free": 170 * GIB, "percent": round(100 * 100 / 270, 6),
    }  # fmt: skip


def test_the_root_of_a_container_counts_where_nothing_else_does(form):
    found = rows(form, gauge("system.filesystem.usage", *space("/", "overlay", "overlay", 1, 1)))

    assert {name for _, name in found} == {"", "/"}


# -- moments and refusals ----------------------------------------------------------------------------------------------


def test_points_within_half_a_second_make_one_sample_at_the_newest_time_always_the_same(form):
    metrics = [memory(AT), gauge("system.cpu.load_average.1m", point(1.0, AT + 400_000)), memory(AT + 1_000_000)]
    found = [taken(form, *order)[0] for order in (metrics, metrics[::-1])]

    assert [it.at for it in found[0]] == [AT + 400_000, AT + 1_000_000]
    assert [len(it.figures) for it in found[0]] == [2, 1]
    assert found[0] == found[1]


def test_other_metrics_and_points_without_a_value_are_ignored_and_not_counted(form):
    samples, points = taken(
        form,
        counter("process.cpu.time", point(1.0, AT)), gauge("cpython.gc.collections", point(1, AT)),
        gauge("system.memory.usage", point(None, AT, {"state": "used"}, flags=1)),
        gauge("system.disk.io_time", point(-1.0, 0)),
    )  # fmt: skip

    assert (samples, points.rejected) == ([], 0)


@pytest.mark.parametrize(
    "bad",
    [
        point(float("nan"), AT, {"state": "free"}), point(float("inf"), AT, {"state": "free"}),
        point(-1.0, AT, {"state": "free"}), point(None, AT, {"state": "free"}), point(2.0**65, AT, {"state": "free"}),
        point(1.0, AT), point(1.0, 0, {"state": "free"}), point(1.0, NOW + 301_000_000, {"state": "free"}),
        point(1.0, NOW - 8 * 86_400_000_000 - 1, {"state": "free"}), point(1.0, AT, {"state": "f" * 256}),
        point(1.0, AT, {"state": "used"}),
    ],
)  # fmt: skip
def test_what_cannot_be_a_point_is_refused_and_the_others_are_kept(form, bad):
    samples, points = taken(form, memory(AT), gauge("system.memory.usage", bad))

    assert (points.rejected, points.reason.startswith("a point of system.memory.usage ")) == (1, True)
    assert [named(it)["used"] for sample in samples for it in sample.figures] == [GIB]


def test_names_are_cleaned(form):
    found = rows(form, io("system.disk.io", ["s\x00d\na\u202e"]))

    assert {name for _, name in found} == {"sd a\N{REPLACEMENT CHARACTER}"}


def test_more_series_than_a_host_has_are_refused(form):
    devices = [f"disk-{'x' * (number % 7)}{number}y" for number in range(1500)]
    _, points = taken(form, io("system.disk.io", devices))

    assert points.rejected == 1000


def test_the_resource_says_what_sends(form):
    (sample,), _ = taken(form, memory(AT), host_name="web-1", os_type="linux", telemetry_sdk_name="opentelemetry",
                         telemetry_sdk_language="python", telemetry_sdk_version="1.45.2")  # fmt: skip

    assert sample.agent
    assert (sample.agent.hostname, sample.agent.os, sample.agent.version) == (
        "web-1",
        "linux",
        "opentelemetry python 1.45.2",
    )
