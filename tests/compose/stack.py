"""The platform as its operator has it with docker compose: in a folder and a project of its own, by public hosts."""

# ruff: noqa: S603, S607  # docker, wherever it is

import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from running import free_port

ROOT = Path(__file__).parents[2]
DEPLOY, HERE = ROOT / "deploy", ROOT / "tests/compose"
PROJECT, DOMAIN, WORLD = "pinghome-test", "pinghome.test", "pinghome-test-world"
SUBNET, TARGET = "172.30.95.0/24", "172.30.95.10"
HOME, FAR = "eu-central-1", "us-east-1"
ENVIRONMENT = {
    **os.environ,
    "PINGHOME_IMAGES": PROJECT,
    **{f"{name.upper()}_IMAGE": f"{PROJECT}/{name}" for name in ("postgres", "nats", "caddy", "etcd")},
    "PINGHOME_SUBNET": "172.30.94.0/24",
    "PINGHOME_ADDRESSES": "172.30.94.128/25",
    "PINGHOME_EDGE": "172.30.94.2",
    "PINGHOME_CONSOLE_ADDRESS": "172.30.94.3",
    "PINGHOME_CONSOLE_ADDRESS_2": "172.30.94.4",
    "WORLD": WORLD,
    "LINK": f"{PROJECT}_default",
}


def docker(*words: str, within: float = 600, status: int = 0) -> str:
    """What a command of docker prints; what it complains, when it is to fail."""
    done = subprocess.run(
        ["docker", *words], env=ENVIRONMENT, stdin=subprocess.DEVNULL, check=False, capture_output=True, text=True,
        timeout=within,
    )  # fmt: skip
    assert done.returncode == status, f"docker {' '.join(words)}\n{(done.stdout + done.stderr)[-5000:]}"
    return done.stderr if status else done.stdout


SINGLE, CLUSTER = ("override.yaml",), ("cluster/compose.yaml", "cluster.override.yaml")
"""The compose files beside compose.yaml: the last one is of the tests."""


def files(folder: Path, more: tuple[str, ...]) -> list[str]:
    """The paths of compose.yaml in a folder and of those beside it."""
    return [f"{folder}/compose.yaml", *(f"{folder}/{name}" for name in more[:-1]), f"{HERE}/{more[-1]}"]


def build(more: tuple[str, ...] = SINGLE, *services: str) -> float:
    """Builds all images, or those of some services; returns the seconds that it took."""
    begun = time.monotonic()
    options = [word for path in files(DEPLOY, more) for word in ("-f", path)]
    os.environ["PINGHOME_DOMAIN"] = ENVIRONMENT["PINGHOME_DOMAIN"] = DOMAIN
    docker("compose", "--project-directory", str(DEPLOY), *options, "build", *services, within=1800)
    del os.environ["PINGHOME_DOMAIN"], ENVIRONMENT["PINGHOME_DOMAIN"]
    return time.monotonic() - begun


def until(what: Callable[[], Any], within: float = 300, every: float = 0.5) -> Any:
    """What a question answers as soon as that is true."""
    deadline = time.monotonic() + within
    while not (found := what()):
        assert time.monotonic() < deadline, f"not within {within:.0f} s"
        time.sleep(every)
    return found


@dataclass
class Stack:
    """A folder with the compose files, and what runs by them."""

    folder: Path
    https: int = field(default_factory=free_port)
    keys: dict[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = SINGLE

    def __post_init__(self) -> None:
        self.folder.mkdir()
        for name in ("compose.yaml", "prober.compose.yaml", "Caddyfile"):
            shutil.copy(DEPLOY / name, self.folder)
        shutil.copytree(DEPLOY / "cluster", self.folder / "cluster")
        (self.folder / "secrets").mkdir()
        settings = (DEPLOY / ".env.example").read_text()
        own = {
            "DOMAIN": DOMAIN, "STATUS_DOMAIN": f"status.{DOMAIN}", "PROBE_ALLOW_CIDRS": SUBNET,
            "HTTP_PORT": free_port(), "HTTPS_PORT": self.https, "BROKER": "nats:4222",
            "BROKER_LISTEN": f"127.0.0.1:{free_port()}",
        }  # fmt: skip
        for name, value in own.items():
            settings = re.sub(rf"^PINGHOME_{name}=.*\n", "", settings, flags=re.MULTILINE)
            settings += f"PINGHOME_{name}={value}\n"
        (self.folder / ".env").write_text(settings)

    def compose(self, *words: str, status: int = 0) -> str:
        """What `docker compose …` prints for the platform."""
        options = [word for path in files(self.folder, self.more) for word in ("-f", path)]
        return docker(
            "compose", "-p", PROJECT, "--project-directory", str(self.folder), *options, *words, status=status
        )

    def region(self, *words: str) -> str:
        """What `docker compose …` prints for the probers of the second region."""
        files = ("-f", f"{self.folder}/prober.compose.yaml", "-f", f"{HERE}/prober.override.yaml")
        project = ("-p", f"{PROJECT}-far", "--project-directory", str(self.folder))
        return docker("compose", *project, *files, *words)

    def up(self) -> str:
        """Starts everything, waits until it is healthy; returns what `configure` has printed."""
        self.compose("up", "--detach", "--no-build", "--wait")
        said = docker("logs", f"{PROJECT}-configure-1")
        self.keys |= dict(re.findall(r"^PINGHOME_BOOTSTRAP_(\w+)=(\S+)$", said, re.MULTILINE))
        return said

    def ask(self, host: str, method: str, path: str, status: int = 0, **more: Any) -> Any:
        """The answer of a host of the platform, through Caddy, by TLS: the document where it is JSON."""
        headers = {"Host": host, "Authorization": f"Bearer {self.keys['TOKEN']}"} | more.pop("headers", {})
        with httpx.Client(verify=self.trust, trust_env=False, timeout=60) as client:
            url = f"https://127.0.0.1:{self.https}{path}"
            answer = client.request(method, url, headers=headers, extensions={"sni_hostname": host}, **more)
        assert answer.status_code == status if status else answer.is_success, f"{answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def containers(self, service: str) -> list[str]:
        """The names of a service's running containers."""
        labels = (f"project={PROJECT}", f"service={service}")
        filters = [word for label in labels for word in ("--filter", f"label=com.docker.compose.{label}")]
        return sorted(docker("ps", *filters, "--format", "{{.Names}}").split())

    def sql(self, database: str, statement: str) -> list[str]:
        """The rows of a statement in a service's database, by the primary of the cluster."""
        (server, *_) = self.containers("postgres") + self.containers("postgres-2")
        address = f"host=postgres,postgres-2 target_session_attrs=primary user=pinghome dbname={database}"
        command = f'PGPASSWORD=$(cat /config/password) psql -At "{address}" -c "$0"'
        return docker("exec", server, "sh", "-c", command, statement).splitlines()

    def service(self, name: str, method: str, path: str, **more: Any) -> Any:
        """The answer of a service by its own host."""
        return self.ask(f"{name}.{DOMAIN}", method, path, **more)

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """Trusts Caddy's own authority."""
        root = self.compose("exec", "-T", "caddy", "cat", "/data/caddy/pki/authorities/local/root.crt")
        return ssl.create_default_context(cadata=root)


class Target:
    """The container that is monitored and told."""

    def __init__(self) -> None:
        docker("network", "create", "--subnet", SUBNET, WORLD)
        docker(
            *("run", "--detach", "--name", WORLD, "--network", WORLD, "--ip", TARGET),
            *("--volume", f"{HERE}/world.py:/world.py:ro", "python:3.13-slim-trixie", "python3", "/world.py"),
        )

    url = f"http://{TARGET}:8000"

    def down(self) -> None:
        """From now on it answers 503."""
        docker("exec", WORLD, "touch", "/tmp/down")  # noqa: S108  # of its container

    def up(self) -> None:
        """It answers 200 again."""
        docker("exec", WORLD, "rm", "-f", "/tmp/down")  # noqa: S108

    @property
    def told(self) -> str:
        """All that was posted to it."""
        return docker("logs", WORLD)


def remove() -> None:
    """Removes what a run has made, or left, but for the images."""
    for project in (f"{PROJECT}-far", PROJECT):
        found = docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={project}").split()
        found and docker("rm", "-f", *found)
        found = docker("volume", "ls", "-q", "--filter", f"label=com.docker.compose.project={project}").split()
        found and docker("volume", "rm", *found)
        found = docker("network", "ls", "-q", "--filter", f"label=com.docker.compose.project={project}").split()
        found and docker("network", "rm", *found)
    if docker("ps", "-aq", "--filter", f"name=^{WORLD}$").strip():
        docker("rm", "-f", WORLD)
    if docker("network", "ls", "-q", "--filter", f"name=^{WORLD}$").strip():
        docker("network", "rm", WORLD)
