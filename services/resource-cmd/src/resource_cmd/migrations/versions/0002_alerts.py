"""Channels, integrations and the ledger of deliveries."""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE TABLE channel (id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL);
CREATE INDEX channel_of ON channel (organisation);

-- `key` is the id that the documents show, `target` a fingerprint of the place outside.
CREATE TABLE integration (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
    resource uuid NOT NULL REFERENCES resource ON DELETE CASCADE, key text NOT NULL, type text NOT NULL,
    target bytea NOT NULL, UNIQUE (resource, key), UNIQUE (resource, type, target)
);

-- What channels have to be told, in the order of `place`. `leader` is the notification as which it is sent: itself, or
-- the first of its digest; `planned` is when that was decided. `due` is when it must be looked at, or tried, again;
-- without one it waits for another.
CREATE TABLE notification (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
    channel uuid NOT NULL, about uuid NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY, leader uuid, planned timestamptz, due timestamptz, open boolean NOT NULL
);
CREATE INDEX notification_due ON notification (due) WHERE due IS NOT NULL;
CREATE INDEX notification_open ON notification (channel, place) WHERE open;
CREATE INDEX notification_planned ON notification (channel, planned);
CREATE INDEX notification_leader ON notification (leader) WHERE leader IS NOT NULL;

-- Who is telling a channel something holds it for a while: order within a channel, and nobody waits for a slow one.
-- `owner` is the process id of the worker's connection in the server.
CREATE TABLE lease (channel uuid PRIMARY KEY, owner int NOT NULL, until timestamptz NOT NULL);

CREATE INDEX resource_parent ON resource ((state->>'parent_id')) WHERE state->>'parent_id' IS NOT NULL;
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
