"""CPU of one HTTP and one HTTPS probe, against Prometheus' blackbox_exporter: same nginx, alternating."""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from urllib.parse import quote

from figures import at_most
from load import told
from processes import HERE, cpu_seconds, empty_folder, listening, running
from target import nginx

from pinghome.state_file import free_port

NEEDS = ("nginx", "prometheus-blackbox-exporter")
FIGURES = {"HTTP CPU / blackbox": at_most(0.30, 0.20), "HTTPS CPU / blackbox": at_most(0.90, 0.65)}
PROBES = {"http": 3000, "https": 1000}
CLIENTS = 8
BLACKBOX = """
modules:
  http: {{prober: http, timeout: 10s, http: {{preferred_ip_protocol: ip4}}}}
  https: {{prober: http, timeout: 10s, http: {{preferred_ip_protocol: ip4, tls_config: {{ca_file: {authority}}}}}}}
"""


async def measure(rounds):
    async with nginx() as target, blackbox(target.authority) as (process, port):
        for scheme in PROBES:
            await theirs(process, port, scheme, target.urls[scheme], 200)  # warm; ours warms itself
        for _ in range(rounds):
            values = {}
            for scheme, probes in PROBES.items():
                our_cost = await ours(target, scheme, probes)
                their_cost = await theirs(process, port, scheme, target.urls[scheme], probes)
                name = scheme.upper()
                values[f"{name} CPU / blackbox"] = our_cost / their_cost
                values |= {f"{name}, µs": our_cost, f"{name} blackbox, µs": their_cost}
            yield values


@asynccontextmanager
async def blackbox(authority):
    with empty_folder() as folder:
        (folder / "blackbox.yml").write_text(BLACKBOX.format(authority=authority))
        port = free_port()
        command = ["prometheus-blackbox-exporter", f"--config.file={folder}/blackbox.yml"]
        async with running([*command, f"--web.listen-address=127.0.0.1:{port}"], {}) as process:
            await listening(process, port)
            yield process, port


async def ours(target, scheme, probes):
    """Microseconds of CPU per probe of our prober, which verifies with the authority that an operator added."""
    environment = {**os.environ, "SSL_CERT_FILE": str(target.authority)}
    arguments = sys.executable, str(HERE / "probing.py"), target.urls[scheme], str(probes)
    return float(await told(*arguments, env=environment))


async def theirs(process, port, scheme, url, probes):
    """Microseconds of CPU per probe of blackbox_exporter, its own HTTP request and metrics page included."""

    def drive(count):
        client = HTTPConnection("127.0.0.1", port)
        for _ in range(count):
            client.request("GET", f"/probe?module={scheme}&target={quote(url, safe='')}")
            if b"\nprobe_success 1\n" not in client.getresponse().read():
                raise RuntimeError("blackbox_exporter found the target down")
        client.close()

    before, each = cpu_seconds(process.pid), probes // CLIENTS
    with ThreadPoolExecutor(CLIENTS) as clients:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(clients, drive, each) for _ in range(CLIENTS)))
    return (cpu_seconds(process.pid) - before) / (each * CLIENTS) * 1e6
