"""Who has changed what, by month; a checksum of each field, as no value is kept; the names of keys for good."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE audit (
            seq bigint NOT NULL,  -- in the stream of events
            at timestamptz NOT NULL,
            organisation uuid NOT NULL,
            noun text NOT NULL,
            subject uuid NOT NULL,
            version int NOT NULL,
            name text,
            what text NOT NULL,
            actor text NOT NULL,
            kind text,
            fields text[] NOT NULL,
            PRIMARY KEY (subject, version, at)
        ) PARTITION BY RANGE (at)
    """)
    op.execute("CREATE INDEX audit_of ON audit (organisation, seq)")
    op.execute("CREATE INDEX audit_by_people ON audit (organisation, seq) WHERE kind IS DISTINCT FROM 'worker'")
    op.execute("CREATE TABLE audited (subject uuid PRIMARY KEY, version int NOT NULL, checksums jsonb NOT NULL)")
    op.execute("""
        CREATE TABLE actor (
            id uuid PRIMARY KEY,
            organisation uuid NOT NULL,
            name text NOT NULL,
            root uuid,  -- of a session: the key that it goes with
            session boolean NOT NULL
        )
    """)
