"""Channels and integrations."""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE TABLE channel (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, service uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX channel_of ON channel (organisation, id);

CREATE TABLE integration (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, resource uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX integration_of ON integration (resource, id);
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
