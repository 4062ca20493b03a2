"""The public page of forty components when nothing has changed, against a bare no-op; 200 components from cold."""

import json
import re
import sys
import tempfile
import time
import urllib.request
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from figures import at_least, at_most
from load import told
from processes import HERE, python

from pinghome.state_file import free_port

sys.path.insert(0, str(HERE.parent))

from materials import NOW, component, group, incident, material, update
from pinghome_common.clock import now
from pinghome_common.events.statuspage import ComponentStatus
from statuspage_query.public import site
from statuspage_query.public.render import Place
from statuspage_query.public.snapshot import Snapshot
from statuspage_query.public.view import view
from statuspage_query.statuses import Since

NEEDS = ("wrk",)
FIGURES = {
    "304 / no-op": at_least(0.3, 0.5),
    "whole, compressed / no-op": at_least(0.3, 0.5),
    "200 from cold, ms": at_most(50, 25),
}


async def measure(rounds):
    with tempfile.TemporaryDirectory() as folder:
        Snapshot(Path(folder) / "statuspage-query/pages").save(page(40))
        large, plain = page(200), free_port()
        cold(large)  # which also compiles the templates
        async with python(HERE / "ceilings/noop.py", str(plain), port=plain), alone(Path(folder)) as port:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/status/acme") as answer:  # noqa: ASYNC210  # once
                etag = answer.headers["etag"]
            for _ in range(rounds):
                ceiling = await rate(plain, "/")
                known = await rate(port, "/status/acme", "-H", f"If-None-Match: {etag}")
                whole = await rate(port, "/status/acme", "-H", "Accept-Encoding: gzip")
                yield {
                    "304 / no-op": known / ceiling,
                    "whole, compressed / no-op": whole / ceiling,
                    "200 from cold, ms": cold(large),
                }


@asynccontextmanager
async def alone(data):
    """statuspage-query with its snapshot and nothing else."""
    port, nobody = free_port(), free_port()
    own = {"DATA": data, "PORT": port, "NATS_URL": f"nats://127.0.0.1:{nobody}", "LOG_LEVEL": "error"}
    own |= {"DATABASE_URL": f"postgresql://nobody@127.0.0.1:{nobody}/postgres", "SECRET_KEY": "x" * 32}
    environment = {f"PINGHOME_{name}": str(value) for name, value in own.items()}
    async with python("-c", "from statuspage_query.app import main; main()", port=port, env=environment):
        yield port


async def rate(port, path, *headers):
    """Answers a second."""
    said = await told("wrk", "-t1", "-c64", "-d2s", *headers, f"http://127.0.0.1:{port}{path}")
    if "Non-2xx" in said and "304" not in json.dumps(headers):
        raise RuntimeError(said)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def cold(it):
    """Milliseconds of a processor from what is known of a page to its bytes."""
    started = time.process_time()
    assert site.found("", view(it, now()), it.timelines, Place(root="", url="https://x.test", language="en"))
    return 1000 * (time.process_time() - started)


def page(count):
    """A page with components in ten groups, each with two outages, and an open incident."""
    groups = [group(f"Region {place}") for place in range(10)]
    listed = [component(f"Service {place}", group=groups[place % 10].id) for place in range(count)]
    told_ = incident("Trouble", timedelta(days=5))
    it = material(listed, groups, incidents=[told_], updates={told_.id: [update(told_, "identified", "<p>x</p>")] * 20})
    for place, each in enumerate(listed):
        for back in (60, 20):
            at = NOW - timedelta(days=back, minutes=place)
            it.timelines[each.id].append(Since(at, ComponentStatus.major_outage))
            it.timelines[each.id].append(Since(at + timedelta(minutes=9), ComponentStatus.operational))
    return replace(it, changed_at=now())
