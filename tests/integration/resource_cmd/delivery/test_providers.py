"""Each kind of channel against a real receiver, and what none of them may reach."""

import asyncio
import ipaddress
import json
import ssl
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

import pytest

from bench.certificates import write_certificates
from contract.target import listening
from integration.resource_cmd.delivery.messages import message
from mail_sink import mail_sink
from pinghome_common.errors import Invalid
from pinghome_common.guard import Guard
from pinghome_delivery.apprise import SCHEMES, Apprise
from pinghome_delivery.email import Email
from pinghome_delivery.mail import Mail
from pinghome_delivery.message import Allowed, DeliveryError
from pinghome_delivery.slack import Slack
from pinghome_delivery.web import Web
from pinghome_delivery.webhook import Webhook
from running import free_port
from ssrf_corpus import FORBIDDEN

# --- webhook, slack -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_delivered(transports, status):
    async with listening(status=status) as receiver:
        await Webhook(url=receiver.url).send(message(), transports)
    assert len(receiver.asked) == 1


@pytest.mark.parametrize(("status", "said"), [(301, "301"), (400, "400 Bad Request"), (500, "500"), (503, "503")])
async def test_anything_else_is_not_and_redirects_are_not_followed(transports, status, said):
    async with listening() as other, listening(status=status, location=other.url) as receiver:
        with pytest.raises(DeliveryError, match=said):
            await Webhook(url=receiver.url + "secret?token=secret").send(message(), transports)
    assert other.asked == []


async def test_no_error_says_more_of_a_url_than_its_host(transports):
    urls = [
        "http://user:secret@127.0.0.1:1/secret?secret#secret",
        "http://secret.invalid./secret",
        "http://10.0.0.1/secret",
    ]
    for url in urls:
        with pytest.raises(DeliveryError) as error:
            await Webhook(url=url).send(message(), transports)
        assert "secret" not in str(error.value).replace("secret.invalid", "")


async def test_user_and_password_of_a_url_are_sent_as_basic_authentication(transports):
    async with listening() as receiver:
        await Webhook(url=receiver.url.replace("//", "//me:pass@")).send(message(), transports)
    assert receiver.asked[0].headers["authorization"] == "Basic bWU6cGFzcw=="
    assert receiver.asked[0].headers["host"] == f"127.0.0.1:{receiver.port}"


async def test_a_receiver_that_drips_is_left_after_the_deadline(transports, monkeypatch):
    monkeypatch.setattr("pinghome_delivery.web.DEADLINE", 0.5)

    async def drip(_, writer):
        while True:
            writer.write(b"HTTP/1.1 200 OK\r\nX: ")
            await asyncio.sleep(0.1)

    async with await asyncio.start_server(drip, "127.0.0.1", free_port()) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(DeliveryError):
            await Webhook(url=url).send(message(), transports)


async def test_an_answer_without_end_is_read_only_so_far(transports):
    async def pour(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()

    async with await asyncio.start_server(pour, "127.0.0.1", free_port()) as server:
        answer = await transports.web.request("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", {})
    assert (answer.status, len(answer.body)) == (200, 4 << 20)


@pytest.mark.parametrize("host", FORBIDDEN)
async def test_forbidden_addresses_are_never_called_in_any_spelling(host):
    """Neither as a literal nor as what a name resolves to."""
    web = Web(Guard())
    literal = f"[{host}]" if ":" in host else host
    try:
        with pytest.raises(DeliveryError):
            await web.request("POST", f"http://{literal}/", {})
        named = Web(Guard(lookup=lambda _: [host]))
        with pytest.raises(DeliveryError):
            await named.request("POST", "http://innocent.example/", {})
        await named.close()
    finally:
        await web.close()


async def test_the_connection_goes_to_the_address_that_was_judged():
    asked = []

    def lookup(name):
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    web = Web(Guard([ipaddress.ip_network("127.0.0.0/8")], lookup))
    async with listening() as receiver:
        answer = await web.request("POST", f"http://rebound.example:{receiver.port}/", {})
    await web.close()
    assert (answer.status, asked) == (200, ["rebound.example"])
    assert receiver.asked[0].headers["host"] == f"rebound.example:{receiver.port}"


async def test_a_certificate_must_be_trusted_and_fit_the_host(transports, tmp_path):
    write_certificates(tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "key.pem")

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    guard = Guard([ipaddress.ip_network("127.0.0.0/8")], lambda _: ["127.0.0.1"])
    trusting = Web(guard, ssl.create_default_context(cafile=tmp_path / "ca.pem"))
    async with await asyncio.start_server(answer, "127.0.0.1", free_port(), ssl=served) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await trusting.request("POST", f"https://127.0.0.1:{port}/", {})).status == 200
        with pytest.raises(DeliveryError, match="certificate that is not trusted"):
            await trusting.request("POST", f"https://other.example:{port}/", {})
        with pytest.raises(DeliveryError, match="certificate that is not trusted"):
            await transports.web.request("POST", f"https://127.0.0.1:{port}/", {})
    await trusting.close()


async def test_slack_gets_its_text_escaped(transports):
    async with listening() as receiver:
        await Slack(url=receiver.url).send(message(), transports)
    assert json.loads(receiver.asked[0].body) == {"text": "Shop is down since today: refused &lt;b&gt;it&lt;/b&gt;."}


# --- email ----------------------------------------------------------------------------------------------------------


async def test_a_mail_arrives_with_its_id_and_one_line_of_subject(transports):
    async with mail_sink() as sink:
        mailing = replace(
            transports, mail=Mail(url=f"smtp://127.0.0.1:{sink.port}", sender="Pinghome <alerts@example.com>")
        )
        it = message(title="Shop\r\nBcc: all@example.com is down ✓")
        await Email(to=["ops@example.com", "me@example.com"]).send(it, mailing)
    (mail,) = sink.mails
    assert mail["Subject"] == "Shop Bcc: all@example.com is down ✓"
    assert mail["Bcc"] is None
    assert (mail["From"], mail["To"]) == ("Pinghome <alerts@example.com>", "ops@example.com, me@example.com")
    assert mail["Message-ID"] == f"<{it.key}@pinghome>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().strip() == it.text
    assert sink.recipients == [["ops@example.com", "me@example.com"]]


async def test_the_mail_server_may_want_a_login(transports):
    async with mail_sink("me", "p@ss") as sink:
        url = f"smtp://me:{{}}@127.0.0.1:{sink.port}"
        mailing = replace(transports, mail=Mail(url=url.format("wrong-secret"), sender="alerts@example.com"))
        with pytest.raises(DeliveryError, match="user and password") as error:
            await Email(to=["ops@example.com"]).send(message(), mailing)
        assert "secret" not in str(error.value)
        mailing = replace(transports, mail=Mail(url=url.format("p%40ss"), sender="alerts@example.com"))
        await Email(to=["ops@example.com"]).send(message(), mailing)
    assert len(sink.mails) == 1


async def test_a_mail_server_that_refuses_or_is_away_is_said_so(transports):
    async with mail_sink() as sink:
        sink.refuse = "451 try again"
        mailing = replace(transports, mail=Mail(url=f"smtp://127.0.0.1:{sink.port}", sender="alerts@example.com"))
        with pytest.raises(DeliveryError, match="answered 451"):
            await Email(to=["ops@example.com"]).send(message(), mailing)
    with pytest.raises(DeliveryError, match="cannot be reached"):
        await Email(to=["ops@example.com"]).send(message(), mailing)
    with pytest.raises(DeliveryError, match="PINGHOME_SMTP_URL"):
        await Email(to=["ops@example.com"]).send(message(), transports)
    it, nobody = Email(to=["ops@example.com"]), Allowed(organisation=uuid4())
    await it.check(transports)  # it is saved all the same
    assert it.ready(transports, nobody) is None
    assert "PINGHOME_SMTP_URL and PINGHOME_MAIL_FROM" in it.problem(transports, nobody)


def test_mail_goes_to_confirmed_addresses_and_those_of_the_operators_domains(transports):
    mailing = replace(
        transports, mail=Mail(url="smtp://127.0.0.1:1", sender="a@b.c"), confirmed_domains=frozenset({"ours.test"})
    )
    allowed = Allowed(organisation=uuid4(), confirmed=frozenset({"me@x.test"}))
    it = Email(to=["Me@X.test", "you@x.test", "all@OURS.test", "all@not.ours.test"])
    assert it.ready(mailing, allowed).to == ["Me@X.test", "all@OURS.test"]
    assert it.problem(mailing, allowed).startswith("not confirmed yet: you@x.test, all@not.ours.test; ")
    assert Email(to=["you@x.test"]).ready(mailing, allowed) is None
    assert Email(to=["me@x.test"]).problem(mailing, allowed) == ""
    assert " and 45 more; " in Email(to=[f"{n}@x.test" for n in range(50)]).problem(mailing, allowed)


# --- apprise --------------------------------------------------------------------------------------------------------

FINE = [
    "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "tgram://123456789:AAFhVQpZzOPYxXqMxXqMxXqMxXqMxXqMxXq/12315544/",
    "pover://u1234567890123456789012345678@a1234567890123456789012345678", "pagerduty://A1BRTD4JD@TIiajkdnlazkcOXrIdevi7F/",
]  # fmt: skip
REFUSED = [
    "json://127.0.0.1/", "jsons://hooks.example.com/", "xml://x/", "form://x/", "mailto://u:p@gmail.com", "ntfy://x/t",
    "gotify://x/t", "syslog://", "dbus://", "gnome://", "macosx://", "windows://", "exec://id", "file:///etc/passwd",
    "apprise://x/t", "matrix://x/", "mmost://x/t", "rocket://x/", "kodi://x/", "mqtt://x/t", "irc://x/", "smpp://x/",
    "http://169.254.169.254/", "https://discord.com/api/webhooks/1/x", "", "x", "://", "discord", "discord://",
    FINE[0] + "?template=/etc/passwd", FINE[0] + "?redirect=yes", FINE[0] + "?verify=no", FINE[0] + "?retry=9",
    FINE[0] + "?%2Btemplate=x", FINE[0] + "?Template=x", FINE[0] + "x" * 2048, FINE[0] + "\n",
]  # fmt: skip


@pytest.mark.parametrize("url", FINE)
async def test_services_with_a_fixed_host_are_taken_and_shown_without_their_tokens(transports, url):
    it = Apprise(url=url)
    await it.check(transports)
    assert it.shown("***") == {"url": url.partition("://")[0] + "://***"}


@pytest.mark.parametrize("url", REFUSED)
async def test_everything_else_is_refused(transports, url):
    with pytest.raises(Invalid, match=r"config\.url"):
        await Apprise(url=url).check(transports)


def test_every_allowed_scheme_is_one_that_apprise_knows_with_a_constant_https_host():
    from apprise.manager_plugins import NotificationManager

    known = NotificationManager()
    for scheme in SCHEMES:
        plugin = known[scheme]
        places = [value for name, value in vars(plugin).items() if name.endswith(("_url", "url")) and value]
        fixed = [place for place in places if isinstance(place, str) and place.startswith("https://")]
        assert fixed, scheme
        assert not any("{host" in place for place in fixed), scheme


async def test_a_service_that_cannot_be_reached_is_said_so_without_its_token(transports):
    with pytest.raises(DeliveryError) as error:
        await Apprise(url=FINE[0]).send(message(), transports)
    assert str(error.value).startswith("Discord did not")
    assert "JHMHI8" not in str(error.value)
