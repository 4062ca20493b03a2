"""The newest figures of a server: later samples replace earlier ones, type by type."""

from uuid import uuid4

from pinghome_common.events.metric import Agent, Figures, Sample
from resource_query.newest import Newest, heard, take

SERVER = uuid4().bytes


def sample(at, *figures, received=None, **more):
    return Sample(SERVER, at * 1_000_000, (at if received is None else received) * 1_000_000, 10, list(figures), **more)


def cpu(value):
    return Figures("cpu-total-usage", "", [value, None, None, None, None])


def after(*samples):
    it = Newest(0)
    for each in samples:
        it = take(it, each)
    return it


def test_late_points_replace_nothing_newer_but_are_a_receipt():
    it = after(sample(100, cpu(1.0)), sample(50, cpu(2.0), Figures("swap-usage", "", [4.0, 1.0, 25.0]), received=110))
    assert it.figures["cpu-total-usage"] == [cpu(1.0)]
    assert it.figures["swap-usage"][0].values == [4.0, 1.0, 25.0]
    assert it.seen_at == 110_000_000


def test_types_of_samples_of_their_own_are_kept_together():
    assert set(after(sample(1, cpu(1.0)), sample(2, Figures("system-load-unified", "", [1.0] * 3))).figures) == {
        "cpu-total-usage", "system-load-unified",
    }  # fmt: skip


def test_counters_become_rates():
    def sent(value):
        return Figures("network-usage-unified", "eth0", [None, value, None, None], counter=True)

    assert after(sample(0, sent(5.0))).figures == {}  # its time is that of nothing
    it = after(sample(10, sent(100.0)), sample(20, sent(300.0)), sample(15, sent(200.0)))
    assert {each.name: each.values[1] for each in it.figures["network-usage-unified"]} == {"eth0": 20.0, "": 20.0}


def test_a_name_that_a_client_sends_twice_is_shown_once():
    twice = [Figures("disk-usage-unified", "/", [9.0, value, 0.0, 0.0]) for value in (1.0, 2.0)]
    assert [each.values[1] for each in after(sample(1, *twice)).figures["disk-usage-unified"]] == [2.0]


def test_processes_that_are_no_object_are_not_shown():
    assert after(sample(1, processes=b'{"states":{}}'), sample(2, processes=b"[")).processes == b'{"states":{}}'
    assert after(sample(1, processes=b"[" * 5000)).processes == b""


def test_the_agent_is_that_of_the_newest_receipt():
    it = after(sample(9, agent=Agent("2")), sample(1, agent=Agent("1")), sample(10))
    assert it.agent == Agent("2")


def test_nothing_was_heard_of_a_new_server():
    assert heard(None) is None
