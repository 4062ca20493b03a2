"""Maintenance of status pages that silences alerts: what pages follow, when it is, and what was not told meanwhile."""

from alembic import op

revision = "0015"
down_revision = "0014"

TABLES = """
CREATE TABLE page (
    id uuid PRIMARY KEY,
    organisation uuid NOT NULL,
    version int NOT NULL,
    followed jsonb NOT NULL  -- what each component follows
);

CREATE TABLE mute (
    maintenance uuid PRIMARY KEY,
    page uuid NOT NULL,
    version int NOT NULL,
    components jsonb NOT NULL,
    begins timestamptz NOT NULL,
    ends timestamptz NOT NULL
);
CREATE INDEX mute_page ON mute (page);

CREATE TABLE muted (
    about uuid PRIMARY KEY,
    organisation uuid NOT NULL,
    noun text NOT NULL
);

-- Pages that there are already are heard of again; what was published on them is told no second time.
DELETE FROM checkpoint WHERE stream = 'STATUS_EVENTS'
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        op.execute(statement)
