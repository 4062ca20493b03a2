"""Regions and their probers."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE region (
            id uuid PRIMARY KEY,
            organisation uuid NOT NULL,  -- zeros: the platform's own
            version int NOT NULL,
            state jsonb NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE prober (
            region text NOT NULL,
            name text NOT NULL,
            version text NOT NULL,
            monitors int NOT NULL,
            heard_at bigint NOT NULL,
            PRIMARY KEY (region, name)
        )
    """)
