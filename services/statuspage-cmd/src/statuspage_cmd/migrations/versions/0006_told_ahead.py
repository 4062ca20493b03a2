"""Occurrences of maintenance of which subscribers have not heard ahead."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE maintenance ADD untold boolean NOT NULL DEFAULT false")
    op.execute("""
        UPDATE maintenance SET untold = true
        WHERE recurrence IS NOT NULL AND state->>'status' = 'scheduled' AND due > now() + interval '1 day'
    """)
    op.execute("CREATE INDEX maintenance_untold ON maintenance (due) WHERE untold")
