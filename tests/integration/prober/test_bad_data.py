"""A prober on a real broker: bad jobs and hostile targets cost their own results and nobody else's."""

import asyncio
from ipaddress import ip_network
from uuid import UUID

import msgspec

from conftest import REGIONS, connected
from pinghome_common.events.condition import BODY, Condition
from pinghome_common.events.probe import Job, Result, Results, Verdict
from pinghome_common.guard import Guard
from pinghome_common.stream import Broker, Reader
from prober.anchors import Anchors
from prober.worker import Prober
from resource_cmd.scheduling.streams import make_queue, make_streams
from running import free_port

HOSTILE = {
    "a Latin-1 byte in the host of a redirect": b"HTTP/1.1 302 Found\r\nLocation: http://\xff\xe2\x84\x80.example/\r\n\r\n",
    "NUL in a body": b"HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\na\0b",
    "NUL in a header": b"HTTP/1.1 302 Found\r\nLocation: gopher://a\0b\r\n\r\n",
    "a surrogate in JSON": b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n["\\ud83d\\u0000"]'.replace(b"14", b"16"),
}


async def test_bad_data_costs_its_own_result_alone(broker, tmp_path):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readuntil(b"\r\n\r\n")
            number = int(line.split(b" ", 2)[1][1:])
            writer.write(list(HOSTILE.values())[number] if number < len(HOSTILE) else b"HTTP/1.1 200 OK\r\n\r\n")
        finally:
            writer.close()

    region = REGIONS[0]
    quoting = [Condition(type=BODY, operator="contains", values=["a\0b c"])]
    async with (
        await asyncio.start_server(serve, "127.0.0.1", free_port()) as server,
        Broker(broker.url("resource-cmd"), "resource-cmd") as owner,
        Broker(broker.url(f"prober-{region}"), "prober") as service,
    ):
        port = server.sockets[0].getsockname()[1]
        await connected(owner)
        await connected(service)
        await make_streams(owner, 1, 64 << 20)
        await make_queue(owner, region)
        reader = Reader(owner, "TELEMETRY", ["telemetry.result.>"], 0)
        jobs = [(f"job.{region}.{UUID(int=99)}", b"\xc1 no job")]
        for number in range(len(HOSTILE) + 2):
            job = Job(
                resource=UUID(int=number),
                type="http",
                interval=60,
                url=f"http://127.0.0.1:{port}/{number}",
                conditions=quoting if number < len(HOSTILE) else [],
            )
            jobs.append((f"job.{region}.{job.resource}", msgspec.msgpack.encode(job)))
        await owner.publish([(subject, data, None) for subject, data in jobs])
        prober = Prober(service, region, b"", Guard([ip_network("127.0.0.1/32")]), Anchors([]), tmp_path)
        working = [asyncio.create_task(worker()) for worker in (prober.take, prober.outbox.publish)]
        found: dict[int, Result] = {}
        async with asyncio.timeout(60):
            while len(found) < len(HOSTILE) + 2:
                for message in await reader.take():
                    results = msgspec.msgpack.decode(message.data, type=Results).results
                    found |= {it.resource.int: it for it in results}
            while (await owner.api(f"CONSUMER.INFO.SCHEDULES.prober-{region}"))["num_ack_pending"]:
                await asyncio.sleep(0.05)
        assert not any(worker.done() for worker in working)
        for worker in working:
            worker.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    for number in range(len(HOSTILE)):
        assert found[number].verdict is Verdict.target_fail
        assert "\0" not in found[number].error + found[number].excerpt + found[number].condition
    assert [found[len(HOSTILE) + more].verdict for more in range(2)] == [Verdict.up] * 2
