"""Addresses of channels and integrations that were there before addresses were confirmed count as confirmed."""

from importlib import import_module

from pinghome_delivery.email import Email
from pinghome_delivery.webhook import Webhook

MIGRATION = import_module("resource_cmd.migrations.versions.0009_mail_addresses")


async def test_addresses_that_were_told_before_count_as_confirmed(world):
    await world.channel(Email(to=["Ops@X.test", "me@x.test"]), "email")
    await world.channel(Email(to=["ops@x.test"]), "email")
    await world.channel(Webhook(url="http://127.0.0.1:1/"))
    it = await world.resource()
    await world.integration(it, "email", Email(to=["page@x.test"]))
    async with world.db.connection() as connection:
        await connection.execute(
            'UPDATE channel SET state = jsonb_set(state, \'{shown}\', \'{"to": ["Ops@X.test", "me@x.test"]}\')'
            " WHERE state->>'kind' = 'email'"
        )
        await connection.execute("UPDATE integration SET state = jsonb_set(state, '{integration}', '\"page@x.test\"')")
        await connection.execute("DROP TABLE mail_address")
        for statement in MIGRATION.STATEMENTS.split(";\n"):
            await connection.execute(statement)
        rows = await connection.fetch("SELECT * FROM mail_address ORDER BY address")
    assert [row["address"] for row in rows] == ["me@x.test", "ops@x.test", "page@x.test"]
    assert {row["organisation"] for row in rows} == {world.service.organisation}
    assert all(row["confirmed_at"] and row["due"] is None for row in rows)
