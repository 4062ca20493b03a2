"""The place of each event in EVENTS, so that what a killed broker has lost is published again."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = """
ALTER TABLE events DROP COLUMN published_at, DROP CONSTRAINT events_event_id_key, ADD COLUMN published_seq bigint;
CREATE INDEX events_published ON events (published_seq, id);
DROP TABLE stream_born;
CREATE TABLE stream (name text PRIMARY KEY, created text NOT NULL, reserved bigint NOT NULL);
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)
