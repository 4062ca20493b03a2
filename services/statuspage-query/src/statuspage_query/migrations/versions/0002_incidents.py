"""Incidents with their updates, maintenance, recurrences and templates."""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE TABLE incident (
    id uuid PRIMARY KEY, page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE,
    version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX incident_of ON incident (page, id);
CREATE INDEX incident_open ON incident (page) WHERE state->>'status' <> 'resolved';
CREATE TABLE incident_update (
    id uuid PRIMARY KEY, incident uuid NOT NULL REFERENCES incident ON DELETE CASCADE,
    version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX incident_update_of ON incident_update (incident, id);
CREATE TABLE maintenance (
    id uuid PRIMARY KEY, page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE,
    version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX maintenance_of ON maintenance (page, id);
CREATE INDEX maintenance_open ON maintenance (page) WHERE state->>'status' <> 'completed';
CREATE TABLE recurrence (
    id uuid PRIMARY KEY, page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE,
    version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX recurrence_of ON recurrence (page, id);
CREATE TABLE template (
    id uuid PRIMARY KEY, page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE,
    version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX template_of ON template (page, id)
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        op.execute(statement)
