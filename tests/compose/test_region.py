"""A region of three probers, by prober.compose.yaml: siblings take a dead one's jobs; cut off, it is history (F14)."""

import time
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from compose.stack import FAR, HOME, PROJECT, Stack, Target, docker, until

pytestmark = pytest.mark.timeout(3600)

INTERVAL = 10
REPLICAS = [f"{PROJECT}-far-prober-{number}" for number in (1, 2, 3)]
MONITORS = 20


@pytest.fixture(scope="module")
def monitors(stack: Stack, target: Target) -> dict[str, list[str]]:
    """The ids of monitors in the far region alone, and in both; all are up."""
    target.up()
    printed = stack.compose("run", "--rm", "-T", "pinghome", "prober", "add", FAR)
    assert stack.compose("run", "--rm", "-T", "pinghome", "prober", "add", FAR) == printed
    names = {line.partition("=")[0] for line in printed.splitlines()}
    assert names == {f"PINGHOME_{name}" for name in ("REGION", "REGION_KEY", "NATS_URL", "NATS_CA")}
    assert f"PINGHOME_NATS_URL=tls://prober-{FAR}:" in printed
    (stack.folder / "prober.env").write_text(printed + "PINGHOME_PROBE_ALLOW_CIDRS=172.30.95.0/24\n")
    stack.region("up", "--detach", "--no-build", "--wait", "--scale", "prober=3")
    until(lambda: len(living(stack)) == 3)
    service = str(uuid4())

    def made(name: str, regions: list[str]) -> str:
        body = {"name": name, "type": "http", "url": f"{target.url}/{name}", "interval": INTERVAL}
        return stack.service(
            "resource-cmd", "POST", "/v1/resource", json=body | {"regions": regions, "service_id": service}
        )["id"]

    ids = {
        "far": [made(f"far-{number}", [FAR]) for number in range(MONITORS)],
        "both": [made(f"both-{number}", [HOME, FAR]) for number in range(MONITORS)],
    }
    until(lambda: states(stack, ids["far"] + ids["both"]) == {"up"})
    return ids


def living(stack: Stack) -> list[Any]:
    """The probers of the far region that were heard in the last 30 seconds."""
    regions = {row["region"]: row["probers"] for row in stack.service("resource-query", "GET", "/v1/regions")["data"]}
    return [each for each in regions[FAR] if each["state"] == "up"]


def states(stack: Stack, ids: list[str]) -> set[str]:
    return {stack.service("resource-query", "GET", f"/v1/resource/{id_}")["state"] for id_ in ids}


def slots(stack: Stack, id_: str, region: str = FAR) -> dict[float, str]:
    """The slots of a monitor in a region, as UNIX seconds, with their verdicts."""
    rows = stack.service("statistic-query", "GET", f"/v1/resource/{id_}/results?limit=500")["data"]
    mine = [row for row in rows if row["region"] == region]
    return {datetime.fromisoformat(row["slot"]).timestamp(): row["class"] or row["verdict"] for row in mine}


def longest(found: dict[float, str], since: float, until_: float) -> float:
    """The most seconds between two of the slots in a time."""
    times = [since, *sorted(slot for slot in found if since <= slot <= until_), until_]
    return max(after - before for before, after in pairwise(times))


def test_the_siblings_of_a_dead_prober_take_its_jobs(stack: Stack, monitors: dict[str, list[str]]):
    begun = time.time()
    time.sleep(3 * INTERVAL)
    docker("kill", REPLICAS[2])
    killed = time.time()
    time.sleep(10 * INTERVAL)
    ended = time.time()
    time.sleep(2 * INTERVAL)  # what is on its way is stored
    gaps = {id_: longest(slots(stack, id_), begun, ended) for id_ in monitors["far"]}
    print(f"\nlongest gap {max(gaps.values()):.1f} s of {INTERVAL} s, prober killed after {killed - begun:.0f} s")
    # A job that the dead one held is late, or dropped when the next one is due: one slot at most.
    assert max(gaps.values()) <= 2 * INTERVAL + 1
    assert states(stack, monitors["far"] + monitors["both"]) == {"up"}
    docker("start", REPLICAS[2])
    until(lambda: len(living(stack)) >= 3)


def test_a_region_that_is_cut_off_changes_nothing_and_is_in_the_history_afterwards(
    stack: Stack, target: Target, monitors: dict[str, list[str]], request: pytest.FixtureRequest
):
    told = target.told.count("\n")
    time.sleep(3 * INTERVAL)  # the schedule with all of them is on disk
    link, cut = f"{PROJECT}_default", time.time()
    for replica in REPLICAS:
        docker("network", "disconnect", link, replica)
    until(lambda: states(stack, monitors["far"]) == {"unknown"})
    unknown = time.time()
    assert unknown - cut <= 2 * INTERVAL + 5  # the last replica took a moment to be cut off
    assert states(stack, monitors["both"]) == {"up"}
    time.sleep(max(0.0, cut + request.config.getoption("--cut") - time.time()))
    assert states(stack, monitors["both"]) == {"up"}
    for replica in REPLICAS:
        docker("network", "connect", link, replica)
    mended = time.time()
    until(lambda: states(stack, monitors["far"]) == {"up"})
    print(f"\ncut for {mended - cut:.0f} s, unknown after {unknown - cut:.1f} s, up {time.time() - mended:.1f} s after")

    everybody = monitors["far"] + monitors["both"]

    def complete() -> bool:
        """At most one slot is missing at each end of the cut, and none in between."""
        return max(longest(slots(stack, id_), cut - 2 * INTERVAL, mended) for id_ in everybody) <= 2 * INTERVAL + 1

    until(complete, every=2)
    for id_ in everybody:
        assert set(slots(stack, id_).values()) == {"up"}
        changes = stack.service("statistic-query", "GET", f"/v1/resource/{id_}/state-changed-logs")["data"]
        assert "down" not in {row["state"] for row in changes}
    assert target.told.count("\n") == told
