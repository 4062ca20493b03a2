"""The tables of the first release."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE organisation (id uuid PRIMARY KEY, name text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());

CREATE TABLE key (
    id uuid PRIMARY KEY, organisation uuid NOT NULL REFERENCES organisation, version int NOT NULL, state jsonb NOT NULL,
    hash bytea NOT NULL UNIQUE
);

-- Tokens that must not come back when a restart finds them in the environment.
CREATE TABLE revoked (hash bytea PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());

CREATE TABLE service (id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL);

CREATE TABLE resource (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
    service uuid NOT NULL, name text NOT NULL, status text NOT NULL, interval int NOT NULL, windowed boolean NOT NULL,
    judge_at bigint
);
CREATE INDEX resource_by_name ON resource (organisation, service, name);
CREATE INDEX resource_to_judge ON resource (judge_at) WHERE judge_at IS NOT NULL;

-- What each region last said of each monitor; times are UNIX microseconds.
CREATE TABLE view (
    resource uuid NOT NULL REFERENCES resource ON DELETE CASCADE, region text NOT NULL,
    slot bigint NOT NULL, checked_at bigint NOT NULL, up boolean, since bigint NOT NULL,
    status_code int, error text NOT NULL, PRIMARY KEY (resource, region)
) WITH (fillfactor = 70);

-- Monitors whose schedules in the stream are not yet what they should be.
CREATE TABLE unscheduled (resource uuid PRIMARY KEY, since timestamptz NOT NULL DEFAULT now());

CREATE TABLE heartbeat (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
    service uuid NOT NULL, name text NOT NULL
);
CREATE INDEX heartbeat_by_name ON heartbeat (organisation, service, name);

-- How far each gateway's word goes, for silence is judged no further; and the end of the last gap in its words.
CREATE TABLE gateway (name text PRIMARY KEY, ticked_at bigint NOT NULL, resumed_at bigint NOT NULL);

CREATE TABLE idempotency (
    organisation uuid NOT NULL, key text NOT NULL, request bytea NOT NULL,
    status int, body bytea, version int, created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (organisation, key)
);

CREATE TABLE vitals (
    heartbeat uuid PRIMARY KEY REFERENCES heartbeat ON DELETE CASCADE, version int NOT NULL,
    status text NOT NULL, changed_at bigint NOT NULL, reason text NOT NULL,
    last_ping bigint, last_event bigint, last_start bigint, last_duration double precision,
    n_pings bigint NOT NULL, position bigint NOT NULL, alert_after bigint
) WITH (fillfactor = 70);
CREATE INDEX vitals_alert_after ON vitals (alert_after) WHERE alert_after IS NOT NULL;
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    aggregate uuid NOT NULL,
    version int NOT NULL,
    address text NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    UNIQUE (aggregate, version)
);
CREATE INDEX events_unpublished ON events (id) WHERE published_at IS NULL;
CREATE TABLE stream_born (name text PRIMARY KEY, created text NOT NULL);
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
