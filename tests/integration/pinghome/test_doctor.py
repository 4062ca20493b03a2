"""`pinghome doctor` names what is wrong, one fault at a time, and says so when nothing is."""

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import nats
import pytest
from nats.aio.client import Client as Nats

from authorities import Authority, pem
from contract.target import eventually, listening
from mail_sink import mail_sink
from pinghome.doctor.command import _look as look
from pinghome.doctor.finding import Finding, Level
from pinghome_common.events.ping import Batch, Ping
from running import TOKEN, Platform, command, descendants, free_port, up

pytestmark = pytest.mark.timeout(600)

REGION = "ab-nowhere-1"


@pytest.fixture(scope="module")
async def platform(folder: Path) -> AsyncIterator[Platform]:
    async with up(folder / "examined", bootstrap_token=TOKEN) as running:
        yield running


async def run(platform: Platform, *words: str, **settings: str) -> tuple[int, str]:
    environment = platform.environment | {f"PINGHOME_{name.upper()}": value for name, value in settings.items()}
    status, said, complaint = await command(*words, environment=environment)
    return status, said + complaint


async def found(platform: Platform, **settings: str) -> list[Finding]:
    """What is not well, without a process of its own; SETTINGS in capitals are variables that are not ours."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in platform.environment.items():
            patch.setenv(name, value)
        for name, value in settings.items():
            patch.setenv(name if name.isupper() else f"PINGHOME_{name.upper()}", value)
        bad = [it for it in await look([], quiet=True) if it.level is not Level.OK]
    assert all(it.do for it in bad)
    return bad


async def healthy(platform: Platform) -> None:
    """Waits until it has recovered."""
    await eventually(lambda: found(platform), lambda bad: not bad, 120)


@asynccontextmanager
async def admin(platform: Platform) -> AsyncIterator[Nats]:
    url = json.loads((platform.data / "run.json").read_text())["nats_url"]
    client = await nats.connect(url, inbox_prefix=b"_INBOX_admin")
    try:
        yield client
    finally:
        await client.close()


async def api(client: Nats, subject: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await client.request(f"$JS.API.{subject}", json.dumps(body).encode() if body else b"", timeout=5)
    return json.loads(answer.data)


def server(platform: Platform, name: str) -> int:
    """The process of one of the platform's servers."""
    [pid] = [it for it in descendants(platform.process.pid) if name in Path(f"/proc/{it}/cmdline").read_text()]
    return pid


async def test_a_healthy_platform_gets_no_advice(platform):
    await healthy(platform)
    status, said = await run(platform, "doctor")
    assert status == 0
    assert "0 warnings, 0 problems" in said
    for part in (
        "postgresql: version",
        "nats: version",
        "stream TELEMETRY",
        "regions: eu-central-1",
        "disk:",
        "clock:",
    ):
        assert part in said, said


async def test_a_broker_that_hangs_is_named(platform):
    os.kill(pid := server(platform, "nats-server"), signal.SIGSTOP)
    try:
        status, said = await run(platform, "doctor", "--json")
        assert status == 2
        assert any(it["part"] == "nats" and "cannot be asked" in it["says"] for it in json.loads(said))
    finally:
        os.kill(pid, signal.SIGCONT)
    await healthy(platform)


async def test_a_stream_that_is_gone_or_has_other_settings_is_named_and_so_is_one_that_is_full(platform):
    async with admin(platform) as client:
        info = await api(client, "STREAM.INFO.TELEMETRY")
        limited = info["config"] | {"max_bytes": int(info["state"]["bytes"] / 0.9), "max_age": 10**18}
        try:
            assert "error" not in await api(client, "STREAM.UPDATE.TELEMETRY", limited)
            bad = await found(platform)
            assert any(it.part == "stream TELEMETRY" and "max_age" in it.says for it in bad), bad
            limited["max_age"] = info["config"]["max_age"]
            assert "error" not in await api(client, "STREAM.UPDATE.TELEMETRY", limited)
            status, said = await run(platform, "doctor", "--json")
            levels = [it["level"] for it in json.loads(said)]
            assert any(it["part"] == "stream TELEMETRY" and "full to" in it["says"] for it in json.loads(said)), said
            assert status == (2 if Level.PROBLEM in levels else 1)  # it goes on filling
        finally:
            assert "error" not in await api(client, "STREAM.UPDATE.TELEMETRY", info["config"])

        assert (await api(client, "STREAM.DELETE.SCHEDULES"))["success"]
        bad = await found(platform)
        assert any(it.part == "stream SCHEDULES" and "not found" in it.says for it in bad), bad
    os.kill(server(platform, "nats-server"), signal.SIGKILL)  # it is made at the next connection
    await healthy(platform)


async def test_dead_letters_are_named(platform):
    async with admin(platform) as client:
        batch = Batch(uuid4().bytes, 1, [Ping(b"no id", b"of nothing", 1)])
        await client.jetstream().publish("telemetry.ping.test", msgspec.msgpack.encode(batch))
    bad = await eventually(lambda: found(platform), lambda it: len(it) == 3)
    assert {it.part for it in bad} == {"resource_cmd", "resource_query", "statistic_query"}
    assert all("dead letters" in it.says and "dead-letters list" in it.do for it in bad)
    await platform.command("dead-letters", "drop", "all")
    await healthy(platform)


async def test_secrets_that_others_can_read_are_named(platform):
    path = platform.data / "keys.json"
    path.chmod(0o644)
    [bad] = await found(platform)
    assert (bad.part, bad.do) == ("files", f"chmod 600 {path}")
    status, said = await run(platform, "doctor", "--json")
    assert status == 2
    assert [it["do"] for it in json.loads(said) if it["level"] == "problem"] == [bad.do]
    path.chmod(0o600)
    platform.data.chmod(0o777)
    [bad] = await found(platform)
    assert bad.do == f"chmod go-w {platform.data}"
    platform.data.chmod(0o711)
    await healthy(platform)


async def test_a_region_that_is_silent_is_named(platform):
    status, said = await run(platform, "prober", "add", REGION)
    assert status == 0, said
    bad = await eventually(lambda: found(platform), bool)
    assert [it.part for it in bad] == ["regions"]
    assert REGION in bad[0].says
    assert (await run(platform, "prober", "remove", REGION))[0] == 0
    await healthy(platform)


async def test_the_certificate_of_the_public_address_and_the_mail_server_are_looked_at(platform, folder):
    root = Authority("root of the doctor's tests")
    trusted = folder / "doctor-root.pem"
    trusted.write_bytes(pem(root.certificate))
    for days, word in ((2, "expires in 1 days"), (10, "expires in 9 days"), (-1, "clients refuse")):
        async with listening(tls=root.context(folder, days=days)) as site:
            url = site.url.replace("127.0.0.1", "localhost")
            [bad] = await found(platform, url=url, SSL_CERT_FILE=str(trusted))
            assert bad.part == "certificate"
            assert word in bad.says
    sender = "pinghome@example.com"
    [bad] = await found(platform, smtp_url=f"smtp://127.0.0.1:{free_port()}", mail_from=sender)
    assert bad.part == "mail"
    async with mail_sink() as sink:
        assert await found(platform, smtp_url=f"smtp://127.0.0.1:{sink.port}", mail_from=sender) == []


async def test_it_works_while_the_platform_is_down_and_says_so_first(platform):
    platform.process.kill()
    await platform.process.wait()
    status, said = await run(platform, "doctor")
    assert status == 2
    assert said.startswith("problem  platform: Pinghome is not running on")
    assert "ok       disk" in said
    (platform.data / "run.json").unlink()
    [bad] = await found(platform)
    assert (bad.part, bad.do) == ("platform", "Start it with `pinghome up`.")
