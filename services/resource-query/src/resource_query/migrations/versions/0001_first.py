"""The tables of the first release."""

from alembic import op

from pinghome_common import projection, vitals

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE service (id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL);
CREATE INDEX service_of ON service (organisation, id);

CREATE TABLE resource (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, service uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX resource_of ON resource (organisation, service, id);

-- What each region last said of each monitor; times are UNIX microseconds.
CREATE TABLE view (
    resource uuid NOT NULL, region text NOT NULL, slot bigint NOT NULL, checked_at bigint NOT NULL,
    state text NOT NULL, response_time real, error text NOT NULL, PRIMARY KEY (resource, region)
) WITH (fillfactor = 70);

CREATE TABLE heartbeat (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, service uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX heartbeat_of ON heartbeat (organisation, service, id);
"""


def upgrade() -> None:
    for statement in f"{TABLES}{vitals.TABLE}{projection.TABLES}".split(";\n"):
        if statement.strip():
            op.execute(statement)
