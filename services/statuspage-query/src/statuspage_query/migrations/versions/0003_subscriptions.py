"""Subscriptions, and the pages that they are to."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
CREATE TABLE subscription (id uuid PRIMARY KEY, version int NOT NULL, state jsonb NOT NULL);
CREATE TABLE subscribed (
    page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE, created_at timestamptz NOT NULL,
    subscription uuid NOT NULL REFERENCES subscription ON DELETE CASCADE,
    PRIMARY KEY (page, created_at, subscription)
);
CREATE INDEX subscribed_by ON subscribed (subscription)
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        op.execute(statement)
