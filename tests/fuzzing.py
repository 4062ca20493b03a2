"""Every operation of the OpenAPI documents with generated requests: what it answers is what its document says."""

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Any

from pinghome.services import SERVICES
from running import Platform

SCHEMATHESIS = Path(__file__).parents[1] / ".venv/bin/schemathesis"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
SEED = 20261126


async def fuzz(platform: Platform, service: str, keys: dict[str, Any], examples: int, phases: str) -> str:
    """What schemathesis has found at one service; empty when nothing. `keys` are those of an organisation."""
    words = [
        "run", f"{platform.url}/{service}/openapi.json", "--origin", platform.url,
        "-H", f"Authorization: Bearer {keys['token']}", "-H", f"X-Api-Key: {keys['checks_key']}",
        "--checks", ",".join(CHECKS), "--phases", phases, "-n", str(examples), "--seed", str(SEED),
        "--suppress-health-check", "all", "--request-timeout", "60", "--continue-on-failure", "--warnings", "off",
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        SCHEMATHESIS, *words, cwd=platform.data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "NO_COLOR": "1", "NO_PROXY": "*"},
    )  # fmt: skip
    said, _ = await process.communicate()
    return said.decode() if process.returncode else ""


FUZZED = [service for service in SERVICES if service != "prober"]
