"""Logos and icons that were uploaded."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
    CREATE TABLE picture (
        id uuid PRIMARY KEY, page uuid NOT NULL REFERENCES statuspage ON DELETE CASCADE,
        version int NOT NULL, state jsonb NOT NULL
    )""")
    op.execute("CREATE INDEX picture_of ON picture (page)")
