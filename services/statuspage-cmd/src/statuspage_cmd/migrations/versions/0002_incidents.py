"""What a page tells of, and the states that open incidents by themselves."""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE TABLE incident (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
    page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE, open boolean NOT NULL, automatic boolean NOT NULL
);
CREATE INDEX incident_of ON incident (page, id);
CREATE INDEX incident_open ON incident (page) WHERE open;
CREATE INDEX incident_automatic ON incident (page, id) WHERE automatic;
CREATE TABLE incident_update (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
    page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE,
    incident uuid NOT NULL REFERENCES incident ON DELETE CASCADE
);
CREATE INDEX incident_update_page ON incident_update (page);
CREATE INDEX incident_update_of ON incident_update (incident, id);
CREATE TABLE template (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
    page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE
);
CREATE INDEX template_of ON template (page);

-- When the clock begins or ends it next; nothing once it has ended.
CREATE TABLE maintenance (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
    page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE, recurrence uuid, due timestamptz
);
CREATE INDEX maintenance_of ON maintenance (page);
CREATE INDEX maintenance_due ON maintenance (due);
CREATE INDEX maintenance_recurrence ON maintenance (recurrence);

-- The next occurrence that is not a maintenance yet; those of each generation have ids of their own.
CREATE TABLE recurrence (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
    page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE, next_at timestamptz, generation int NOT NULL DEFAULT 1
);
CREATE INDEX recurrence_of ON recurrence (page);
CREATE INDEX recurrence_next ON recurrence (next_at);

-- Monitors, heartbeats and servers of all organisations: what they show, and since when.
CREATE TABLE followed (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, status text NOT NULL, at timestamptz NOT NULL
);

-- When the clock looks next for outages of what a page's components follow, and the last of each that was told of.
ALTER TABLE statuspage ADD look_at timestamptz;
CREATE INDEX statuspage_look ON statuspage (look_at);
CREATE TABLE outage_told (
    component uuid PRIMARY KEY, page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE, since timestamptz NOT NULL
);
CREATE INDEX outage_told_of ON outage_told (page);
CREATE TABLE checkpoint (stream text PRIMARY KEY, seq bigint NOT NULL);
CREATE TABLE dead_letter (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    worker text NOT NULL, key text NOT NULL, subject text NOT NULL, body bytea NOT NULL, error text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(), sent_at bigint NOT NULL DEFAULT 0,
    attempts int NOT NULL DEFAULT 1, replay boolean NOT NULL DEFAULT false, UNIQUE (worker, key)
)
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        op.execute(statement)
