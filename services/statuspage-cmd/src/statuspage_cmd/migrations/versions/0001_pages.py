"""The tables of every command service, and status pages."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL,
    aggregate uuid NOT NULL,
    version int NOT NULL,
    address text NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_seq bigint,
    UNIQUE (aggregate, version)
);
CREATE INDEX events_published ON events (published_seq, id);
CREATE TABLE stream (name text PRIMARY KEY, created text NOT NULL, reserved bigint NOT NULL);
CREATE TABLE idempotency (
    organisation uuid NOT NULL, key text NOT NULL, request bytea NOT NULL,
    status int, body bytea, version int, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (organisation, key)
);
CREATE TABLE statuspage (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
    subdomain text NOT NULL, domain text
);
CREATE UNIQUE INDEX statuspage_subdomain ON statuspage (subdomain);
CREATE UNIQUE INDEX statuspage_domain ON statuspage (domain);
CREATE INDEX statuspage_of ON statuspage (organisation);
CREATE TABLE page_password (
    page uuid PRIMARY KEY REFERENCES statuspage ON DELETE CASCADE, hash text NOT NULL
)
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        op.execute(statement)
