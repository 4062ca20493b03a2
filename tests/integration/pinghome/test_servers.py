"""Real PostgreSQL and NATS: started, stopped, killed and found again."""

import asyncpg
import nats


async def test_a_fresh_database_takes_a_table(database):
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE TABLE t (x int)")
    await connection.close()


async def test_servers_create_the_databases_of_the_services(servers):
    connection = await asyncpg.connect(servers.database_url)
    names = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
    await connection.close()
    assert {"resource_cmd", "resource_query", "statistic_query"} <= names


async def test_broker_keeps_streams(broker):
    client = await nats.connect(broker.url("admin"))
    info = await client.jetstream().add_stream(name="EVENTS", subjects=["events.>"])
    await client.close()
    assert info.config.name == "EVENTS"
