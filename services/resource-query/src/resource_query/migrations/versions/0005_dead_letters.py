"""Dead letters are single items and can be replayed."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE dead_letter
            DROP CONSTRAINT dead_letter_pkey,
            ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            ALTER COLUMN seq TYPE text,
            ADD COLUMN sent_at bigint NOT NULL DEFAULT 0,
            ADD COLUMN attempts int NOT NULL DEFAULT 1,
            ADD COLUMN replay boolean NOT NULL DEFAULT false
    """)
    op.execute("ALTER TABLE dead_letter RENAME COLUMN stream TO worker")
    op.execute("ALTER TABLE dead_letter RENAME COLUMN seq TO key")
    op.execute("ALTER TABLE dead_letter ADD UNIQUE (worker, key)")
