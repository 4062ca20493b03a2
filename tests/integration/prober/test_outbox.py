"""The outbox on a real broker: results that another process of the same data folder has left behind are sent."""

import asyncio
from uuid import UUID, uuid4

import msgspec

from conftest import REGIONS, connected
from pinghome_common.events.probe import Result, Results, Verdict
from pinghome_common.process_folder import held, process_folder
from pinghome_common.spool import Spool
from pinghome_common.stream import Broker, Queue, Reader
from prober.outbox import Outbox
from resource_cmd.scheduling.streams import make_streams


def results(number: int) -> bytes:
    one = Result(resource=UUID(int=number), slot=1, checked_at=1, interval=60, verdict=Verdict.up)
    return msgspec.msgpack.encode(Results(batch=uuid4(), region=REGIONS[0], results=[one]))


async def test_what_a_prober_that_is_gone_has_spooled_is_sent_by_another_one(broker, tmp_path):
    region = REGIONS[0]
    async with (
        Broker(broker.url("resource-cmd"), "resource-cmd") as owner,
        Broker(broker.url(f"prober-{region}"), "prober") as service,
    ):
        await connected(owner)
        await connected(service)
        await make_streams(owner, 1, 64 << 20)
        with process_folder(tmp_path) as own, process_folder(tmp_path) as other, process_folder(tmp_path) as gone:
            assert [path.name for path in (own, other, gone)] == ["0", "1", "2"]
            for number, folder in enumerate((other, gone)):
                Spool(folder / "spool").append(results(number))
        with process_folder(tmp_path) as own, held(other) as busy:
            assert busy
            queue = Queue(service, "SCHEDULES", f"prober-{region}")
            outbox = Outbox(service, queue, region, own / "spool", 64 << 20, lambda: None)
            working = asyncio.create_task(outbox.adopt())
            reader, found = Reader(owner, "TELEMETRY", ["telemetry.result.>"], 0), []
            async with asyncio.timeout(60):
                while not found or Spool(gone / "spool"):
                    found += await reader.take()
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        (one,) = found
        assert msgspec.msgpack.decode(one.data, type=Results).results[0].resource == UUID(int=1)
        assert Spool(other / "spool")
