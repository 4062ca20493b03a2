"""What samples change of servers."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE server_runtime (
            server uuid PRIMARY KEY REFERENCES server_resource ON DELETE CASCADE,
            seen_at bigint,
            patience double precision NOT NULL DEFAULT 0,
            alert_after bigint,
            boot_time double precision NOT NULL DEFAULT 0,
            clock_skew double precision NOT NULL DEFAULT 0,
            judged bytea NOT NULL DEFAULT ''
        ) WITH (fillfactor = 70)
    """)
    op.execute("CREATE INDEX server_runtime_alert_after ON server_runtime (alert_after) WHERE alert_after IS NOT NULL")
    op.execute("INSERT INTO server_runtime (server) SELECT id FROM server_resource")
