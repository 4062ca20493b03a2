"""What a service of 10,000 checks costs beside one of 100, on two platforms as `make up` starts them, in turns."""

from contextlib import AsyncExitStack

import httpx
from figures import at_most
from load import ask
from platforms import KEY, TOKEN, Up, up
from processes import cpu_seconds

SIZES = (100, 10_000)
EACH = 1.5
"""What one in a service of 10,000 may cost, of one in a service of 100."""

CHECK = {"X-Api-Key": KEY, "Content-Type": "application/json"}
NATIVE = {"Authorization": f"Bearer {TOKEN}"}


def asked(service: str, it: str) -> dict[str, dict[str, object]]:
    """What is asked about one check, `it`, or makes one."""
    body = '"tags": "t{n}", "timeout": 3600, "grace": 600'
    return {
        "create": {
            "method": "POST", "path": "/api/v1/checks/", "headers": CHECK, "body": f'{{"name": "new {{n}}", {body}}}',
        },
        "unique by name": {
            "method": "POST", "path": "/api/v1/checks/", "headers": CHECK,
            "body": '{"name": "bench 7", "timeout": 3600, "unique": ["name"]}',
        },
        "unique by timeout": {
            "method": "POST", "path": "/api/v1/checks/", "headers": CHECK,
            "body": '{"timeout": 3600, "desc": "{n}", "unique": ["timeout"]}',
        },
        "update": {"method": "POST", "path": f"/api/v1/checks/{it}", "body": '{"desc": "{n}"}', "headers": CHECK},
        "ping": {"method": "GET", "path": f"/data-gateway/v1/heartbeat/{it}", "headers": {}},
        "one": {"method": "GET", "path": f"/api/v1/checks/{it}", "headers": CHECK},
        "by slug": {"method": "GET", "path": "/api/v1/checks/?slug=bench-7", "headers": CHECK},
        "by tag": {"method": "GET", "path": "/api/v1/checks/?tag=tag-7", "headers": CHECK},
        "page of 50": {
            "method": "GET", "path": f"/resource-query/v1/service/{service}/heartbeats", "headers": NATIVE,
        },
        "search": {"method": "GET", "path": "/resource-query/v1/heartbeats?q=bench%2077", "headers": NATIVE},
    }  # fmt: skip


FIGURES = {f"{name}: CPU of 10,000 / of 100": at_most(EACH) for name in asked("", "")}


def whole(service: str) -> dict[str, dict[str, object]]:
    """What answers all that there is, by its document."""
    return {
        "list": {"method": "GET", "path": "/api/v1/checks/", "headers": CHECK},
        "badges": {"method": "GET", "path": "/api/v1/badges/", "headers": CHECK},
        "metrics.prom": {
            "method": "GET", "path": f"/resource-query/v1/service/{service}/metrics.prom", "headers": NATIVE,
        },
    }  # fmt: skip


async def measure(rounds):
    async with AsyncExitStack() as stack:
        platforms = [await stack.enter_async_context(up(checks_limit="20000")) for _ in SIZES]
        filled = [await fill(platform, size) for platform, size in zip(platforms, SIZES, strict=True)]
        for number in range(rounds + 1):
            values = {}
            for name in asked("", ""):
                small, large = [await cost(platform, what[name]) for platform, what, _ in filled]
                values |= {f"{name}: CPU of 10,000 / of 100": large / small, f"{name}: us of 10,000": large}
            platform, _, all_of_it = filled[1]
            for name, what in all_of_it.items():
                values[f"{name}: us a check"] = await cost(platform, what, most=8, in_flight=1) / SIZES[1]
            if number:  # the first one warms
                yield values


async def fill(platform: Up, size: int):
    """Makes the checks; the platform, what is asked of one and of all."""
    body = '{"name": "filler {n}", "tags": "prod", "timeout": 3600, "grace": 600}'
    await ask(platform.port, "POST", "/api/v1/checks/", body, CHECK, seconds=300, most=size)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{platform.port}", trust_env=False, timeout=60) as client:
        named = {"name": "bench 7", "tags": "tag-7", "timeout": 7200}
        (await client.post("/api/v1/checks/", json=named, headers=CHECK)).raise_for_status()
        for number in range(20):  # what a page of a search has, whatever the size
            (await client.post("/api/v1/checks/", json={"name": f"bench 77{number}"}, headers=CHECK)).raise_for_status()
        service = (await client.get("/resource-query/v1/services", headers=NATIVE)).json()["data"][0]["id"]
        it = (await client.get("/api/v1/checks/?slug=bench-7", headers=CHECK)).json()["checks"][0]
    for name in ("resource_cmd", "resource_query"):
        async with platform.database(name) as database:
            await database.execute("ANALYZE")  # as PostgreSQL does within a minute, by itself
    return platform, asked(service, it["uuid"]), whole(service)


async def cost(platform: Up, what, most=300, in_flight=4):
    """Microseconds of CPU of all processes for one."""
    before = cpu_seconds(platform.pid)
    _, answers = await ask(platform.port, **what, seconds=30, most=most, in_flight=in_flight)
    return (cpu_seconds(platform.pid) - before) / len(answers) * 1e6
