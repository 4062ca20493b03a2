"""Incidents with their updates, maintenance, recurrences and templates."""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE TABLE incident (
    id uuid PRIMARY KEY, page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE,
    version int NOT NULL, state jsonb NOT NULL, occurred_at timestamptz NOT NULL, resolved_at timestamptz
);
CREATE INDEX incident_of ON incident (page, occurred_at);
CREATE INDEX incident_open ON incident (page) WHERE resolved_at IS NULL;
CREATE TABLE incident_update (
    id uuid PRIMARY KEY, incident uuid NOT NULL REFERENCES incident ON DELETE CASCADE,
    version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX incident_update_of ON incident_update (incident, id);

-- What an incident has given a component, from when on; no status: nothing any more.
CREATE TABLE incident_change (
    incident uuid NOT NULL REFERENCES incident ON DELETE CASCADE, component uuid NOT NULL, at timestamptz NOT NULL,
    status text, PRIMARY KEY (incident, component, at)
);
CREATE INDEX incident_change_of ON incident_change (component);
CREATE TABLE maintenance (
    id uuid PRIMARY KEY, page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE,
    version int NOT NULL, state jsonb NOT NULL,
    scheduled_for timestamptz NOT NULL, ends_at timestamptz NOT NULL, started_at timestamptz, ended_at timestamptz
);
CREATE INDEX maintenance_of ON maintenance (page, scheduled_for);
CREATE INDEX maintenance_open ON maintenance (page) WHERE ended_at IS NULL;
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
