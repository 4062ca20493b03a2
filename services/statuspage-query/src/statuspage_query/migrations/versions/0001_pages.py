"""Status pages, and the states of what their components follow."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE checkpoint (stream text PRIMARY KEY, seq bigint NOT NULL);
CREATE TABLE dead_letter (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    worker text NOT NULL, key text NOT NULL, subject text NOT NULL, body bytea NOT NULL, error text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(), sent_at bigint NOT NULL DEFAULT 0,
    attempts int NOT NULL DEFAULT 1, replay boolean NOT NULL DEFAULT false, UNIQUE (worker, key)
);
CREATE TABLE statuspage (id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL);
CREATE INDEX statuspage_of ON statuspage (organisation);
CREATE TABLE component (
    id uuid PRIMARY KEY, page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE
);
CREATE INDEX component_of ON component (page);

-- What was set by hand, from when on.
CREATE TABLE component_change (
    component uuid NOT NULL REFERENCES component ON DELETE CASCADE, at timestamptz NOT NULL, status text NOT NULL,
    PRIMARY KEY (component, at)
);

-- Monitors, heartbeats and servers of all organisations, and their states.
CREATE TABLE followed (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, status text NOT NULL
);
CREATE TABLE followed_change (
    followed uuid NOT NULL REFERENCES followed ON DELETE CASCADE, version int NOT NULL,
    at timestamptz NOT NULL, status text NOT NULL, PRIMARY KEY (followed, version)
)
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        op.execute(statement)
