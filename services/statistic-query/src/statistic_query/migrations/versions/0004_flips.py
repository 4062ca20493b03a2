"""The service and unique key of each heartbeat, and when it went up and down."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = """
ALTER TABLE monitor ADD COLUMN service uuid, ADD COLUMN unique_key text;
CREATE INDEX monitor_unique_key ON monitor (unique_key) WHERE unique_key IS NOT NULL;

CREATE TABLE flip (
    heartbeat uuid NOT NULL, version int NOT NULL, at timestamptz NOT NULL, up boolean NOT NULL,
    PRIMARY KEY (heartbeat, version)
);
CREATE INDEX flip_at ON flip (heartbeat, at);

-- Events are projected again, for these columns.
DELETE FROM checkpoint WHERE stream = 'EVENTS'
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
