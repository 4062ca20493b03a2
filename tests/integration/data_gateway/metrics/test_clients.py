"""OpenTelemetry's own clients, unmodified: what they send is what psutil says of this host."""

# ruff: noqa: S603  # they are run as their users run them

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import psutil
import pytest

from gateways import Gateway, Token
from pinghome_common.events.metric import FIELDS, Sample
from pinghome_common.rates import rates

CLIENTS = Path(__file__).parents[3] / "clients"
BIN = Path(sys.executable).parent
TICK = 0.05  # seconds: processor times are counted in hundredths, and clients round them


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> Path:
    """A folder with the packages of `package-lock.json`, and the script beside them."""
    folder = tmp_path_factory.mktemp("clients")
    for name in ("package.json", "package-lock.json", "host_metrics.js"):
        shutil.copy(CLIENTS / name, folder)
    path = {"PATH": f"{BIN}:{os.environ['PATH']}"}
    subprocess.run([BIN / "npm", "ci", "--no-audit", "--no-fund"], cwd=folder, env=os.environ | path, check=True)
    return folder


class Watched:
    """What psutil said while a client ran: first and last counters, and the extremes of memory."""

    def __init__(self) -> None:
        self.memory: list[Any] = []
        self.begin = counters()
        self.end = self.begin
        self._done = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.memory.append(psutil.virtual_memory())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.end = counters()


def counters() -> dict[tuple[str, str, str], float]:
    """The counters that clients send, by type, name and field; processor time as percent-seconds."""
    found: dict[tuple[str, str, str], float] = {}
    cpu, count = psutil.cpu_times(), psutil.cpu_count() or 1
    found["cpu-total-usage", "", "user"] = 100 * cpu.user / count
    found["cpu-total-usage", "", "user and nice"] = 100 * (cpu.user + cpu.nice) / count
    found["cpu-total-usage", "", "system"] = 100 * (cpu.system + cpu.irq) / count
    for name, disk in psutil.disk_io_counters(perdisk=True).items():
        values = disk.read_bytes, disk.write_bytes, disk.read_count, disk.write_count
        found |= {
            ("disk-io-unified", name, field): value
            for field, value in zip(FIELDS["disk-io-unified"], values, strict=True)
        }
    for name, net in psutil.net_io_counters(pernic=True).items():
        values = net.bytes_recv, net.bytes_sent, net.errin, net.errout
        fields = FIELDS["network-usage-unified"]
        found |= {("network-usage-unified", name, field): value for field, value in zip(fields, values, strict=True)}
    return found


@contextmanager
def running(*command: Any, served: Gateway, token: Token, folder: Path) -> Iterator[Path]:
    """A client that sends to the gateway as its documentation says; its log."""
    own = {
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{served.url}/v1/metrics",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{token.text}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }
    log = folder / "client.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=os.environ | own, stdout=out, stderr=out, start_new_session=True)
    try:
        yield log
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the wheel's `node` is a script that waits for Node.js
        process.wait()


async def sent(served: Gateway, token: Token, log: Path) -> list[Sample]:
    """Four samples of a client, which take it three seconds."""
    try:
        async with asyncio.timeout(60):
            while len(found := await served.samples(token.server)) < 4:
                await asyncio.sleep(0.2)
    except TimeoutError:
        pytest.fail(log.read_text())  # noqa: ASYNC240
    return sorted(found, key=lambda it: it.at)


def values(sample: Sample, type_: str, name: str = "") -> dict[str, float]:
    it = next(it for it in sample.figures if (it.type, it.name) == (type_, name))
    return {field: value for field, value in zip(FIELDS[type_], it.values, strict=True) if value is not None}


def agree(samples: list[Sample], seen: Watched, user: str) -> None:
    """Counters lie between the first and the last of psutil, memory within its extremes."""
    compared = set()
    for sample in samples:
        for it in sample.figures:
            for field, value in zip(FIELDS[it.type], it.values, strict=True):
                key = it.type, it.name, user if field == "user" else field
                if it.counter and value is not None and key in seen.begin:
                    slack = 100 * TICK if it.type == "cpu-total-usage" else 0
                    assert seen.begin[key] - slack <= value <= seen.end[key] + slack, key
                    compared.add((it.type, field))
        memory = values(sample, "memory-usage")
        total = seen.memory[0].total
        assert memory["total"] == pytest.approx(total, rel=0.002)  # Python's client reads it twice
        used = [it.total - it.available for it in seen.memory]
        assert min(used) - total / 50 <= memory["used"] <= max(used) + total / 50
        assert memory["percent"] == pytest.approx(100 * memory["used"] / total, abs=2)  # another reading, just after
    assert {("cpu-total-usage", "user"), ("cpu-total-usage", "system")} <= compared
    for before, after in pairwise(samples):
        usage = {it.type: it.values for it in rates(before, after) if not it.name}["cpu-total-usage"]
        assert usage[0] is not None
        assert usage[0] >= 0
    assert len({it.at for it in samples}) == len(samples)


async def test_pythons_system_metrics(served, token, tmp_path):
    with (
        Watched() as seen,
        running(sys.executable, CLIENTS / "system_metrics.py", served=served, token=token, folder=tmp_path) as log,
    ):
        samples = await sent(served, token, log)

    agree(samples, seen, "user")
    types = {it.type for it in samples[0].figures}
    assert types >= {"cpu-total-usage", "memory-usage", "swap-usage", "network-usage-unified"}
    assert samples[0].agent
    assert samples[0].agent.version.startswith("opentelemetry python ")
    assert not {it.name for sample in samples for it in sample.figures} & {"lo", "loop0", "zram0"}


@pytest.mark.parametrize("form", ["http", "proto"])
async def test_nodes_host_metrics_by_json_and_by_protobuf(served, token, tmp_path, packages, form):
    with (
        Watched() as seen,
        running(BIN / "node", packages / "host_metrics.js", form, served=served, token=token, folder=tmp_path) as log,
    ):
        samples = await sent(served, token, log)

    agree(samples, seen, "user and nice")
    assert samples[0].agent
    assert samples[0].agent.version.startswith("opentelemetry nodejs ")
