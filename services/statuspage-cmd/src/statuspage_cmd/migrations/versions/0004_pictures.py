"""Logos and icons that were uploaded."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE picture (
        id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
        page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE
    )""")
