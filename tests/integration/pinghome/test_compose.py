"""The one-time steps of deploy/compose.yaml, without containers: what each gets, the broker's TLS, the databases."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from typer.testing import CliRunner

from authorities import Authority, pem
from conftest import connected
from pinghome import compose, nats, region_users
from pinghome.cli import app
from pinghome.nats import _binary
from pinghome.postgres import Postgres
from pinghome.servers import DATABASES
from pinghome.services import SERVICES
from pinghome.state_file import StateFile
from pinghome.supervise import Supervisor
from pinghome_common.errors import Unavailable
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from running import free_port

SECRETS = {
    "resource-cmd": {
        "DATABASE_URL", "NATS_URL", "SECRET_KEY", "BOOTSTRAP_TOKEN", "BOOTSTRAP_CHECKS_KEY",
        "BOOTSTRAP_CHECKS_READ_KEY", "BOOTSTRAP_STATUS_TOKEN", "BOOTSTRAP_PING_KEY", "SMTP_URL",
    },
    "resource-query": {"DATABASE_URL", "NATS_URL", "BADGE_SECRET"},
    "statistic-query": {"DATABASE_URL", "NATS_URL"},
    "statuspage-cmd": {"DATABASE_URL", "NATS_URL", "PAGE_SECRET", "SUBSCRIPTION_SECRET", "SMTP_URL"},
    "statuspage-query": {"DATABASE_URL", "NATS_URL", "PAGE_SECRET"},
    "data-gateway": {"NATS_URL"},
    "prober": {"NATS_URL", "REGION_KEY"},
}  # fmt: skip
"""What each service is given that nobody else may see."""

PUBLIC = {"MAIL_FROM", "NATS_CA", "REGION", "REGIONS", "URL", "TRUSTED_PROXIES"}


@pytest.fixture
def volumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The volumes as they are before the first start."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(
        "PINGHOME_DOMAIN=pinghome.test\nPINGHOME_REGIONS=eu-central-1\n"
        "PINGHOME_MAIL_FROM='Pinghome <a@pinghome.test>'\n"
        f"PINGHOME_SMTP_URL_FILE={tmp_path}/smtp\n"
    )
    (tmp_path / "smtp").write_text("smtp://a:${HOME}#'@mail.test:25\n")
    monkeypatch.setenv("PINGHOME_DATA", str(tmp_path / "platform"))
    monkeypatch.setenv("PINGHOME_TRUSTED_PROXIES", "172.30.93.2")
    for name in (*SERVICES, "postgres", "nats", "streams", "pinghome"):
        (tmp_path / "volumes" / name).mkdir(parents=True)
    return tmp_path / "volumes"


def configured(volumes: Path) -> str:
    """What `pinghome compose configure` prints."""
    done = CliRunner().invoke(app, ["compose", "configure", "pinghome.test", "--volumes", str(volumes)])
    assert done.exit_code == 0, done.output
    return done.output


def given(volumes: Path, service: str) -> dict[str, str]:
    """The files that a container's `.env` names, with their contents, in the container's order."""
    lines = (volumes / service / ".env").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines)
    for name, path in (found := [(name.removesuffix("_FILE"), path) for name, path in pairs]):
        assert path == f"/config/{name}"
    return {name.removeprefix("PINGHOME_"): (volumes / service / name).read_text() for name, _ in found}


def test_each_container_is_given_its_own_secrets_and_no_others(volumes: Path):
    configured(volumes)
    assert {name: given(volumes, name).keys() - PUBLIC for name in SERVICES} == SECRETS
    urls = {
        name: urlsplit(given(volumes, name)["DATABASE_URL"])
        for name in SERVICES
        if name in SECRETS and "DATABASE_URL" in SECRETS[name]
    }
    assert all(
        (url.username, url.path) == (name.replace("-", "_"), f"/{name.replace('-', '_')}") for name, url in urls.items()
    )
    assert len({url.password for url in urls.values()}) == len(DATABASES)
    users = {name: urlsplit(given(volumes, name)["NATS_URL"]) for name in SERVICES}
    assert {name: url.username for name, url in users.items()} == {n: n for n in SERVICES} | {
        "prober": "prober-eu-central-1"
    }
    assert len({url.password for url in users.values()}) == len(SERVICES)
    private = {path: path.stat().st_mode & 0o777 for path in volumes.rglob("*") if path.is_file()}
    assert {path.parent.name for path, mode in private.items() if mode != 0o600} == {"postgres"}


def test_a_container_reads_what_the_operator_said(volumes: Path, monkeypatch: pytest.MonkeyPatch):
    configured(volumes)
    for path in (own := volumes / "resource-cmd", *own.iterdir()):
        if path.name == ".env":
            path.write_text(path.read_text().replace("=/config/", f"={own}/"))
    monkeypatch.chdir(own)
    monkeypatch.delenv("PINGHOME_TRUSTED_PROXIES")
    read = Settings()
    assert read.smtp_url == "smtp://a:${HOME}#'@mail.test:25"
    assert (read.mail_from, read.regions) == ("Pinghome <a@pinghome.test>", ["eu-central-1"])
    assert (read.url, read.trusted_proxies) == ("https://pinghome.test", ["172.30.93.2"])


def test_keys_are_printed_once_and_stay(volumes: Path):
    first = configured(volumes)
    before = {name: given(volumes, name) for name in SERVICES}
    assert f"PINGHOME_BOOTSTRAP_TOKEN={before['resource-cmd']['BOOTSTRAP_TOKEN']}" in first
    assert before["resource-cmd"]["SECRET_KEY"] not in first
    (volumes / "prober" / "PINGHOME_OLD").write_text("a setting that is the default now")
    assert configured(volumes) == "The containers of pinghome.test are configured.\n"
    assert {name: given(volumes, name) for name in SERVICES} == before
    assert not (volumes / "prober" / "PINGHOME_OLD").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("PINGHOME_REGIONS=eu-central-1,us-east-1", "names the one region"),
        ("PINGHOME_REGIONS=home", "home does not look like eu-central-1"),
        ("PINGHOME_SECRET_KEY=change-me", "this is an example's"),
        ("PINGHOME_SMTP_URL=smtp://a:b@c", "PINGHOME_SMTP_URL and PINGHOME_SMTP_URL_FILE are both set"),
    ],
)
def test_what_is_wrong_in_env_ends_the_start_with_a_sentence(volumes: Path, line: str, said: str):
    with Path(".env").open("a") as out:
        out.write(f"{line}\n")
    done = CliRunner().invoke(app, ["compose", "configure", "pinghome.test", "--volumes", str(volumes)])
    assert done.exit_code == 1
    assert said in done.output
    assert not (volumes / "nats/nats.conf").exists()


@asynccontextmanager
async def serving(volumes: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """The broker with what was configured for its container."""
    command = [_binary(), "-c", volumes / "nats/nats.conf", "-sd", volumes / "streams", "-a", "127.0.0.1"]
    process = await asyncio.create_subprocess_exec(
        *command, "-p", str(port), "-m", str(free_port()), stderr=subprocess.DEVNULL
    )
    yield process
    process.kill()
    await process.wait()


async def test_the_broker_lets_each_service_in_by_tls_and_nobody_without_it(volumes: Path):
    configured(volumes)
    port = free_port()
    at: Callable[[str], str] = lambda name: given(volumes, name)["NATS_URL"].replace("nats:4222", f"localhost:{port}")  # noqa: E731
    ca = given(volumes, "prober")["NATS_CA"]
    async with serving(volumes, port):
        for service in SERVICES:
            async with Broker(at(service), service, ca) as broker:
                await connected(broker)
        async with Broker(at("prober"), "prober", pem(Authority("another").certificate).decode()) as deceived:
            await asyncio.sleep(2)
            assert not deceived.connected
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        url = urlsplit(at("prober"))
        said = {"user": url.username, "pass": url.password, "verbose": True}
        writer.write(f"CONNECT {json.dumps(said)}\r\nPING\r\n".encode())
        assert await reader.read() == b""
        writer.close()


async def test_a_client_with_tls_comes_back_after_the_broker_and_after_one_that_does_not_speak_it(volumes: Path):
    configured(volumes)
    port, met = free_port(), 0

    async def stranger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal met
        met += 1
        writer.write(b'INFO {"server_id": "x", "max_payload": 1}\r\n')
        said = await reader.read(10_000)
        assert said[:1] == b"\x16"  # a handshake of TLS, no password
        writer.close()

    url = given(volumes, "prober")["NATS_URL"].replace("nats:4222", f"localhost:{port}")
    async with Broker(url, "prober", given(volumes, "prober")["NATS_CA"]) as broker:
        async with await asyncio.start_server(stranger, "127.0.0.1", port):
            async with asyncio.timeout(60):
                while not met:
                    await asyncio.sleep(0.05)
        for _ in range(2):
            async with serving(volumes, port):
                async with asyncio.timeout(120):
                    while not broker.connected:
                        await asyncio.sleep(0.05)
            async with asyncio.timeout(60):
                while broker.connected:
                    await asyncio.sleep(0.05)


async def test_every_node_of_a_cluster_reads_its_configuration_again(volumes: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PINGHOME_NATS_REPLICAS", "3")
    configured(volumes)
    urls = given(volumes, "pinghome")["NATS_URL"]
    assert [url.rpartition("@")[2] for url in urls.split(",")] == ["nats:4222", "nats-2:4222", "nats-3:4222"]
    names = ("nats-2", "nats-3", "nats")  # so that none is replaced in another's name
    routes, ports = {name: free_port() for name in names}, {name: free_port() for name in names}
    nodes = {name: volumes.with_name(f"node-{name}") for name in names}
    async with AsyncExitStack() as stack:
        for name, node in nodes.items():
            shutil.copytree(volumes, node)
            text = (node / "nats/nats.conf").read_text().replace("port: 6222", f"port: {routes[name]}")
            for other in names:
                text = text.replace(f"@{other}:6222", f"@localhost:{routes[other]}")
            (node / "nats/nats.conf").write_text(text)
            monkeypatch.setenv("NATS_NAME", name)
            await stack.enter_async_context(serving(node, ports[name]))
        urls = ",".join(
            url.replace(f"@{name}:4222", f"@localhost:{ports[name]}")
            for name, url in zip(("nats", "nats-2", "nats-3"), urls.split(","), strict=True)
        )
        settings = Settings().but(nats_url=urls, nats_ca=given(volumes, "pinghome")["NATS_CA"])
        async with asyncio.timeout(120):
            while await reloaded(settings) != len(names):
                await asyncio.sleep(0.2)
        for node in nodes.values():
            region_users.add(node / "nats", "us-east-1", "word")
            region_users.include(node / "nats")
        assert await reloaded(settings) == len(names)
        for port in ports.values():
            async with Broker(f"tls://prober-us-east-1:word@localhost:{port}", "prober", settings.nats_ca) as broker:
                await connected(broker)


async def reloaded(settings: Settings) -> int:
    """How many nodes have read their configuration again; 0 as long as there is none."""
    try:
        return await nats.reload(settings)
    except Unavailable:
        return 0


@pytest.fixture
async def postgres(folder: Path) -> AsyncIterator[Postgres]:
    """A server with nothing in it."""
    async with Supervisor() as supervisor:
        (data := folder / "postgres-of-compose").mkdir()
        server = Postgres(data, StateFile(data / "servers.json"), supervisor, "16MB")
        await server.start()
        yield server


async def test_each_service_has_a_database_that_no_other_can_open(
    volumes: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PINGHOME_DATABASE_URL", postgres.url)
    configured(volumes)
    containers = compose.Containers(Settings(), volumes / "nats")
    await asyncio.gather(*(compose._make_databases(containers) for _ in range(2)))
    await compose._make_databases(containers)
    for name in DATABASES:
        url = given(volumes, name.replace("_", "-"))["DATABASE_URL"]
        assert await asked(url, "SELECT count(*) FROM alembic_version") == 1
        assert (
            await asked(url, "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = user")
            is False
        )
        for other in set(DATABASES) - {name}:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asked(urlunsplit(urlsplit(url)._replace(path=f"/{other}")), "SELECT 1")


async def asked(url: str, question: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()
