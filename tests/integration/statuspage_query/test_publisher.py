"""What keeps the pages in memory: one that cannot be read costs no other, and is seen."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from conftest import fresh_database
from contract.target import eventually
from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.events import Event, decode, encode
from pinghome_common.items import Item
from statuspage_query.public.changes import Changes
from statuspage_query.public.material import Material
from statuspage_query.public.publisher import Publisher
from statuspage_query.public.snapshot import Snapshot
from statuspage_query.response_times import EVERY, PLACES
from unit.statuspage_cmd.made import page


async def test_a_page_that_cannot_be_read_stays_as_it_was_and_costs_no_other(servers, tmp_path):
    async with Database(await fresh_database(servers, "statuspage_query")) as db:

        async def execute(statement: str, *values: object) -> None:
            async with db.connection() as connection:
                await connection.execute(statement, *values)

        pages = [page(id=uuid4(), subdomain=name) for name in ("one", "two", "three")]
        for it in pages:
            await execute("INSERT INTO statuspage VALUES ($1, $2, 1, $3)", it.id, it.organisation, encode(it).decode())
        publisher = Publisher(Snapshot(tmp_path))
        running = asyncio.create_task(publisher.run(db, lambda: True))

        async def shown() -> dict[str, str]:
            return {name: it.material.page.name for name, it in publisher.by_subdomain.items()}

        async def rename(*names: str, **more: str) -> None:
            for it in pages:
                if it.subdomain in names:
                    await execute(
                        "UPDATE statuspage SET state = state || $2::jsonb WHERE id = $1", it.id, encode(more).decode()
                    )
            publisher.changes.add([it.id for it in pages])

        await eventually(shown, lambda seen: len(seen) == 3)
        before = await shown()
        await rename("two", name="New", created_at="when we were young")
        await rename("one", "three", name="New")
        await eventually(shown, lambda seen: seen == {"one": "New", "two": before["two"], "three": "New"})
        await eventually(publisher.problem, lambda it: it == f"pages that cannot be read: {pages[1].id}")

        await rename("two", created_at="2026-11-27T10:00:00Z")
        await eventually(shown, lambda seen: seen["two"] == "New")
        assert await publisher.problem() is None
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_response_times_are_read_anew_each_five_minutes_and_nothing_else_changes(servers, tmp_path):
    async with Database(await fresh_database(servers, "statuspage_query")) as db:

        async def execute(statement: str, *values: object) -> None:
            async with db.connection() as connection:
                await connection.execute(statement, *values)

        it = page(id=uuid4(), subdomain="one")
        component = it.components[0]
        await execute("INSERT INTO statuspage VALUES ($1, $2, 1, $3)", it.id, it.organisation, encode(it).decode())
        await execute("INSERT INTO followed VALUES ($1, $2, 1, 'operational')", component.resource_id, it.organisation)
        publisher = Publisher(Snapshot(tmp_path))
        running = asyncio.create_task(publisher.run(db, lambda: True))

        async def shown() -> Material | None:
            return publisher.by_subdomain["one"].material if "one" in publisher.by_subdomain else None

        before = await eventually(shown, lambda seen: seen is not None)
        assert before.response_times == {}
        counts = [1] * PLACES
        await execute(
            "INSERT INTO response_day VALUES ($1, $2, $3, $4, 288, 288)",
            component.resource_id, datetime.now(UTC).date(), [float(each) for each in counts], counts,
        )  # fmt: skip
        publisher._measured_at -= EVERY
        publisher.changes.add([])

        after = await eventually(shown, lambda seen: seen.response_times)
        assert after.response_times[component.id].days[-1] == 1
        assert replace(after, response_times={}) == before
        kept = Snapshot(tmp_path).load
        await eventually(lambda: asyncio.to_thread(kept), lambda saved: saved == [after])
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_however_much_changes_at_once_the_other_processes_hear_it(servers):
    async with Database(await fresh_database(servers, "statuspage_query")) as db:
        connection = await db.dedicated_connection()
        ours, theirs = Changes(), Changes()
        await theirs.listen(connection)
        await ours.listen(connection)

        async def apply(_: Connection, __: list[Item]) -> None:
            """It is about who hears of it."""

        pages = [page(id=uuid4()) for _ in range(1000)]
        events = [
            Event(
                type="statuspage.updated", source="x", time=now(), subject=it.id, organisation=it.organisation,
                version=1, actor="x", correlationid="", data=it,
            )
            for it in pages
        ]  # fmt: skip
        items = [Item(1, 0, "x", 0, decode(encode(each))) for each in events]
        async with db.transaction() as tx:
            await ours.watching(apply, followed=False)(tx, items)
            assert theirs.take() == {}  # not before it is committed
        heard: dict[UUID, bool] = {}

        async def all_heard() -> bool:
            heard.update(theirs.take())
            return len(heard) == 1000

        await eventually(all_heard, bool)
        assert heard == {it.id: False for it in pages}
        assert ours.take() == {}  # it knows by `committed`
        ours.committed()
        assert ours.take() == heard
        connection.terminate()
