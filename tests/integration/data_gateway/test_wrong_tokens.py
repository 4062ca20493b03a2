"""Wrong tokens from one address, on a platform that allows five in a minute, all services together."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from running import TOKEN, Platform, up

CHECKS = "c" * 32


@pytest.fixture(scope="module")
async def platform(folder: Path) -> AsyncIterator[Platform]:
    settings = {"wrong_tokens_per_minute": "5", "bootstrap_token": TOKEN, "bootstrap_checks_key": CHECKS}
    async with up(folder / "wrong-tokens", **settings) as running:
        yield running
        await running.stop()


async def test_wrong_tokens_become_429_and_right_ones_stay_right(platform: Platform):
    async with httpx.AsyncClient(base_url=platform.url, timeout=30, trust_env=False) as http:

        async def bearer(token: str, service: str = "resource-query") -> httpx.Response:
            return await http.get(f"/{service}/v1/services", headers={"Authorization": token} if token else {})

        async def checks(key: str) -> httpx.Response:
            return await http.get("/api/v1/checks/", headers={"X-Api-Key": key} if key else {})

        async def code(text: str) -> httpx.Response:
            return await http.post("/resource-cmd/v1/session", json={"code": text} if text else {})

        for _ in range(10):  # a missing token is no try
            assert (await bearer("")).status_code == 401
            assert (await bearer("Bearer")).status_code == 401
            assert (await checks("")).status_code == 401
            assert (await checks("short")).status_code == 401
            assert (await code("")).status_code == 401
        found = []
        while 429 not in found[-2:]:  # a minute may begin on the way
            wrong = code("wrong") if len(found) % 2 else bearer(f"Bearer wrong-{len(found)}")
            found.append((await wrong).status_code)
        assert 5 <= len(found) <= 12
        assert set(found[:-1]) == {401}

        refused = await bearer("Bearer wrong")
        assert refused.status_code == 429
        assert refused.json()["message"].startswith("Too many wrong tokens")
        assert 1 <= int(refused.headers["retry-after"]) <= 61
        refused = await code("wrong")
        assert refused.status_code == 429
        assert refused.json()["message"].startswith("Too many wrong tokens")
        refused = await checks("w" * 32)
        assert refused.status_code == 429
        assert "Too many" in refused.json()["error"]
        assert 1 <= int(refused.headers["retry-after"]) <= 61
        assert refused.headers["access-control-allow-origin"] == "*"
        assert (
            await http.delete("/resource-cmd/v1/heartbeat/x", headers={"Authorization": "Bearer x"})
        ).status_code == 429

        assert (await bearer(f"Bearer {TOKEN}")).status_code == 200
        assert (await checks(CHECKS)).status_code == 200
        assert (await bearer("")).status_code == 401
        assert (await http.get("/metrics")).status_code == 404
