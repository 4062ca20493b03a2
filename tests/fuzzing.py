"""Every operation of the OpenAPI documents with generated requests: what it answers is what its document says."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from pinghome.services import SERVICES
from running import Platform

Made = Callable[..., Awaitable[str]]

SCHEMATHESIS = Path(__file__).parents[1] / ".venv/bin/schemathesis"
FUZZED = [service for service in SERVICES if service != "prober"]
PHASES = "examples,coverage,fuzzing"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
SEED = 20261126
THERE = 12
"""Things of each noun that are there to be asked for; deletions take some of them."""

PATHS = {
    r"^/v1/resource": "resource",
    r"^/v1/heartbeat": "heartbeat",
    r"^/v1/service/": "service",
    r"^/v1/channel": "channel",
    r"^/v1/statuspage/\{id\}$": "page",
    r"^/v1/statuspage/\{id\}/": "statuspage",
    r"^/api/v1/checks/\{": "check",
}
"""What the `id` of a path is, or of a query."""

PROJECT = {
    r"^/rest/v1/components/": "component",
    r"^/rest/v1/component-groups/": "group",
    r"^/rest/v1/incidents/": "project-incident",
    r"^/rest/v1/maintenance/": "project-maintenance",
    r"^/rest/": "component",
}
"""The same of PingPong's dialect."""

PARTS = ("integration", "incident", "update", "maintenance", "template")
"""Other parts of paths."""


@dataclass
class Fuzzer:
    """Asks as an organisation of its own, half of the time for what it has."""

    platform: Platform
    keys: dict[str, Any]
    publishing: str
    """The token of an organisation with status pages and no channels: each of them would be told what it publishes."""
    config: Path

    @classmethod
    async def of(cls, platform: Platform) -> Self:
        """With an organisation and its things."""
        keys = await platform.command("organisation", "create", "Fuzz")
        config = platform.data / "schemathesis.toml"
        things = await _things(platform, keys)
        publishing = (await platform.command("organisation", "create", "Fuzz pages"))["token"]
        things |= await _pages(platform, publishing)
        made = await platform.command("keys", "create", "Fuzz pages", "--kind", "status", "--page", "fuzz")
        things |= await _project(platform, made["key"])
        config.write_text(_toml(things, made["key"]))
        return cls(platform, keys, publishing, config)

    async def found(self, service: str, examples: int) -> str:
        """What is wrong with a service's answers, as schemathesis prints it; empty when nothing is."""
        token = self.publishing if service.startswith("statuspage") else self.keys["token"]
        words = [
            "--config-file", self.config,
            "run", f"{self.platform.url}/{service}/openapi.json", "--origin", self.platform.url,
            "-H", f"Authorization: Bearer {token}", "-H", f"X-Api-Key: {self.keys['checks_key']}",
            "--checks", ",".join(CHECKS), "--phases", PHASES, "-n", str(examples), "--seed", str(SEED),
            "--suppress-health-check", "all", "--request-timeout", "60", "--continue-on-failure", "--warnings", "off",
            "--generation-database", "none", "--exclude-path", "/v1/changes",  # endless
        ]  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            SCHEMATHESIS, *words, cwd=self.platform.data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={"NO_COLOR": "1", "NO_PROXY": "*"},  # before each request it looks through all variables for proxies
        )  # fmt: skip
        said, _ = await process.communicate()
        return said.decode() if process.returncode else ""


async def _things(platform: Platform, keys: dict[str, Any]) -> dict[str, list[str]]:
    """Ids by noun."""
    found: dict[str, list[str]] = {"integration": []}
    service, address = keys["service_id"], "http://127.0.0.1:1/"
    bodies: dict[str, dict[str, Any]] = {
        "resource": {"type": "http", "url": address, "service_id": service, "regions": ["eu-central-1"],
                     "interval": 86400},
        "heartbeat": {"service_id": service, "interval": 60},
        "service": {},
        "channel": {"kind": "webhook", "service_id": service, "config": {"url": address}},
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {keys['token']}", "X-Api-Key": keys["checks_key"]}
    async with _making(platform, headers) as made:
        for noun, body in bodies.items():
            found[noun] = [await made(f"/resource-cmd/v1/{noun}", body | {"name": f"{noun} {n}"}) for n in range(THERE)]
        found["check"] = [await made("/api/v1/checks/", {"name": f"check {n}"}, "uuid") for n in range(THERE)]
        sent = {"name": "x", "type": "webhook", "integration": address}
        for id_ in found["resource"]:
            found["integration"].append(await made(f"/resource-cmd/v1/resource/{id_}/integration", sent))
    slugs = [f"{keys['ping_key']}/check-{n}" for n in range(THERE)]
    pinged = [*found["check"], *slugs]
    found["ping"] = [f"{each}{suffix}" for each in pinged for suffix in ("", "/start", "/fail", "/7")]
    return found


@asynccontextmanager
async def _making(platform: Platform, headers: dict[str, str]) -> AsyncIterator[Made]:
    """Makes things: the id of what a body makes at a path."""
    async with httpx.AsyncClient(base_url=platform.url, headers=headers, timeout=30, trust_env=False) as http:

        async def made(path: str, body: dict[str, Any], name: str = "id") -> str:
            answer = await http.post(path, json=body)
            assert answer.status_code == 201, answer.text
            return str(answer.json()[name])

        yield made


async def _pages(platform: Platform, token: str) -> dict[str, list[str]]:
    """Status pages that may be deleted, and one with what it tells of."""
    found: dict[str, list[str]] = {}
    async with _making(platform, {"Authorization": f"Bearer {token}"}) as made:

        async def page(subdomain: str) -> str:
            body = {"name": "x", "description": "", "type": "public", "subdomain": subdomain}
            return await made("/statuspage-cmd/v1/statuspage", body)

        found["page"] = [await page(f"fuzz-{n}") for n in range(THERE)]
        found["statuspage"] = [await page("fuzz")]
        url = f"/statuspage-cmd/v1/statuspage/{found['statuspage'][0]}"
        later = {"scheduled_for": "2100-01-01T00:00:00Z", "duration": 5}
        bodies: dict[str, dict[str, Any]] = {"incident": {}, "maintenance": later, "template": {"name": "x"}}
        for noun, body in bodies.items():
            found[noun] = [await made(f"{url}/{noun}", body | {"title": str(n)}) for n in range(THERE)]
        incident = found["incident"][0]
        updates = f"{url}/incident/{incident}/update"
        found["update"] = [await made(updates, {"status": "identified"}) for _ in range(THERE)]
    return found


async def _project(platform: Platform, token: str) -> dict[str, list[str]]:
    """Ids of what the status page has, in PingPong's dialect."""
    found: dict[str, list[str]] = {}
    nouns: dict[str, tuple[str, dict[str, Any]]] = {
        "component": ("components", {"name": "x"}),
        "group": ("component-groups", {"name": "x"}),
        "project-incident": ("incidents", {"title": "x"}),
        "project-maintenance": (
            "maintenance",
            {"title": "x", "scheduled_for": "2100-01-01T00:00:00Z", "ends_at": "2100-01-01T01:00:00Z"},
        ),
    }
    async with _making(platform, {"Authorization": f"Token {token}"}) as made:
        for noun, (path, body) in nouns.items():
            found[noun] = [await made(f"/rest/v1/{path}", body) for _ in range(THERE)]
        updates = f"/rest/v1/incidents/{found['project-incident'][0]}/updates"
        found["project-update"] = [await made(updates, {"status": "Identified"}) for _ in range(THERE)]
    return found


def _toml(things: dict[str, list[str]], token: str) -> str:
    lines = [f"[dictionaries.{noun}]\nvalues = {json.dumps(ids)}" for noun, ids in things.items()]
    for path, noun in PATHS.items():
        ours = {"path.id": noun, "query.id": noun} | {f"path.{each}": each for each in PARTS}
        lines.append(f"[[operations]]\ninclude-path-regex = '{path}'")
        lines += [f'parameters."{name}" = {{ dictionary = "{of}", probability = 0.5 }}' for name, of in ours.items()]
    for path, noun in PROJECT.items():
        ours = {"path.id": noun, "path.incident_id": "project-incident", "path.update_id": "project-update"}
        lines.append(f"[[operations]]\ninclude-path-regex = '{path}'")
        lines.append(f'headers = {{ Authorization = "Token {token}" }}')
        lines += [f'parameters."{name}" = {{ dictionary = "{of}", probability = 0.5 }}' for name, of in ours.items()]
    lines += ["[[operations]]\ninclude-path-regex = '^/ping/'"]
    lines += ['parameters."path.rest" = { dictionary = "ping", probability = 0.5 }']
    return "\n".join(lines) + "\n"
