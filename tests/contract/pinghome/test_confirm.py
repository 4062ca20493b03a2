"""The link that a new mail address is sent, through the platform's one port."""

import re
from uuid import uuid4

import httpx

from contract.client import Client
from contract.target import eventually
from mail_sink import MailSink


async def link(mails: MailSink, address: str) -> str:
    """The path of the link that was mailed to an address."""

    async def found() -> list[str]:
        texts = [each.get_content() for each in mails.mails if each["To"] == address]
        return [path for text in texts for path in re.findall(r"http://localhost:\d+(/confirm/\S+)", text)]

    return (await eventually(found, bool))[0]


async def test_address_is_told_nothing_before_its_link_was_followed(
    client: Client, http: httpx.AsyncClient, mails: MailSink
):
    address = f"{uuid4()}@new.test"
    it = await client.channel(kind="email", config={"to": [address]})
    url = f"resource-query/v1/channel/{it['id']}"
    assert address in it["problem"]
    assert await client.get(url) == it
    tested = (await client("POST", f"resource-cmd/v1/channel/{it['id']}/test")).json()
    assert (tested["delivered"], tested["error"]) == (False, it["problem"])

    path = await link(mails, address)
    for _ in range(2):  # a program that looks at links confirms nothing
        page = await http.get(path)
        assert (page.status_code, address in page.text, '<form method="post">' in page.text) == (200, True, True)
        assert page.headers["content-security-policy"].startswith("default-src 'none'; form-action 'self'")
        assert "script" not in page.text
    assert (await client.get(url))["problem"] == it["problem"]

    for _ in range(2):
        assert (await http.post(path)).status_code == 200
    assert (await eventually(lambda: client.get(url), lambda seen: not seen["problem"]))["id"] == it["id"]
    assert (await client("POST", f"resource-cmd/v1/channel/{it['id']}/test")).json()["delivered"]
    subjects = [each["Subject"] for each in mails.mails if each["To"] == address]
    assert subjects == ["Please confirm this address for alerts of Pinghome", "A test of Pinghome"]
    again = await client.channel(kind="email", config={"to": [address.upper()]})
    assert again["problem"] == ""


async def test_another_organisation_has_to_have_it_confirmed_for_itself(
    client: Client, foreign: Client, http: httpx.AsyncClient, mails: MailSink
):
    address = f"{uuid4()}@new.test"
    await client.channel(kind="email", config={"to": [address]})
    await http.post(await link(mails, address))
    assert (await foreign.channel(kind="email", config={"to": [address]}))["problem"]


async def test_link_that_nobody_sent_is_404(http: httpx.AsyncClient):
    for token in ("x", "A" * 100, "%00", "<script>", "A" * 3000):
        for method in ("GET", "POST"):
            answer = await http.request(method, f"/confirm/{token}")
            assert answer.status_code == 404, token
            assert "<script>" not in answer.text
    assert (await http.get("/confirm/")).status_code == 404
    assert (await http.put("/confirm/x")).status_code == 405
