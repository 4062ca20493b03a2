"""Certificates, domains and their reminders."""

import msgspec
from alembic import op
from sqlalchemy import text

from pinghome_common.events.resource import Resource
from resource_cmd.domain import domain_name

revision = "0003"
down_revision = "0002"

TABLES = """
-- The domain that a monitor's host lies below, the time of what is known of it, and when a first reminder is due.
ALTER TABLE resource ADD COLUMN domain text NOT NULL DEFAULT '', ADD COLUMN domain_checked_at timestamptz,
    ADD COLUMN remind_from timestamptz;
CREATE INDEX resource_to_remind ON resource (remind_from) WHERE remind_from IS NOT NULL;
CREATE INDEX resource_domain ON resource (domain) WHERE domain <> '';
CREATE INDEX resource_untold ON resource (domain) WHERE domain <> '' AND domain_checked_at IS NULL;

-- What registries told of domains; `state` is null until one did. `due` is when to ask, `tries` counts failures.
CREATE TABLE domain (
    name text PRIMARY KEY, suffix text GENERATED ALWAYS AS (substring(name from '[^.]*$')) STORED,
    state jsonb, due timestamptz NOT NULL DEFAULT now(), tries int NOT NULL DEFAULT 0
);
CREATE INDEX domain_due ON domain (suffix, due);

-- Reminders that were sent: each day once for each expiry.
CREATE TABLE reminded (
    resource uuid NOT NULL REFERENCES resource ON DELETE CASCADE, kind text NOT NULL, expires_at timestamptz NOT NULL,
    days int NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (resource, kind, expires_at, days)
);
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    rows = op.get_bind().execute(text("SELECT state::text AS state FROM resource")).all()
    found = [msgspec.json.decode(row.state, type=Resource) for row in rows]
    named = [{"id": it.id, "domain": name} for it in found if (name := domain_name(it))]
    if named:
        op.get_bind().execute(text("UPDATE resource SET domain = :domain WHERE id = :id"), named)
