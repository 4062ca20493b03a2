"""What a service's page for Prometheus says, checked by Prometheus' own `promtool`."""

import re
import shutil
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from uuid import uuid4

import pytest

from pinghome_common.clock import now
from pinghome_common.events import heartbeat, resource, server_resource
from pinghome_common.events.metric import FIELDS, Figures
from pinghome_common.events.server_resource import Heard
from resource_query.series import SERIES, write

spec = spec_from_file_location("debian", Path(__file__).parents[2] / "bench" / "debian.py")
debian = module_from_spec(spec)
spec.loader.exec_module(debian)

AT = now()
OWN = {"organisation": uuid4(), "service_id": uuid4(), "created_at": AT, "updated_at": AT}
ODD = 'we"b\\1\n{x="y"} ü'


def monitor(status="up", name="Shop"):
    change = resource.Change(status=resource.Status(status), previous=None, at=AT, version=1)
    return resource.Resource(id=uuid4(), name=name, type="http", regions=["a"], change=change, **OWN)


def job(status, name="Backup"):
    vitals = heartbeat.RuntimeState(status=heartbeat.Status(status), changed_at=1, last_event=1_500_000)
    return heartbeat.Heartbeat(id=uuid4(), name=name, period=60, methods=["GET"], vitals=vitals, **OWN)


def server(status="up", name="web-1"):
    change = server_resource.Change(status=server_resource.Status(status), previous=None, at=AT, version=1)
    return server_resource.ServerResource(id=uuid4(), name=name, change=change, **OWN)


def heard(*figures):
    return Heard(seen_at=2_000_000, agent=None, processes=None, figures=figures)


def lines(text, beginning):
    """Series whose name begins so, without the ids."""
    found = [line for line in text.decode().splitlines() if line.startswith(f"pinghome_{beginning}")]
    return [re.sub(r'id="[^"]*",', "", line.removeprefix("pinghome_")) for line in found]


@pytest.fixture(scope="module")
def promtool():
    debian.provide(["promtool"])
    return shutil.which("promtool")


def checked(promtool, text):
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_promtool_finds_nothing_to_say(promtool):
    figures = [Figures(type_, "", [1.5] * len(fields)) for type_, fields in FIELDS.items()]
    named = [
        Figures(type_, name, [2.5] * 4)
        for type_ in ("disk-io-unified", "disk-usage-unified", "network-usage-unified")
        for name in ("a", ODD)
    ]
    monitors = [(monitor(status, ODD), 1, 1_000_000, 41.5) for status in resource.Status]
    jobs = [job(status, ODD) for status in heartbeat.Status]
    servers = [(server(status, ODD), heard(*figures)) for status in server_resource.Status]
    text = write(monitors, jobs, [*servers, (server(), heard(*figures, *named)), (server(), None)])
    checked(promtool, text)
    assert text.count(b"# HELP ") == text.count(b"# TYPE ") == 10 + sum(map(len, FIELDS.values()))
    checked(promtool, write([], [], []))


def test_states_are_told_and_up_only_where_it_is_known():
    text = write([(monitor(), 1, 1_000_000, 41.5)], [job("down"), job("paused")], [(server("unknown"), None)])
    assert lines(text, "monitor_") == [
        'monitor_state{name="Shop",state="up",type="http"} 1.0',
        'monitor_up{name="Shop",type="http"} 1.0',
        'monitor_response_time_seconds{name="Shop",type="http"} 0.0415',
        'monitor_last_checked_timestamp_seconds{name="Shop",type="http"} 1.0',
    ]
    assert lines(text, "heartbeat_up") == ['heartbeat_up{name="Backup",type="heartbeat"} 0.0']
    assert lines(text, "heartbeat_last_event_timestamp_seconds")[0].endswith(" 1.5")
    assert lines(text, "server_") == ['server_state{name="web-1",state="unknown",type="server"} 1.0']


def test_figures_are_in_base_units_and_sums_count_nothing_twice():
    disk = [Figures("disk-usage-unified", name, [9.0, 3.0, 6.0, 25.0]) for name in ("", "/", "/x")]
    text = write([], [], [(server(), heard(Figures("cpu-total-usage", "", [7.5, None, 1.0, 0.0, 0.0]), *disk))])
    assert lines(text, "server_cpu_u") == ['server_cpu_usage_ratio{name="web-1",type="server"} 0.075']
    assert lines(text, "server_filesystem_used_") == [
        'server_filesystem_used_bytes{mount="/",name="web-1",type="server"} 3.0',
        'server_filesystem_used_bytes{mount="/x",name="web-1",type="server"} 3.0',
        'server_filesystem_used_ratio{mount="/",name="web-1",type="server"} 0.25',
        'server_filesystem_used_ratio{mount="/x",name="web-1",type="server"} 0.25',
    ]


def test_there_are_at_most_ten_thousand_series_states_first(promtool):
    mounts = [Figures("disk-usage-unified", f"/{nth}", [1.0] * 4) for nth in range(500)]
    text = write([], [], [(server(), heard(*mounts)) for _ in range(100)])
    checked(promtool, text)
    assert sum(not line.startswith(b"#") for line in text.splitlines()) == SERIES
    assert len(lines(text, "server_up")) == 100
