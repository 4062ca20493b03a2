"""PyPI's healthchecks-io 0.4.4, in an environment of its own, and the documents' curl lines, against the platform."""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contract.healthchecks.conftest import Project
from running import Platform

DOCUMENT = Path(os.environ.get("SEEDS") or Path(__file__).parents[4] / "shared/spec") / "healthchecks-v1-2022.txt"
SCRIPT = Path(__file__).with_name("healthchecks_io_client.py")


async def run(*command: str | Path, **env: str) -> str:
    """What a command prints; it must end well."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | env
    )
    said, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()[-3000:]
    return said.decode()


@pytest.fixture(scope="session")
async def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the client."""
    folder = tmp_path_factory.mktemp("healthchecks-io")
    python, uv = folder / "bin/python", Path(sys.executable).with_name("uv")
    await run(uv, "venv", "--python", sys.executable, "--allow-existing", folder)
    await run(uv, "pip", "install", "--python", python, "healthchecks-io==0.4.4", "httpx<0.28", "croniter<4")
    return python


@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize("what", ["manage", "trap"])
async def test_client_from_pypi_manages_checks_and_traps_jobs(
    python: Path, platform: Platform, empty: Project, what: str, how: str
):
    keys = {"KEY": empty.key, "READING": empty.reading, "PING": empty.pinging}
    said = await run(python, SCRIPT, what, how, URL=platform.url, **keys)
    assert said.splitlines()[-1] == "all well"


@pytest.mark.skipif(not DOCUMENT.exists(), reason="the vendor's document is not here")
async def test_curl_lines_of_the_document_work_as_printed(platform: Platform, empty: Project):
    text = DOCUMENT.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.startswith("curl ") and "/pings/" not in line]
    assert len(lines) == 11
    it = await empty.create(name="Example")
    seen: list[Any] = []
    for printed in sorted(lines, key=lambda line: "DELETE" in line):
        line = printed.replace("https://ping.terra-home.de", platform.url).replace("your-api-key", empty.key)
        line = re.sub(r"<uuid>|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", it["uuid"], line)
        said = await run(*shlex.split(line), "--silent", "--write-out", "\n%{http_code}")
        body, _, status = said.rpartition("\n")
        assert status in ("200", "201"), f"{line} {said}"
        seen.append((status, json.loads(body)))
    assert [status for status, _ in seen].count("201") == 2
    assert (await empty("GET", f"checks/{it['uuid']}")).status_code == 404
