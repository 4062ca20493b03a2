"""Wrong tokens from one address, on a platform that allows five in a minute, all services together."""

import re
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
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


async def test_wrong_tokens_at_the_console_are_its_viewers_and_nobody_can_say_so_of_another(platform: Platform):
    def of(address: str) -> httpx.AsyncClient:
        there = httpx.AsyncHTTPTransport(local_address=address)
        return httpx.AsyncClient(transport=there, base_url=platform.url, timeout=30)

    async def wrong(http: httpx.AsyncClient, said: str = "127.0.0.9") -> int:
        headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": said}
        return (await http.get("/resource-query/v1/services", headers=headers)).status_code

    async def signing_in(http: httpx.AsyncClient) -> int:
        form = re.search(r'form_token" value="([^"]+)', (await http.get("/console/sign-in")).text)
        data = {"form_token": form and form[1], "token": "wrong"}
        return (await http.post("/console/sign-in", data=data)).status_code

    async def until_too_many(one: Callable[[], Awaitable[int]]) -> int:
        for number in range(1, 13):
            if await one() == 429:
                return number
        pytest.fail("twelve were not too many")

    async with of("127.0.0.2") as viewer, of("127.0.0.3") as forger, of("127.0.0.4") as other:
        for _ in range(3):  # a minute may begin on the way
            assert await until_too_many(lambda: signing_in(viewer)) > 1
            if await until_too_many(lambda: wrong(viewer)) == 1:  # the services have counted them, too
                break
        else:
            pytest.fail("the services do not know for whom the console asks")
        assert await wrong(forger, "127.0.0.2") == 401
        said = (f"192.0.2.{number}" for number in range(12))
        await until_too_many(lambda: wrong(forger, next(said)))
        assert await wrong(other) == 401
    there = (platform.data / "console.sock").stat()
    assert stat.S_IMODE(there.st_mode) == 0o700
