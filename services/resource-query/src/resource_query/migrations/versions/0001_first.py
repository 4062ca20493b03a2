"""The tables of the first release."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE service (id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL);
CREATE INDEX service_of ON service (organisation, id);

CREATE TABLE resource (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, service uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX resource_of ON resource (organisation, service, id);

-- The last observation of each monitor in each region; times are UNIX microseconds.
CREATE TABLE view (
    resource uuid NOT NULL, region text NOT NULL, slot bigint NOT NULL, checked_at bigint NOT NULL,
    state text NOT NULL, response_time real, error text NOT NULL, PRIMARY KEY (resource, region)
) WITH (fillfactor = 70);

CREATE TABLE heartbeat (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, service uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL
);
CREATE INDEX heartbeat_of ON heartbeat (organisation, service, id);

CREATE TABLE vitals (
    heartbeat uuid PRIMARY KEY REFERENCES heartbeat ON DELETE CASCADE, version int NOT NULL,
    status text NOT NULL, changed_at bigint NOT NULL, reason text NOT NULL,
    last_ping bigint, last_event bigint, last_start bigint, last_duration double precision,
    n_pings bigint NOT NULL, position bigint NOT NULL, alert_after bigint
) WITH (fillfactor = 70);
CREATE TABLE checkpoint (stream text PRIMARY KEY, seq bigint NOT NULL);
CREATE TABLE dead_letter (
    stream text NOT NULL, seq bigint NOT NULL, subject text NOT NULL, body bytea NOT NULL,
    error text NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (stream, seq)
);
CREATE TABLE seen (boot uuid PRIMARY KEY, applied int8multirange NOT NULL, at timestamptz NOT NULL DEFAULT now());
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
