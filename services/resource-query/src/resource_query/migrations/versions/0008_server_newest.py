"""The newest figures of servers."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE server_newest (
            server uuid PRIMARY KEY,
            newest bytea NOT NULL
        ) WITH (fillfactor = 70)
    """)
