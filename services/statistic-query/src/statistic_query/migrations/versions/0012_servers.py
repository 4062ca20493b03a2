"""Samples of servers and their rollups."""

from alembic import op

revision = "0012"
down_revision = "0011"

COLUMNS = ("cpu", "memory", "swap", "disk_io", "disk_usage", "load", "network")
TYPES = ", ".join(f"{column} float8[]" for column in COLUMNS)
ROLLUP = f"server uuid NOT NULL, at timestamptz NOT NULL, figures int[] NOT NULL, counts int[] NOT NULL, {TYPES}"

STATEMENTS = f"""
-- What pictures need of a server: name, time zone, thresholds.
ALTER TABLE monitor ADD COLUMN settings jsonb;

-- The mounts, disks and interfaces of a server, and the server itself ('') for each metric type.
CREATE TABLE metric_name (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, server uuid NOT NULL, type text NOT NULL, name text NOT NULL,
    seen date NOT NULL, UNIQUE (server, type, name)
);

-- figures are ids of names, negative for counters. Each type's column has the values of its names in that order.
CREATE TABLE sample (
    server uuid NOT NULL, at timestamptz NOT NULL, every real NOT NULL, late real NOT NULL, figures int[] NOT NULL,
    {TYPES}, PRIMARY KEY (server, at)
) PARTITION BY RANGE (at);
COMMENT ON COLUMN sample.every IS 'The interval of the client in seconds; 0 when unknown.';
COMMENT ON COLUMN sample.late IS 'Seconds from its time, by the client, to its receipt, by us.';

-- The values of a name are all averages, then all minima, maxima and last values; counts has its samples.
CREATE TABLE metric_minute ({ROLLUP}, PRIMARY KEY (server, at)) PARTITION BY RANGE (at);
CREATE TABLE metric_hour ({ROLLUP}, PRIMARY KEY (server, at));
CREATE INDEX metric_hour_at ON metric_hour (at);
CREATE TABLE metric_day ({ROLLUP}, PRIMARY KEY (server, at));

-- Minutes (0), hours (1) and days (2) to be computed again.
CREATE TABLE metric_mark (
    level smallint NOT NULL, server uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (level, server, at)
);
CREATE TABLE deleted_server (server uuid PRIMARY KEY);
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
