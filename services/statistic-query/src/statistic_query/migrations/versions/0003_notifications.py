"""The notifications about each monitor."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
CREATE TABLE notification (
    id uuid PRIMARY KEY, about uuid NOT NULL, at timestamptz NOT NULL, version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX notification_of ON notification (about, at)
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
