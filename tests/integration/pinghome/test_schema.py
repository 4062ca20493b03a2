"""services/*/schema.sql say what the migrations make."""

from pathlib import Path

import asyncpg
import pytest

from conftest import fresh_database
from pinghome import schema
from pinghome.servers import DATABASES

SERVICES = Path(__file__).parents[3] / "services"

each_database = pytest.mark.parametrize("name", DATABASES)


def written(name: str) -> str:
    return (SERVICES / name.replace("_", "-") / "schema.sql").read_text("utf-8")


@each_database
async def test_schema_is_what_the_migrations_make(servers, name):
    assert schema.render(name, await fresh_database(servers, name)) == written(name), "run `make docs`"


@each_database
async def test_schema_makes_the_same_database(servers, name):
    url = await fresh_database(servers)
    connection = await asyncpg.connect(url)
    await connection.execute(written(name))
    await connection.close()
    assert schema.render(name, url) == written(name)
