"""The agent as an operator gets it: the files that data-gateway offers, and the line of the API, run as it is."""

# ruff: noqa: S603, S607  # the line is run as an operator runs it

import asyncio
import hashlib
import json
import os
import shlex
import subprocess
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from agents import psutil_wheel
from contract.answers import refused
from contract.client import Client, Form
from data_gateway.api import agent
from data_gateway.app import create_app
from gateways import samples_in
from pinghome_common.settings import Settings
from running import Platform

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """`make dist` has been run, as `make up` and `make test` do."""
    subprocess.run(["make", "--silent", "dist"], cwd=ROOT, check=True)


@pytest.fixture(params=[Form.PREFIX, Form.HOST])
def call(request, client: Client) -> Client:
    return Client(client.http, None, request.param)


async def test_the_agents_files_are_offered_to_anybody_and_match_their_checksums(call: Client):
    sums = (await call("GET", "data-gateway/agent/SHA256SUMS")).text.splitlines()
    names = [line.split()[1] for line in sums]

    assert sorted(name.rpartition(".")[2] for name in names) == ["service", "whl"]
    for line in sums:
        expected, name = line.split()
        answer = await call("GET", f"data-gateway/agent/{name}")
        assert hashlib.sha256(answer.content).hexdigest() == expected
    for name, kind in {
        "install.sh": "text/x-shellscript; charset=utf-8",
        "SHA256SUMS": "text/plain; charset=utf-8",
        "pinghome-agent.service": "text/plain; charset=utf-8",
        next(name for name in names if name.endswith(".whl")): "application/octet-stream",
    }.items():
        got, head = [await call(method, f"data-gateway/agent/{name}") for method in ("GET", "HEAD")]
        assert (got.status_code, head.status_code, head.content) == (200, 200, b"")
        assert got.headers["content-type"] == head.headers["content-type"] == kind
        assert got.headers["cache-control"] == "public, max-age=300"
        assert int(head.headers["content-length"]) == len(got.content)
        again = await call("GET", f"data-gateway/agent/{name}", headers={"If-None-Match": got.headers["etag"]})
        assert again.status_code in (200, 304)
    script = (await call("GET", "data-gateway/agent/install.sh")).content
    assert script == (ROOT / "deploy/agent/install.sh").read_bytes()


@pytest.mark.parametrize(
    "name",
    ["", "..", "%2e%2e", "..%2fapp.py", "%2e%2e%2fapp.py", "__init__.py", ".gitignore",
     "pinghome_agent-9.9-py3-none-any.whl", "pinghome_agent-..%2f..-py3-none-any.whl",
     "install.sh%00", "install.sh/x", "INSTALL.SH", "sub/install.sh"],
)  # fmt: skip
async def test_nothing_else_is(call: Client, name: str):
    refused(await call("GET", f"data-gateway/agent/{name}"), 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_it_is_read_only(call: Client, method: str):
    refused(await call(method, "data-gateway/agent/install.sh"), 405)


async def test_a_gateway_without_the_files_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(agent, "FOLDER", tmp_path / "agent")
    transport = httpx.ASGITransport(create_app(Settings()))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as gateway:
        answer = await gateway.get("/agent/install.sh")

    assert "make dist" in refused(answer, 404)


@pytest.mark.timeout(300)
async def test_the_line_of_a_creation_installs_an_agent_whose_figures_arrive(
    platform: Platform, client: Client, tmp_path
):
    answer = await client("POST", "resource-cmd/v1/server-resource", json={
        "name": f"installed {tmp_path.name}", "service_id": client.service_id, "interval": 10,
    })  # fmt: skip
    made = answer.json()
    assert answer.status_code == 201, answer.text
    psutil_wheel(tmp_path)  # instead of the registry's
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}
    line = f"{made['install']} --prefix {tmp_path / 'agent'}"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **pip}
    done = await asyncio.to_thread(
        subprocess.run, ["sh", "-c", line], env=environment, capture_output=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr.decode()
    start = shlex.split(done.stdout.decode().splitlines()[-1])
    assert made["agent_token"] not in start
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*start, "--interval", "1"], stdout=log, stderr=log)  # noqa: ASYNC220
    try:
        nats_url = json.loads((platform.data / "run.json").read_text())["nats_url"]
        async with asyncio.timeout(60):
            while len(found := await samples_in(nats_url, UUID(made["id"]))) < 3:
                await asyncio.sleep(0.2)
    finally:
        process.kill()
        process.wait()

    assert {it.type for it in found[0].figures} >= {"cpu-total-usage", "memory-usage", "system-load-unified"}
    assert found[0].agent
    assert found[0].agent.version == "0.1.0"
