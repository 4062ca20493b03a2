"""Servers."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE server_resource (
            id uuid PRIMARY KEY,
            organisation uuid NOT NULL,
            service uuid NOT NULL,
            version int NOT NULL,
            state jsonb NOT NULL
        )
    """)
    op.execute("CREATE INDEX ON server_resource (organisation, service, id)")
