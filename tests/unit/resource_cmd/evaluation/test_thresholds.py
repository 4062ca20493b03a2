"""Thresholds of servers by the clock of their points, in seconds."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from pinghome_common.clock import from_micros, micros
from pinghome_common.events.metric import Figures, Sample
from pinghome_common.events.server_resource import Threshold
from resource_cmd.evaluation.status_changes import of_threshold
from resource_cmd.evaluation.thresholds import judge, measure
from resource_cmd.servers.runtime_state import Judged
from resource_cmd.servers.server_resource import create, edit

AT = micros(datetime(2026, 11, 21, tzinfo=UTC))
CPU = {"type": "cpu-total-usage", "field": "total", "operator": "greater-than", "value": 90.0, "minutes": 5}
NETWORK = {"type": "network-usage-unified", "field": "sent_bytes", "operator": "greater-than", "value": 1000.0}


class Story:
    """One server with thresholds, and samples at most 50 s apart unless a test wants silence."""

    def __init__(self, *thresholds):
        made = [Threshold(**each) for each in thresholds]
        settings = {"name": "web-1", "service_id": uuid4(), "thresholds": made}
        self.it = create(uuid4(), uuid4(), settings, from_micros(AT))
        self.judged, self.told = Judged(), []

    def sees(self, seconds, *figures, fresh=True):
        at = AT + round(seconds * 1e6)
        sample = Sample(self.it.id.bytes, at, at, 10, list(figures))
        self.judged, crossings = judge(self.it, self.judged, sample, at, 50, fresh=fresh)
        for each in crossings:
            self.it, notice = of_threshold(self.it, each, 2)
            self.told.append((seconds, notice.what, (micros(each.since) - AT) / 1e6))
            self.last = notice

    def cpu(self, seconds, value, **more):
        self.sees(seconds, Figures("cpu-total-usage", "", [value, None, None, None, None]), **more)

    def each(self, begin, end, value):
        for seconds in range(begin, end, 10):
            self.cpu(seconds, value)


def test_it_is_broken_after_its_minutes_and_cleared_after_as_many():
    it = Story(CPU)
    it.each(0, 300, 97.34)
    assert it.told == []
    it.cpu(300, 97.34)
    assert it.told == [(300, "threshold-broken", 0)]
    assert it.it.thresholds[0].breached_since == from_micros(AT)
    assert it.last.title == "web-1: cpu-total-usage total is 97.34 %"
    assert it.last.text == "web-1: cpu-total-usage total is 97.34 %, above 90 % since 2026-11-21 00:00:00 UTC."
    it.each(310, 600, 12)
    it.cpu(600, 91)  # not all of them
    it.each(610, 910, 12)
    assert len(it.told) == 1
    it.cpu(910, 12)
    assert it.told[1:] == [(910, "threshold-cleared", 610)]
    assert it.it.thresholds[0].breached_since is None
    assert it.last.title == "web-1: cpu-total-usage total is 12 % again"
    assert it.last.text.endswith("not above 90 % any more since 2026-11-21 00:10:10 UTC, after 10 min 10 s.")


def test_one_point_that_holds_begins_the_minutes_anew():
    it = Story(CPU)
    it.each(0, 290, 95)
    it.cpu(290, 90)  # not above it
    it.each(300, 600, 95)
    assert it.told == []
    it.cpu(600, 95)
    assert it.told == [(600, "threshold-broken", 300)]


def test_without_minutes_every_point_counts():
    it = Story(CPU | {"minutes": 0, "operator": "less-than"})
    for seconds, value in enumerate((95, 89, 88, 90, 91, 1)):
        it.cpu(seconds, value)
    assert [what for _, what, _ in it.told] == ["threshold-broken", "threshold-cleared", "threshold-broken"]


def test_silence_says_nothing_and_begins_the_minutes_anew():
    it = Story(CPU)
    it.each(0, 200, 95)
    it.each(1000, 1300, 95)
    assert it.told == []
    it.cpu(1300, 95)
    assert it.told == [(1300, "threshold-broken", 1000)]
    it.cpu(9000, 12)
    assert it.it.thresholds[0].breached_since


def test_points_that_come_late_or_before_others_neither_break_nor_clear():
    it = Story(CPU | {"minutes": 0})
    it.cpu(0, 99, fresh=False)
    it.cpu(10, 5)
    it.cpu(9, 99)
    it.cpu(10, 99)
    assert it.told == []
    it.cpu(20, 99)
    it.cpu(30, 5, fresh=False)
    assert [what for _, what, _ in it.told] == ["threshold-broken"]


def test_a_sample_without_the_figure_says_nothing():
    it = Story(CPU)
    it.each(0, 150, 95)
    it.sees(151, Figures("memory-usage", "", [1.0, 1.0, 1.0, 1.0, 1.0]))
    it.cpu(152, None)
    it.each(160, 310, 95)
    assert it.told == [(300, "threshold-broken", 0)]


def sent(value, name="eth0"):
    return Figures("network-usage-unified", name, [None, value, None, None], counter=True)


def test_counters_are_judged_by_their_rates_summed_over_interfaces():
    it = Story(NETWORK | {"minutes": 0})
    it.sees(0, sent(1e9), sent(1e9, "eth1"))
    it.sees(10, sent(1e9 + 6_000), sent(1e9 + 3_000, "eth1"))
    assert it.told == []
    it.sees(20, sent(1e9 + 12_000), sent(1e9 + 9_000, "eth1"))
    assert it.last.text.startswith("web-1: network-usage-unified sent_bytes is 1.17 KiB/s, above 1000 B/s since ")
    it.sees(30, sent(5), sent(1e9 + 9_000, "eth1"))  # a reset is no rate, and the other one was idle
    assert [what for _, what, _ in it.told] == ["threshold-broken", "threshold-cleared"]


def test_types_in_samples_of_their_own_keep_their_counters_apart():
    disk = {"type": "disk-io-unified", "field": "writes", "operator": "greater-than", "value": 5.0, "minutes": 0}
    it = Story(NETWORK | {"minutes": 0}, disk)
    for seconds in (0, 10):
        it.sees(seconds, sent(1e5 * seconds))
        it.sees(seconds + 1, Figures("disk-io-unified", "sda", [None, None, None, 10.0 * seconds], counter=True))
    assert [seconds for seconds, _, _ in it.told] == [10, 11]
    assert "writes is 10/s, above 5/s" in it.last.text


@pytest.mark.parametrize(("host", "broken"), [([None] * 4, True), ([100.0, 60.0, 40.0, 60.0], False)])
def test_disks_without_a_total_are_judged_by_the_fullest(host, broken):
    it = Story(
        {"type": "disk-usage-unified", "field": "percent", "operator": "greater-than", "value": 90, "minutes": 0}
    )
    mounts = [Figures("disk-usage-unified", name, [9.0, 9.0, 0.0, value]) for name, value in (("/", 95.0), ("/x", 4.0))]
    it.sees(0, Figures("disk-usage-unified", "", host), *mounts)
    assert bool(it.told) is broken


def test_other_thresholds_forget_only_their_own_progress():
    it = Story(CPU, CPU | {"value": 80.0, "minutes": 1})
    it.each(0, 200, 95)
    breached = it.it.thresholds[1].breached_since
    settings = {"thresholds": [Threshold(**CPU), Threshold(**CPU | {"value": 70.0}), replace(it.it.thresholds[1])]}
    it.it = edit(it.it, settings, 3, from_micros(AT))
    assert [each.breached_since for each in it.it.thresholds] == [None, None, breached]
    it.each(200, 310, 95)
    assert it.told == [(60, "threshold-broken", 0), (300, "threshold-broken", 0)]
    it.each(310, 510, 95)
    assert it.told[2:] == [(500, "threshold-broken", 200)]


def test_a_crossing_changes_one_threshold_only():
    it = Story(CPU | {"minutes": 0}, CPU)
    it.cpu(0, 95)
    assert [bool(each.breached_since) for each in it.it.thresholds] == [True, False]


@pytest.mark.parametrize(
    ("type_", "field", "value", "text"),
    [
        ("cpu-total-usage", "total", 97.345, "97.34 %"),
        ("memory-usage", "used", 1536 * 2**20, "1.5 GiB"),
        ("memory-usage", "percent", 90, "90 %"),
        ("disk-io-unified", "read_bytes", 20 * 2**20, "20 MiB/s"),
        ("disk-io-unified", "reads", 12.5, "12.5/s"),
        ("network-usage-unified", "sent_errors", 0.1, "0.1/s"),
        ("system-load-unified", "load1", 4, "4"),
        ("swap-usage", "used", 0, "0 B"),
        ("swap-usage", "total", 2.0**70, "1048576 PiB"),
    ],
)
def test_figures_have_their_unit(type_, field, value, text):
    assert measure(type_, field, value) == text
