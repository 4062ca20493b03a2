"""Sessions, the codes of one-time links, and organisations as other nouns are."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute("ALTER TABLE key ADD parent uuid REFERENCES key (id), ADD expires_at timestamptz")
    op.execute("CREATE INDEX key_parent ON key (parent, id) WHERE parent IS NOT NULL")
    op.execute("CREATE INDEX key_expires ON key (expires_at) WHERE expires_at IS NOT NULL")
    op.execute("""
        CREATE TABLE sign_in_code (
            hash bytea PRIMARY KEY,
            organisation uuid NOT NULL REFERENCES organisation (id),
            expires_at timestamptz NOT NULL
        )
    """)
    # Version 0 has no event yet: the service makes it at its next start.
    op.execute("ALTER TABLE organisation ADD organisation uuid, ADD version int NOT NULL DEFAULT 0, ADD state jsonb")
