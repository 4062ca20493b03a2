"""Subscribing at a platform with its own defaults: which page is meant, how often one may ask, and what is shown."""

from pathlib import Path
from typing import Any

import httpx

from contract.answers import refused
from contract.client import Client
from contract.target import eventually
from running import TOKEN, up

BODY = {"channel_type": "email", "channel_value": "info@pinghome.dev"}
URL = "statuspage-cmd/v1/subscriptions"


async def pages(owner: Client) -> list[Any]:
    """The organisation's."""
    return (await owner.get("statuspage-query/v1/statuspages"))["data"]


async def test_page_is_the_only_one_or_has_to_be_named_and_twenty_requests_an_hour_are_enough(folder: Path):
    settings = {"bootstrap_token": TOKEN, "subscription_require_page": "true"}
    async with up(folder / "subscribing", **settings) as platform:
        async with httpx.AsyncClient(base_url=platform.url, timeout=30, trust_env=False) as http:
            owner, anybody = Client(http, TOKEN), Client(http, None)
            (first,) = await eventually(lambda: pages(owner), bool)  # made after the start
            assert (await owner("DELETE", f"statuspage-cmd/v1/statuspage/{first['id']}")).status_code == 200
            refused(await anybody("POST", URL, json=BODY), 422, "statuspage_id")
            page = await owner.page(subscription_enabled=True)
            answer = await anybody("POST", URL, json=BODY)
            assert answer.status_code == 201, answer.text
            assert "token" not in answer.json()["subscription"]
            subscriptions = f"statuspage-query/v1/statuspage/{page['id']}/subscriptions"
            assert (await owner.get(subscriptions))["total"] == 1
            ledger = f"statistic-query/v1/statuspage/{page['id']}/notifications"
            (waiting,) = (await owner.get(ledger))["data"]  # there is no mail server
            assert waiting["state"] in {"waiting", "held"}

            other = await owner.page(subscription_enabled=True)
            assert "several" in refused(await anybody("POST", URL, json=BODY), 422, "statuspage_id")
            hidden = f"statuspage-cmd/v1/statuspage/{other['id']}/status"
            await owner("PUT", hidden, json={"enabled": False})
            assert (await anybody("POST", URL, json=BODY)).status_code == 201
            assert (await owner.get(subscriptions))["total"] == 1

            left = 20 - 4
            for _ in range(left):
                assert (await anybody("POST", URL, json=BODY)).status_code == 201
            answer = await anybody("POST", URL, json=BODY)
            refused(answer, 429)
            assert 0 < int(answer.headers["retry-after"]) <= 3601
            assert (await http.post(f"/status/{page['subdomain']}/subscribe", data={"email": "x"})).status_code == 429
        await platform.stop()
