"""Response times of the monitors that pages show."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = """
ALTER TABLE component ADD COLUMN monitor uuid;
COMMENT ON COLUMN component.monitor IS 'Whose response times it shows.';
CREATE INDEX component_monitor ON component (monitor);
UPDATE component c SET monitor = (each->>'resource_id')::uuid
FROM statuspage p, jsonb_array_elements(p.state->'components') each
WHERE p.id = c.page AND (each->>'id')::uuid = c.id AND each->>'type' = 'resource'
    AND coalesce((each->>'showcased')::boolean, true);

-- The 288 five minutes of a UTC day: how many milliseconds in all, and how many results.
CREATE TABLE response_day (
    monitor uuid NOT NULL REFERENCES followed ON DELETE CASCADE, day date NOT NULL,
    sums real[] NOT NULL, counts int[] NOT NULL, sum float8 NOT NULL, count int NOT NULL, PRIMARY KEY (monitor, day)
);
CREATE INDEX response_day_old ON response_day (day);

-- The newest result of each region: what is not newer has been counted, or comes too late.
CREATE TABLE response_newest (
    monitor uuid NOT NULL REFERENCES followed ON DELETE CASCADE, region text NOT NULL, slot bigint NOT NULL,
    PRIMARY KEY (monitor, region)
);
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
