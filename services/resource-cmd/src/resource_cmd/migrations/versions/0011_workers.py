"""Dead letters name their workers as these are called now."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("""
        UPDATE dead_letter SET worker = CASE worker
            WHEN 'sweep' THEN 'deadlines' WHEN 'remind' THEN 'reminders' WHEN 'schedule' THEN 'scheduler'
            ELSE worker END
        WHERE worker IN ('sweep', 'remind', 'schedule')
    """)
