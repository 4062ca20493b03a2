"""CPU of one HTTP probe, ours against Prometheus' blackbox_exporter: same nginx, same run, alternating rounds.

Needs Debian's nginx-light (or nginx) and prometheus-blackbox-exporter. `.venv/bin/python tests/bench/probe.py`
"""

import argparse
import asyncio
import datetime as dt
import gc
import http.client
import ipaddress
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import Guard
from prober.probes.check import Check
from prober.probes.http import probe

IN_FLIGHT = 8
TOOLS = ("nginx", "prometheus-blackbox-exporter")


class Row(NamedTuple):
    """One line of targets.md: our CPU divided by the peer's may be `must` at most."""

    scheme: str
    probes: int
    must: float
    goal: float


ROWS = [Row("http", 3000, 0.30, 0.20), Row("https", 1000, 0.90, 0.65)]

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{http}; location / {{ return 200 "pinghome\\n"; }} }}
  server {{
    listen 127.0.0.1:{https} ssl;
    ssl_certificate {folder}/leaf.pem; ssl_certificate_key {folder}/key.pem;
    ssl_session_tickets off; ssl_session_cache none;
    location / {{ return 200 "pinghome\\n"; }}
  }}
}}
"""
BLACKBOX = """
modules:
  http: {{prober: http, timeout: 10s, http: {{preferred_ip_protocol: ip4}}}}
  https: {{prober: http, timeout: 10s, http: {{preferred_ip_protocol: ip4, tls_config: {{ca_file: {folder}/ca.pem}}}}}}
"""


def main() -> int:
    """Prints a table and one JSON line per row; 1 when a row fails."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--prober", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.prober:
        uvloop.run(serve_prober())
        return 0
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        sys.exit(f"missing: {' '.join(missing)}; apt-get install -y nginx-light prometheus-blackbox-exporter")
    with ExitStack() as stack:
        return compare(Peers(stack), given.rounds)


class Peers:
    """nginx, the peer and our prober as processes of their own, ended with `stack`."""

    def __init__(self, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_certificates(folder)
        self.ports = {name: free_port() for name in ("http", "https", "blackbox")}
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, **self.ports))
        (folder / "blackbox.yml").write_text(BLACKBOX.format(folder=folder))
        stack.enter_context(running("nginx", "-c", f"{folder}/nginx.conf", port=self.ports["https"]))
        self.blackbox = stack.enter_context(
            running(
                "prometheus-blackbox-exporter",
                f"--config.file={folder}/blackbox.yml",
                f"--web.listen-address=127.0.0.1:{self.ports['blackbox']}",
                port=self.ports["blackbox"],
            )
        )
        # The way an operator adds an authority: the prober's own contexts verify with it.
        environment = {**os.environ, "SSL_CERT_FILE": f"{folder}/ca.pem"}
        self.ours = stack.enter_context(running(sys.executable, __file__, "--prober", env=environment))
        self.clients = stack.enter_context(ThreadPoolExecutor(IN_FLIGHT))

    def our_cpu(self, scheme: str, probes: int) -> float:
        """Microseconds of CPU per probe of our prober."""
        before = cpu_seconds(self.ours.pid)
        assert self.ours.stdin
        assert self.ours.stdout
        print(f"{scheme}://127.0.0.1:{self.ports[scheme]}/", probes, file=self.ours.stdin, flush=True)
        answer = self.ours.stdout.readline()
        if answer != "done\n":
            raise RuntimeError(f"our prober stopped: {answer}")
        return (cpu_seconds(self.ours.pid) - before) / probes * 1e6

    def blackbox_cpu(self, scheme: str, probes: int) -> float:
        """Microseconds of CPU per probe of blackbox_exporter, its own HTTP request and metrics page included."""
        target = quote(f"{scheme}://127.0.0.1:{self.ports[scheme]}/", safe="")

        def drive(count: int) -> None:
            client = http.client.HTTPConnection("127.0.0.1", self.ports["blackbox"])
            for _ in range(count):
                client.request("GET", f"/probe?module={scheme}&target={target}")
                if b"\nprobe_success 1\n" not in client.getresponse().read():
                    raise RuntimeError("blackbox_exporter found the target down")
            client.close()

        before = cpu_seconds(self.blackbox.pid)
        list(self.clients.map(drive, [probes // IN_FLIGHT] * IN_FLIGHT))
        return (cpu_seconds(self.blackbox.pid) - before) / (probes // IN_FLIGHT * IN_FLIGHT) * 1e6


def compare(peers: Peers, rounds: int) -> int:
    """Alternates ours and theirs, so that the machine's drift meets both; the first round only warms up."""
    measured: dict[str, list[tuple[float, float]]] = {row.scheme: [] for row in ROWS}
    for number in range(rounds + 1):
        for row in ROWS:
            pair = peers.our_cpu(row.scheme, row.probes), peers.blackbox_cpu(row.scheme, row.probes)
            if number:
                measured[row.scheme].append(pair)
    print(f"{'row':<6} {'round':>6} {'ours µs':>9} {'blackbox µs':>12} {'ratio':>7}")
    lines = []
    for row in ROWS:
        pairs = measured[row.scheme]
        for number, (ours, theirs) in enumerate(pairs, 1):
            print(f"{row.scheme:<6} {number:>6} {ours:>9.0f} {theirs:>12.0f} {ours / theirs:>7.3f}")
        ratios = [round(ours / theirs, 3) for ours, theirs in pairs]
        median = statistics.median(ratios)
        middle = [round(statistics.median(column)) for column in zip(*pairs, strict=True)]
        print(f"{row.scheme:<6} {'median':>6} {middle[0]:>9} {middle[1]:>12} {median:>7.3f}")
        # A row counts when its median passes and no round is more than 20 % off (targets.md).
        lines.append(
            {
                "row": f"probe cpu {row.scheme}",
                "median": median,
                "rounds": ratios,
                "must": f"<={row.must:.2f}",
                "goal": f"<={row.goal:.2f}",
                "ours_us": middle[0],
                "peer_us": middle[1],
                "ok": median <= row.must and max(ratios) <= row.must * 1.2,
            }
        )
    for line in lines:
        print(json.dumps(line))
    return 0 if all(line["ok"] for line in lines) else 1


async def serve_prober() -> None:
    """Reads `URL count` lines and probes each URL so often, `IN_FLIGHT` at a time, as the prober's worker does."""
    guard = Guard([ipaddress.ip_network("127.0.0.0/8")])
    gc.collect()
    gc.freeze()  # as every service does after its start (house.md §3)
    while line := await asyncio.to_thread(sys.stdin.readline):
        url, count = line.split()
        numbers = iter(range(int(count)))

        async def work(url: str = url, numbers: Iterator[int] = numbers) -> None:
            for number in numbers:
                seen = await probe(Check(url=f"{url}{number % 500}"), guard, 10)
                if seen.verdict is not Verdict.up:
                    raise RuntimeError(seen.error)

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
        print("done", flush=True)


@contextmanager
def running(*command: str, port: int = 0, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process that is ready when `port` answers, and gone at the end."""
    with subprocess.Popen(  # noqa: S603  # the commands are written above
        command, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            for _ in range(100 if port else 0):
                with socket.socket() as knock:
                    if knock.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield process
        finally:
            process.terminate()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, ended threads included, to the nanosecond.

    The clock's number is that of glibc's clock_getcpuclockid(3); /proc/<pid>/stat counts in steps of 10 ms.
    """
    return time.clock_gettime((~pid << 3) | 2)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def write_certificates(folder: Path) -> None:
    """An authority and a certificate for 127.0.0.1, on P-256 as most sites have."""
    now = dt.datetime.now(dt.UTC)
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ca", "leaf")}
    extensions = {
        "ca": x509.BasicConstraints(ca=True, path_length=None),
        "leaf": x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
    }
    for name, extension in extensions.items():
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ca")]))
            .public_key(keys[name].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(extension, critical=name == "ca")
            .sign(keys["ca"], hashes.SHA256())
        )
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = keys["leaf"].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(secret)


if __name__ == "__main__":
    sys.exit(main())
