"""Metrics of pages, and the points of custom ones."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = """
CREATE TABLE metric (
    id uuid PRIMARY KEY, page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE,
    version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX metric_of ON metric (page, id);
CREATE TABLE custom_metric (
    id uuid PRIMARY KEY, page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE,
    version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX custom_metric_of ON custom_metric (page, id);

-- The 1440 minutes of a UTC day, while they are kept, and the figures of its 24 hours. Points may arrive here before
-- the event of their metric, so this refers to none.
CREATE TABLE point_day (
    metric uuid NOT NULL, day date NOT NULL, minutes float8[], counts int[] NOT NULL, sums float8[] NOT NULL,
    least float8[] NOT NULL, most float8[] NOT NULL, PRIMARY KEY (metric, day)
);
CREATE INDEX point_day_old ON point_day (day) WHERE minutes IS NOT NULL;

-- Metrics that are deleted, of which points may still arrive.
CREATE TABLE point_gone (metric uuid PRIMARY KEY);

-- The batches of each start of a gateway that are applied.
CREATE TABLE seen (boot uuid PRIMARY KEY, applied int8multirange NOT NULL, at timestamptz NOT NULL DEFAULT now());
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
