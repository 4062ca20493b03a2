"""The cluster of deploy/cluster: made from a backup of one host, then one part after another is killed or replaced."""

import json
import subprocess
import threading
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from compose.pinging import Pinging
from compose.stack import CLUSTER, ENVIRONMENT, FAR, HERE, HOME, PROJECT, Stack, Target, build, docker, files, until
from compose.test_region import longest, slots, states
from compose.viewing import Viewing
from pinghome.servers import DATABASES
from pinghome.services import SERVICES

pytestmark = pytest.mark.timeout(3600)

NODES = ("nats", "nats-2", "nats-3")
CONSOLES = ("console", "console-2")
INTERVAL = 5
MONITORS, HEARTBEATS = 20, 50
RATE = 40
"""Check-ins a second."""


@pytest.fixture(scope="module")
def cluster(stack: Stack, target: Target) -> Stack:
    """The platform of the other tests, moved from one host's compose.yaml to the cluster as docs/cluster.md says."""
    target.up()
    stack.region("down")
    before = stack.service("resource-query", "GET", "/v1/services")["data"]
    (folder := stack.folder / "backup").mkdir()
    folder.chmod(0o777)
    mounted = ("run", "--rm", "-T", "--volume", f"{folder}:/backup", "pinghome")
    stack.compose(*mounted, "backup", "/backup/pinghome.tar.gz")
    stack.compose("down")

    stack.more = CLUSTER
    print(f"\nimages of the cluster built in {build(CLUSTER, 'postgres', 'etcd-1'):.1f} s")
    with (stack.folder / ".env").open("a") as out:
        out.write("PINGHOME_BROKER=nats:4222,nats-2:4222,nats-3:4222\nPINGHOME_PINGS_KEPT=1000000\n")
    stack.compose("up", "--detach", "--no-build", "--wait", *NODES)
    stack.compose("run", "--rm", "-T", "databases")
    stack.compose(*mounted, "restore", "/backup/pinghome.tar.gz")
    begun = time.monotonic()
    stack.up()
    print(f"started in {time.monotonic() - begun:.1f} s")
    until(lambda: stack.service("resource-query", "GET", "/v1/services")["data"] == before)
    return stack


@pytest.fixture(scope="module")
def heartbeats(cluster: Stack) -> list[str]:
    """Their ids."""
    return [heartbeat(cluster, f"beat-{number}") for number in range(HEARTBEATS)]


@pytest.fixture(scope="module")
def monitors(cluster: Stack, target: Target) -> list[str]:
    """The ids of monitors that are up."""
    ids = [monitor(cluster, f"watched-{number}", target.url, HOME) for number in range(MONITORS)]
    until(lambda: states(cluster, ids) == {"up"})
    return ids


@pytest.fixture(scope="module")
def channel(cluster: Stack, target: Target) -> str:
    """The id of a channel to the target."""
    body = {"name": "On call", "kind": "webhook", "service_id": SERVICE, "config": {"url": target.url}}
    id_: str = cluster.service("resource-cmd", "POST", "/v1/channel", json=body)["id"]
    return id_


SERVICE = str(uuid4())


def heartbeat(cluster: Stack, name: str) -> str:
    body = {"name": name, "interval": 3600, "service_id": SERVICE}
    id_: str = cluster.service("resource-cmd", "POST", "/v1/heartbeat", json=body)["id"]
    return id_


def monitor(cluster: Stack, name: str, url: str, region: str, **more: Any) -> str:
    body = {"name": name, "type": "http", "url": url, "interval": INTERVAL, "regions": [region], "service_id": SERVICE}
    id_: str = cluster.service("resource-cmd", "POST", "/v1/resource", json=body | more)["id"]
    return id_


def missing(cluster: Stack, monitors: list[str], since: float) -> float:
    """The longest time between two slots of a monitor, until a little ago."""
    until_ = time.time() - 3 * INTERVAL
    return max(longest(slots(cluster, id_, HOME), since, until_) for id_ in monitors)


def test_there_are_two_or_three_of_everything(cluster: Stack):
    assert {name: len(cluster.containers(name)) for name in SERVICES} == dict.fromkeys(SERVICES, 2)
    for name in (*NODES, *CONSOLES, "postgres", "postgres-2", "etcd-1", "etcd-2", "etcd-3"):
        assert len(cluster.containers(name)) == 1
    names = {stream["name"] for stream in streams(cluster)}
    assert {"EVENTS", "STATUS_EVENTS", "TELEMETRY", "SCHEDULES"} <= names
    assert all(len(stream["cluster"]["replicas"]) == 2 for stream in streams(cluster))
    assert cluster.sql("postgres", "SELECT sync_state FROM pg_stat_replication") == ["sync"]


def streams(cluster: Stack) -> list[Any]:
    """What the first node that answers says of the streams."""
    node = next(name for name in NODES if cluster.containers(name))
    address = "http://127.0.0.1:8222/jsz?accounts=true&streams=true&config=true"
    said = docker("exec", *cluster.containers(node), "wget", "--quiet", "--output-document=-", address)
    return [stream for account in json.loads(said)["account_details"] for stream in account.get("stream_detail", ())]


def test_every_node_of_the_broker_knows_a_region_that_is_added(cluster: Stack, target: Target):
    printed = cluster.compose("run", "--rm", "-T", "pinghome", "prober", "add", FAR)
    (line,) = (line for line in printed.splitlines() if line.startswith("PINGHOME_NATS_URL="))
    urls = line.partition("=")[2].split(",")
    assert [url.rpartition("@")[2] for url in urls] == [f"{node}:4222" for node in NODES]
    id_ = until(lambda: accepted(cluster, target))
    for number, url in enumerate(urls):
        settings = printed.replace(line, f"PINGHOME_NATS_URL={url}") + "PINGHOME_PROBE_ALLOW_CIDRS=172.30.95.0/24\n"
        (cluster.folder / "prober.env").write_text(settings)
        cluster.region("up", "--detach", "--no-build", "--wait", "--force-recreate")
        until(lambda: states(cluster, [id_]) == {"up"})
        port = 9000 + number  # where nobody listens
        cluster.service("resource-cmd", "PUT", f"/v1/resource/{id_}", json={"url": f"http://172.30.95.10:{port}"})
        until(lambda: states(cluster, [id_]) == {"down"})
        cluster.service("resource-cmd", "PUT", f"/v1/resource/{id_}", json={"url": target.url})
        until(lambda: states(cluster, [id_]) == {"up"})
    cluster.region("down")
    cluster.service("resource-cmd", "DELETE", f"/v1/resource/{id_}")


def accepted(cluster: Stack, target: Target) -> str:
    """The id of a monitor in the region that was added; nothing where resource-cmd does not know that yet."""
    try:
        return monitor(cluster, "far", target.url, FAR)
    except AssertionError as error:
        if FAR in str(error):
            return ""
        raise


def leading(cluster: Stack, database: str) -> dict[str, str]:
    """The address of the process that has each of the workers of which one is active."""
    rows = cluster.sql(database, LEADING)
    return dict(row.split("|") for row in rows)


LEADING = """
SELECT classid || ' ' || objid, host(client_addr) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ExclusiveLock' AND granted AND datname = current_database()
"""


@pytest.mark.parametrize("service", [name.replace("_", "-") for name in DATABASES])
def test_another_replica_goes_on_where_the_active_one_was_killed(
    cluster: Stack, target: Target, monitors: list[str], channel: str, service: str
):
    name, database = f"Beside {service} {uuid4().hex[:6]}", service.replace("-", "_")
    watched = monitor(cluster, name, target.url, HOME, channels=[channel])
    until(lambda: states(cluster, [watched]) == {"up"})
    until(lambda: leading(cluster, database))
    before = leading(cluster, database)
    addresses = {
        network["IPAddress"]: name
        for name in cluster.containers(service)
        for network in json.loads(docker("inspect", name))[0]["NetworkSettings"]["Networks"].values()
    }
    active = max(set(before.values()), key=list(before.values()).count)
    its = {lock for lock, address in before.items() if address == active}
    assert its
    docker("kill", addresses[active])
    killed = time.monotonic()
    until(lambda: {lock for lock, address in leading(cluster, database).items() if address != active} >= its, every=0)
    print(f"\n{service}: {len(its)} workers go on in another process after {time.monotonic() - killed:.1f} s")
    target.down()
    until(lambda: f"{name} is down" in target.told)
    until(lambda: states(cluster, [*monitors, watched]) == {"down"})
    target.up()
    until(lambda: states(cluster, [*monitors, watched]) == {"up"})
    assert sum(f"{name} is down" in line for line in target.told.splitlines()) == 1
    cluster.service("resource-cmd", "DELETE", f"/v1/resource/{watched}")
    docker("start", addresses[active])
    until(lambda: len(healthy(cluster, service)) == 2)


def healthy(cluster: Stack, service: str) -> list[str]:
    """The containers of a service whose health check says so."""
    return [
        name
        for name in cluster.containers(service)
        if docker("inspect", "--format", "{{.State.Health.Status}}", name).strip() == "healthy"
    ]


@pytest.mark.parametrize("service", ["data-gateway", "prober"])
def test_nobody_misses_a_replica_that_is_killed(
    cluster: Stack, heartbeats: list[str], monitors: list[str], service: str
):
    begun = time.time()
    with Pinging(cluster, heartbeats, RATE) as pinging:
        time.sleep(3)
        victim = cluster.containers(service)[0]
        docker("kill", victim)
        time.sleep(5 * INTERVAL)
        docker("start", victim)
        until(lambda: len(healthy(cluster, service)) == 2)
    assert pinging.answers.keys() == {200}
    until(lambda: not pinging.lost())
    time.sleep(4 * INTERVAL)
    gap = missing(cluster, monitors, begun)
    print(f"{service}: longest time between two slots {gap:.1f} s of {INTERVAL} s")
    assert gap <= 2 * INTERVAL + 1


def test_a_viewer_does_not_notice_that_a_console_is_killed(cluster: Stack):
    with Viewing(cluster) as viewing:
        for name in CONSOLES:
            time.sleep(3)
            docker("kill", *cluster.containers(name))
            time.sleep(3)
            docker("start", f"{PROJECT}-{name}-1")
            until(lambda gone=name: healthy(cluster, gone))
    assert viewing.answers.keys() == {200}


def leader(cluster: Stack) -> str:
    """The node that leads TELEMETRY; nothing while they elect one."""
    found = (stream["cluster"].get("leader") for stream in streams(cluster) if stream["name"] == "TELEMETRY")
    return next(found, None) or ""


def test_the_leader_of_the_broker_is_killed_five_times(cluster: Stack, heartbeats: list[str]):
    gaps = []
    with Pinging(cluster, heartbeats, RATE) as pinging:
        for _ in range(5):
            time.sleep(5)
            node = until(lambda: leader(cluster))
            docker("kill", f"{PROJECT}-{node}-1")
            killed = time.monotonic()
            until(lambda gone=node: leader(cluster) not in ("", gone))
            gaps.append(time.monotonic() - killed)
            docker("start", f"{PROJECT}-{node}-1")
            until(lambda gone=node: healthy(cluster, gone))
        time.sleep(5)
    print("another node leads after", ", ".join(f"{gap:.1f}" for gap in gaps), "s")
    assert pinging.answers.keys() == {200}
    until(lambda: not pinging.lost())


@pytest.mark.parametrize("way", ["there", "back"])
def test_the_standby_takes_over_from_the_primary(cluster: Stack, heartbeats: list[str], way: str):
    made: list[str] = []
    answered: list[tuple[float, float]] = []
    stop = threading.Event()

    def command() -> None:
        while not stop.is_set():
            begun = time.monotonic()
            try:
                made.append(heartbeat(cluster, f"made-{way}-{len(made)}"))
                answered.append((begun, time.monotonic()))
            except (AssertionError, httpx.HTTPError) as error:  # it is not acknowledged
                print(f"{begun:.1f}", str(error)[:100])
                stop.wait(0.2)

    commanding = threading.Thread(target=command)
    with Pinging(cluster, heartbeats, RATE) as pinging:
        commanding.start()
        try:
            time.sleep(5)
            (primary,) = (name for name in ("postgres", "postgres-2") if is_primary(cluster, name))
            docker("kill", f"{PROJECT}-{primary}-1")
            killed = time.monotonic()
            first = until(lambda: next((ended for begun, ended in answered if begun > killed), None))
            time.sleep(10)
        finally:
            stop.set()
            commanding.join()
    print(f"first command 2xx {first - killed:.1f} s after {primary} was killed, {len(made)} acknowledged")
    assert pinging.answers.keys() == {200}
    there = set(cluster.sql("resource_cmd", "SELECT id FROM heartbeat"))
    assert set(made) <= there
    until(lambda: not pinging.lost())
    docker("start", f"{PROJECT}-{primary}-1")
    until(lambda: cluster.sql("postgres", "SELECT sync_state FROM pg_stat_replication") == ["sync"])


def is_primary(cluster: Stack, name: str) -> bool:
    question = 'PGPASSWORD=$(cat /config/password) psql -At -h 127.0.0.1 -U pinghome postgres -c "$0"'
    words = ("sh", "-c", question, "SELECT pg_is_in_recovery()")
    return docker("exec", *cluster.containers(name), *words).strip() == "f"


def test_a_new_version_with_a_migration_takes_the_place_of_the_old_one(
    cluster: Stack, heartbeats: list[str], monitors: list[str]
):
    for name in (*SERVICES, "console", "pinghome"):
        tag = f"{PROJECT}/{name}"
        options = ("--build-arg", f"IMAGE={tag}:latest", "--file", f"{HERE}/next.Dockerfile", "--tag", f"{tag}:next")
        docker("build", "--quiet", *options, str(HERE))
    environment = ENVIRONMENT | {
        "PINGHOME_VERSION": "next",
        "COMPOSE_FILE": ":".join(files(cluster.folder, CLUSTER)),
        "COMPOSE_PROJECT_NAME": PROJECT,
    }
    begun = time.time()
    with Pinging(cluster, heartbeats, RATE) as pinging, Viewing(cluster) as viewing:
        done = subprocess.run(  # noqa: S603  # our own
            [cluster.folder / "cluster/roll.sh"], env=environment, check=False, capture_output=True, text=True
        )
        ended = time.time()
        assert done.returncode == 0, done.stderr
    print(f"all services replaced in {ended - begun:.0f} s")
    for name in (*SERVICES, *CONSOLES):
        running = cluster.containers(name)
        assert {docker("inspect", "--format", "{{.Config.Image}}", each).strip() for each in running} == {
            f"{PROJECT}/{name.removesuffix('-2')}:next"
        }
        assert len(running) == (1 if name in CONSOLES else 2)
    assert viewing.answers.keys() == {200}
    for name in DATABASES:
        assert cluster.sql(name, "SELECT version_num FROM alembic_version") == ["9999"]
    assert pinging.answers.keys() == {200}
    until(lambda: not pinging.lost())
    time.sleep(4 * INTERVAL)
    gap = missing(cluster, monitors, begun)
    print(f"longest time between two slots {gap:.1f} s of {INTERVAL} s")
    assert gap <= 2 * INTERVAL + 1
    assert states(cluster, monitors) == {"up"}
