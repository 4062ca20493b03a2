"""A page before the public sees it: contract K, our extension."""

import re
from typing import Any
from uuid import uuid4

import pytest

from contract.answers import refused
from contract.client import Client

PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")


async def preview(client: Client, page: dict[str, Any]) -> Any:
    return await client("GET", f"statuspage-query/v1/statuspage/{page['id']}/preview")


@pytest.mark.parametrize("settings", [{}, {"type": "private", "password": "open sesame"}])
async def test_disabled_page_is_shown_as_it_is_saved_and_all_in_one(client: Client, settings: dict[str, Any]):
    page = await client.page(name="Shop & Söhne", accent_color="#aa3366", **settings)
    url = f"statuspage-cmd/v1/statuspage/{page['id']}"
    assert (await client("PUT", f"{url}/status", json={"enabled": False})).is_success
    await client.tells(page["id"], "incident", title="<script>alert(1)</script>")
    assert (await client.http.get(f"/status/{page['subdomain']}")).status_code == 404

    shown = await preview(client, page)

    assert shown.status_code == 200
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.headers["content-security-policy"].startswith("sandbox;")
    assert shown.headers["cache-control"] == "no-store"
    assert "Shop &amp; Söhne" in shown.text
    assert "&lt;script&gt;alert(1)" in shown.text
    assert "<script" not in shown.text
    assert 'rel="stylesheet"' not in shown.text
    assert "--accent:#aa3366" in shown.text
    assert "/icon.svg" not in shown.text
    assert (await client.http.get(f"/status/{page['subdomain']}")).status_code == 404


async def test_change_shows_at_once_and_pictures_are_inside(client: Client):
    page = await client.page(name="Old shop")
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
        "a5f645400000000049454e44ae426082"
    )
    url = f"statuspage-cmd/v1/statuspage/{page['id']}"
    assert (await client("PUT", f"{url}/logo", content=png, headers={"Content-Type": "image/png"})).is_success
    assert (await client("PUT", url, json={"name": "New shop"})).is_success
    shown = (await preview(client, page)).text
    assert "New shop" in shown
    assert "Old shop" not in shown
    assert PICTURE.search(shown)
    assert "/images/" not in shown


async def test_only_for_the_organisation(client: Client, foreign: Client, reader: Client):
    page = await client.page()
    assert (await preview(reader, page)).status_code == 200
    unknown = refused(await preview(foreign, {"id": str(uuid4())}), 404)
    assert refused(await preview(foreign, page), 404) == unknown
    refused(await preview(client, {"id": "x"}), 400, "id")
    refused(await preview(Client(client.http, None), page), 401)
