"""The page of the OpenAPI document."""

import asyncio
import re

import httpx
import pytest

from data_gateway.app import create_app
from pinghome.edge import Edge
from pinghome_common.settings import Settings


@pytest.fixture
def client() -> httpx.AsyncClient:
    edge = Edge({"data-gateway": create_app(Settings())})
    return httpx.AsyncClient(transport=httpx.ASGITransport(edge), base_url="http://evil.example/")


async def test_page_names_its_own_relative_addresses_whatever_the_host(client: httpx.AsyncClient):
    for where in ("http://evil.example/data-gateway/docs", "http://data-gateway.evil.example/docs"):
        page = await client.get(where)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "evil" not in page.text
        assert "<title>Pinghome data-gateway</title>" in page.text
        assert not re.search(r"<script>|<style|\son\w+=|https?:", page.text)
        named = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
        assert len(named) == 4
        for address in named:
            file = await client.get(page.url.join(address))
            assert file.status_code == 200, address
            assert file.headers["x-content-type-options"] == "nosniff"
        start = await client.get(page.url.join("swagger/start.js"))
        assert (await client.get(page.url.join(re.search(r'url: "([^"]+)"', start.text)[1]))).json()["paths"]


async def test_policy_lets_nothing_in_from_elsewhere(client: httpx.AsyncClient):
    policy = (await client.get("/data-gateway/docs")).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"


async def test_files_are_read_piece_by_piece():
    sizes = []

    async def send(message) -> None:
        sizes.append(len(message.get("body", b"")))

    async def receive():
        await asyncio.Event().wait()  # the client stays

    scope = {
        "type": "http", "method": "GET", "path": "/swagger/swagger-ui-bundle.js", "query_string": b"", "headers": [],
        "client": None, "scheme": "http", "server": ("x", 80), "root_path": "", "state": {},
    }  # fmt: skip
    await create_app(Settings())(scope, receive, send)
    assert sum(sizes) > 1 << 20
    assert max(sizes) <= 1 << 16
