"""Much data for every service's database: rows that the services have written themselves, multiplied by SQL.

What is there of each noun is the pattern: its copies differ in ids, names, owners and times. Ids are the same in all
databases, so that what belongs together does so everywhere.
"""

# ruff: noqa: S608  # our own words

import re
from dataclasses import dataclass

import asyncpg

MINE = 4
"""Of ten things of a kind, how many the first organisation has in its first service."""


@dataclass(frozen=True)
class Patterns:
    """The first organisation, its first service, and one thing of each kind, to which a tenth of all belongs."""

    organisation: str
    service: str
    resource: str
    heartbeat: str
    server: str
    page: str
    incident: str
    component: str


KINDS = [
    *("organisation", "service", "resource", "heartbeat", "server", "channel", "key", "notification", "integration"),
    *("page", "component", "incident", "update", "maintenance", "template", "recurrence", "metric", "custom_metric"),
    *("subscription", "other", "event"),
]


_WORDS = re.compile(rf"\b((?:{'|'.join(KINDS)})_id|organisation|service|page|of_[a-z]+|ago)\(")


def words(sql: str) -> str:
    """SQL in which `heartbeat_id(g)` and its like are known, and `FROM g(5)` has the numbers from 1 to 5."""
    return re.sub(r"FROM g\((\d+)\)", r"FROM generate_series(1, \1) g", _WORDS.sub(r"pg_temp.\1(", sql))


async def prepare(connection: asyncpg.Connection, it: Patterns, n: int) -> None:
    """Makes the words in which copies are described, for this connection; `n` things are monitored in all."""
    numbers = {kind: number for number, kind in enumerate(KINDS)}
    for kind, number in numbers.items():
        await connection.execute(
            f"CREATE FUNCTION pg_temp.{kind}_id(g bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS"
            f" $$ SELECT ('01900000-{number:04x}-7000-8000-' || lpad(to_hex(g), 12, '0'))::uuid $$"
        )
    owners = [("organisation", "organisation", it.organisation, 9), ("service", "service", it.service, 9)]
    owners += [("page", "page", it.page, n // 50)]
    for name, kind, mine, others in owners:
        await connection.execute(
            f"CREATE FUNCTION pg_temp.{name}(g bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS"
            f" $$ SELECT CASE WHEN g % 10 < {MINE} THEN '{mine}'::uuid ELSE pg_temp.{kind}_id(1 + g % {others}) END $$"
        )
    many = {"resource": n * 4 // 10, "heartbeat": n // 2, "server": n // 25, "incident": n // 5, "component": n // 5}
    for kind, count in many.items():
        await connection.execute(
            f"CREATE FUNCTION pg_temp.of_{kind}(g bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS"
            f" $$ SELECT CASE WHEN g % 10 = 0 THEN '{getattr(it, kind)}'::uuid"
            f" ELSE pg_temp.{kind}_id(1 + g % {count}) END $$"
        )
    await connection.execute(
        "CREATE FUNCTION pg_temp.ago(g bigint) RETURNS timestamptz STABLE LANGUAGE sql AS"
        " $$ SELECT now() - g * interval '7 seconds' $$"
    )


async def copy(
    connection: asyncpg.Connection, table: str, n: int, where: str = "true", /, like: str = "", **changed: str
) -> None:
    """Adds `n` copies of a row of a table, or of one that is `like` it.

    `changed` has SQL for columns of the copy number `g` of the pattern `p`.
    """
    columns = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attgenerated = '' AND attidentity <> 'a' ORDER BY attnum",
        table,
    )
    names = [f'"{row["attname"]}"' for row in columns]
    values = [words(changed.get(row["attname"], f'p."{row["attname"]}"')) for row in columns]
    done = await connection.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)}"
        f" FROM (SELECT * FROM {like or table} WHERE {where} LIMIT 1) p, generate_series(1, {n}) g"
        " ON CONFLICT DO NOTHING"
    )
    assert int(done.rpartition(" ")[2]) >= n // 2, (table, done)


def state(**members: str) -> str:
    """SQL: the pattern's state with other members."""
    return f"p.state || jsonb_build_object({', '.join(f'{name!r}, {value}' for name, value in members.items())})"
