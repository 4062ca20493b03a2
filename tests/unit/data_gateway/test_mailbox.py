"""The mailbox and clients that take their time, over real sockets."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from data_gateway.api.healthchecks import mail
from data_gateway.api.healthchecks.mail import MailServer
from data_gateway.ping_intake import PingIntake
from pinghome_common.settings import Settings
from running import free_port


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A mailbox with room for two, silent ones for a second and a half, any for four."""
    for name, value in {"MAX_CONNECTIONS": 2, "IDLE_TIMEOUT": 1.5, "CONNECTION_TIMEOUT": 4.0}.items():
        monkeypatch.setattr(mail, name, value)
    chosen = free_port()
    settings = Settings(smtp_listen=f"127.0.0.1:{chosen}", ping_mail_domain="ping.example.com")
    serving = asyncio.create_task(MailServer(PingIntake(), settings).run())
    async with asyncio.timeout(10):
        while not await answers(chosen):
            assert not serving.done()
    yield chosen
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def answers(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        await asyncio.sleep(0.02)
        return False
    writer.write(b"QUIT\r\n")
    await reader.read()
    writer.close()
    return True


async def test_a_silent_client_is_dropped(port: int):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(20):
        assert (await reader.readline()).startswith(b"220")
        assert await reader.read() == b""
    writer.close()


async def test_a_client_that_always_says_a_little_is_dropped_too(port: int):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    loop = asyncio.get_running_loop()
    begun, said = loop.time(), 0
    try:
        while not reader.at_eof() and loop.time() < begun + 40:
            writer.write(b"NOOP\r\n")
            said += 1
            await asyncio.sleep(0.1)
            await reader.read(100)
    except ConnectionError:
        pass
    assert 3 < loop.time() - begun < 40
    assert said > 5  # it was no silence that ended it
    writer.close()


async def test_one_too_many_is_told_to_come_again(port: int):
    ends = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    for reader, _ in ends:
        assert (await reader.readline()).startswith(b"220")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert (await reader.read()).startswith(b"421")
    for _, each in [*ends, (reader, writer)]:
        each.close()
    async with asyncio.timeout(20):
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            said = await reader.readline()
            writer.close()
            if said.startswith(b"220"):
                break
            await asyncio.sleep(0.05)
