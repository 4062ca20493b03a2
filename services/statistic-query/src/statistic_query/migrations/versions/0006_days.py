"""The hours of a day in one row, so that a month of them is 30 rows on 30 pages and not 720; a day is their sum."""

from alembic import op

revision = "0006"
down_revision = "0005"

# `hours` is what `rollup.py` packs: 24 times checks, failures, timed (int4), total, fastest, slowest (float8, in ms).
# A page keeps as much room as its rows take: all of them change in one transaction, each in place.
STATEMENTS = """
DROP TABLE result_day;
CREATE TABLE result_day (
    resource uuid NOT NULL, day date NOT NULL, hours bytea NOT NULL, PRIMARY KEY (resource, day)
) WITH (fillfactor = 50);
INSERT INTO result_day
SELECT resource, (midnight AT TIME ZONE 'UTC')::date, string_agg(
    int4send(coalesce(checks, 0)) || int4send(coalesce(failures, 0)) || int4send(coalesce(timed, 0))
    || float8send(coalesce(total, 0)) || float8send(coalesce(round(fastest::float8 * 1000) / 1000, 'infinity'))
    || float8send(coalesce(round(slowest::float8 * 1000) / 1000, '-infinity')), '' ORDER BY at)
FROM (SELECT DISTINCT resource, date_trunc('day', at, 'UTC') AS midnight FROM result_hour) AS days
CROSS JOIN LATERAL generate_series(midnight, midnight + interval '23 hours', interval '1 hour') AS at
LEFT JOIN result_hour USING (resource, at)
GROUP BY resource, midnight ORDER BY midnight;
DROP TABLE result_hour
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
