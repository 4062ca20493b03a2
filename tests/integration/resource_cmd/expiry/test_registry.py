"""Real RDAP and WHOIS servers on this machine: what is understood, what is refused, and that everything ends."""

import asyncio
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from pinghome_common.guard import Guard
from registries import registry
from resource_cmd.expiry import registry as registry_module
from resource_cmd.expiry.registry import Registries, Silent

NOW = datetime(2026, 11, 21, tzinfo=UTC)
HERE = Guard([ip_network("127.0.0.1/32")], lookup=lambda _: ["127.0.0.1"])


async def asked(at, tmp_path: Path, name: str, *suffixes: str, guard: Guard = HERE):
    registries = Registries(guard, at.bootstrap(tmp_path, *suffixes), at.whois_port)
    try:
        await registries.refresh()
        return await registries.ask(name, NOW)
    finally:
        await registries.aclose()


async def test_rdap_tells_registrar_and_dates(tmp_path):
    async with registry() as at:
        found = await asked(at, tmp_path, "example.com", "com")

    assert (found.name, found.registrar, found.checked_at) == ("example.com", "GoDaddy.com, LLC", NOW)
    assert found.created_at == datetime(2021, 3, 9, 12, 10, 5, tzinfo=UTC)
    assert found.expires_at == datetime(2030, 3, 9, 12, 10, 5, tzinfo=UTC)
    assert [name for name, _ in at.asked] == ["example.com"]
    assert at.questions == []


async def test_whois_is_asked_where_there_is_no_rdap(tmp_path):
    async with registry() as at:
        found = await asked(at, tmp_path, "example.coop", "com")

    assert (at.asked, at.questions) == ([], ["example.coop"])
    assert (found.registrar, found.expires_at) == ("A Registrar, Inc.", datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC))


async def test_whois_is_asked_where_rdap_keeps_the_expiry_to_itself(tmp_path):
    async with registry(expires={"example.com": None}) as at:
        found = await asked(at, tmp_path, "example.com", "com")
        at.whois = "No match for domain"
        alone = await asked(at, tmp_path, "example.com", "com")

    assert found.expires_at == datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (alone.expires_at, alone.registrar) == (None, "GoDaddy.com, LLC")  # unknown is a state


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", b"220 mail\r\n", b"\0" * 999])
async def test_whois_is_asked_where_rdap_talks_nonsense(tmp_path, raw):
    async with registry(raw=raw or b"\r\n") as at:
        found = await asked(at, tmp_path, "example.com", "com")

    assert found.registrar == "A Registrar, Inc."


@pytest.mark.parametrize("whois", ["", "Domain not found.", "%\n" * 9, "\0\0\0", "Domain Name: x\n" * 100_000])
async def test_silence_of_both_is_said_so(tmp_path, whois):
    async with registry(status=404, whois=whois) as at:
        if len(whois) > 1000:
            assert (await asked(at, tmp_path, "example.com", "com")).expires_at is None
        else:
            with pytest.raises(Silent):
                await asked(at, tmp_path, "example.com", "com")


async def test_registry_that_has_had_enough_is_not_asked_by_whois_instead(tmp_path):
    async with registry(status=429) as at:
        with pytest.raises(Silent) as silence:
            await asked(at, tmp_path, "example.com", "com")

    assert silence.value.limited
    assert at.questions == []


async def test_registry_that_hangs_is_left_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(registry_module, "WAIT", 0.3)
    async with registry(pause=30, whois="") as at, asyncio.timeout(10):
        with pytest.raises(Silent):
            await asked(at, tmp_path, "example.com", "com")


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b" " * 2_000_000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nxxxxx",
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/rdap/domain/example.com\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /rdap/domain/example.com\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["too large", "packed", "to metadata", "for ever", "to a file"],
)
async def test_hostile_answers_are_refused(tmp_path, raw):
    async with registry(raw=raw, whois="") as at:
        with pytest.raises(Silent):
            await asked(at, tmp_path, "example.com", "com")


async def test_private_registry_is_refused_unless_the_operator_allows_it(tmp_path):
    async with registry() as at:
        with pytest.raises(Silent):
            await asked(at, tmp_path, "example.com", "com", guard=Guard(lookup=lambda _: ["127.0.0.1"]))

    assert (at.asked, at.questions) == ([], [])


async def test_list_of_servers_may_be_a_url_and_the_packages_own_serves_without_it():
    async with registry() as at:
        body = at.list("com").encode()
        at.raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        registries = Registries(HERE, f"http://127.0.0.1:{at.rdap_port}/dns.json")
        assert registries.host("example.com") == "rdap.verisign.com"
        await registries.refresh()
        assert registries.host("example.com") == "127.0.0.1"
        assert registries.host("example.coop") == "whois coop"
        for nonsense in (b"x", b"[]", b'{"services": [1]}', b'{"services": [[["a"]]]}'):
            at.raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(nonsense) + nonsense
            with pytest.raises(Silent):
                await registries.refresh()
        assert registries.host("example.com") == "127.0.0.1"
        await registries.aclose()


async def test_missing_list_is_said_so():
    registries = Registries(HERE, "/nowhere/dns.json")
    with pytest.raises(Silent, match="list of RDAP servers"):
        await registries.refresh()
    assert registries.host("example.org") == "rdap.publicinterestregistry.org"
    await registries.aclose()
