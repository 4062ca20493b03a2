"""Processes: states, the largest, names without arguments."""

from pinghome_agent.host.processes import Processes, parsed


def test_states_are_counted_and_the_largest_are_named(host):
    for pid in range(10, 20):
        host.process(pid, b"worker", pages=pid)
    host.process(20, b"zombie", state="Z", pages=0)
    processes = Processes(host.proc, 10)
    host.process(10, b"worker", state="R", ticks=10**9, pages=10)
    it = processes.sample()

    assert it["states"] == {"sleeping": 10, "running": 1, "zombie": 1}
    assert [each["pid"] for each in it["memory"]] == [19, 18, 17, 16, 15]
    assert it["cpu"][0] == {"pid": 10, "name": "worker", "cpu": 100.0, "memory": 10 * 4096}
    assert len(it["cpu"]) == 5


def test_names_may_hold_anything(host):
    host.process(30, b"a) S (b\n\xff", pages=9)

    assert (
        parsed((host.proc / "30/stat").read_bytes()).name == "a) S (b\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
    )


def test_arguments_are_never_read(host):
    for name in ("cmdline", "environ"):
        host.write(f"proc/1/{name}", "--password=secret")

    assert "secret" not in str(Processes(host.proc, 10).sample())


def test_another_process_with_the_same_number_does_not_inherit_its_time(host):
    host.process(40, b"old", ticks=10**6, started=5)
    processes = Processes(host.proc, 10)
    host.process(40, b"new", ticks=0, started=9)

    assert all(each["cpu"] == 0 for each in processes.sample()["cpu"])


def test_a_process_that_ends_meanwhile_costs_nothing(host):
    (host.proc / "50").mkdir()
    host.write("proc/51/stat", "51 (half")

    assert sum(Processes(host.proc, 10).sample()["states"].values()) == 1


def test_very_many_processes_are_not_read_each_time(host):
    for pid in range(100, 400):
        host.process(pid, b"many")
    processes = Processes(host.proc, interval=0.1)  # 0.3 ms of each 100

    assert processes.sample() is not None
    assert processes.sample() is None
