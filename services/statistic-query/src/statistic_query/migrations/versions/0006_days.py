"""The hours of a day and their sum in one row, so that a month of hours is 30 rows instead of 720."""

from alembic import op

revision = "0006"
down_revision = "0005"

# `hours` is what `rollup.py` packs: 24 times, and then for the whole day, checks, failures, timed (int4), total,
# fastest, slowest (float8, in ms). A page keeps as much room as its rows take: all change in one transaction, in place.
STATEMENTS = """
CREATE TABLE day (
    resource uuid NOT NULL, day date NOT NULL, hours bytea NOT NULL, PRIMARY KEY (resource, day)
) WITH (fillfactor = 50);
CREATE FUNCTION pg_temp.packed(checks int, failures int, timed int, total float8, fastest real, slowest real)
RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
SELECT int4send(coalesce(checks, 0)) || int4send(coalesce(failures, 0)) || int4send(coalesce(timed, 0))
    || float8send(coalesce(total, 0)) || float8send(coalesce(round(fastest::float8 * 1000) / 1000, 'infinity'))
    || float8send(coalesce(round(slowest::float8 * 1000) / 1000, '-infinity'))
$$;
INSERT INTO day
SELECT d.resource, (d.at AT TIME ZONE 'UTC')::date,
    string_agg(pg_temp.packed(h.checks, h.failures, h.timed, h.total, h.fastest, h.slowest), '' ORDER BY hour)
    || pg_temp.packed(d.checks, d.failures, d.timed, d.total, d.fastest, d.slowest)
FROM result_day d CROSS JOIN LATERAL generate_series(d.at, d.at + interval '23 hours', interval '1 hour') AS hour
LEFT JOIN result_hour h ON h.resource = d.resource AND h.at = hour
GROUP BY d.resource, d.at ORDER BY d.at;
DROP TABLE result_hour, result_day;
ALTER TABLE day RENAME TO result_day;
ALTER INDEX day_pkey RENAME TO result_day_pkey
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
