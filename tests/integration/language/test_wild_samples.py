"""No sample of a server, however wild, stops a projection; one dead letter for each bad item."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import fresh_database
from integration.language.test_wild_messages import (
    AT,
    ORGANISATION,
    SERVICES,
    World,
    _says,
    anything,
    number,
    real,
    text,
    wild,
)
from pinghome_common.clock import micros
from pinghome_common.db import Database
from pinghome_common.events.metric import FIELDS, PROCESSES, Figures, Sample
from pinghome_common.events.server_resource import Change, ServerResource, Status, Threshold
from pinghome_common.store import Actor, no_wait
from resource_cmd.evaluation.deadlines import _SILENT, DeadlineWorker
from resource_cmd.servers.store import Servers
from resource_query.lists import Wanted
from resource_query.read import Read

WILD, HONEST = UUID(int=11), UUID(int=12)
THRESHOLDS = [
    Threshold(type=type_, field=field, operator=operator, value=1.0, minutes=0)
    for type_, field in (("cpu-total-usage", "total"), ("network-usage-unified", "sent_bytes"))
    for operator in ("greater-than", "less-than")
]

values = st.lists(st.none() | real, max_size=6)
figures = st.tuples(st.sampled_from([*FIELDS, PROCESSES]) | text, st.just("") | text, values, st.booleans())
near = st.integers(micros(AT) - 10**9, micros(AT) + 10**9)
agent = st.tuples(text, text, text, real | near.map(lambda at: at / 1e6), real)
sample = st.tuples(
    st.just(WILD.bytes) | st.just(uuid4().bytes) | st.binary(max_size=20),
    near | number | anything, near | number | anything, st.sampled_from([0, 10]) | real,
    st.lists(figures, max_size=4) | anything, st.binary(max_size=20) | st.just(b"[" * 9000),
    st.none() | agent | anything,
)  # fmt: skip


def server(id_: UUID) -> ServerResource:
    change = Change(status=Status.pending, previous=None, at=AT, version=1)
    return ServerResource(
        id=id_, organisation=ORGANISATION, service_id=UUID(int=50), name=str(id_), thresholds=THRESHOLDS,
        reboot_alert=True, change=change, created_at=AT, updated_at=AT,
    )  # fmt: skip


@pytest.fixture(params=["resource-cmd", "resource-query"])
async def world(servers, request) -> AsyncIterator[World]:
    name = request.param.replace("-", "_")
    async with Database(await fresh_database(servers, name)) as db:
        async with db.transaction() as tx:
            for id_ in (WILD, HONEST):
                if name == "resource_cmd":
                    await Servers(tx, Actor("test"), no_wait, AT).add(server(id_))
                else:
                    await tx.execute(
                        "INSERT INTO server_resource VALUES ($1, $2, $3, 1, $4)",
                        id_, ORGANISATION, UUID(int=50), msgspec.json.encode(server(id_)).decode(),
                    )  # fmt: skip
        yield World(name, db, SERVICES[request.param]())


async def test_wild_samples_cost_only_themselves(world: World):
    examples: list[Any] = []

    @wild
    @given(st.lists(sample, max_size=4))
    def run(samples: list[Any]) -> None:
        examples.append(samples)

    run()
    boot, at = uuid4().bytes, micros(AT)
    for place, samples in enumerate(examples, 1):
        good = Sample(HONEST.bytes, at + place, at + place, 10, [Figures("cpu-total-usage", "", [float(place)])])
        some = [each for each in samples if _says(each)]
        await world.say(("telemetry.metric.wild", msgspec.msgpack.encode([boot, place, [*some, good]])))
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM dead_letter WHERE key LIKE '%.%'") > 10
        if world.name == "resource_query":
            read = Read(connection, ORGANISATION)
            _, _, heard = await read.server(HONEST)
            assert heard
            assert heard.figures[0].values == [float(len(examples))]
            assert len(await read.servers(Wanted(services=[UUID(int=50)]), 10, 0)) == 2
            return
        assert await connection.fetchval("SELECT seen_at FROM server_runtime WHERE server = $1", HONEST) == at + len(
            examples
        )
        await DeadlineWorker(world.db, lambda: None, 60)._judge_silence(connection, 2**62, 0)
        assert not await connection.fetch(_SILENT, 2**62)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93" * 50_000, b"\xdd\xff\xff\xff\xff"])
async def test_what_is_no_message_is_one_dead_letter(world: World, data: bytes):
    await world.say(("telemetry.metric.wild", data))
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM dead_letter") == 1
