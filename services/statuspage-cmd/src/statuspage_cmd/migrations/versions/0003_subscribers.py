"""Subscriptions, and what subscribers are told."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
CREATE TABLE subscription (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
    pages uuid[] NOT NULL, target bytea NOT NULL, chosen uuid[] NOT NULL, verified boolean NOT NULL
);
CREATE INDEX subscription_of ON subscription USING gin (pages);
CREATE INDEX subscription_target ON subscription (target);
CREATE INDEX subscription_unverified ON subscription (id) WHERE NOT verified;

-- When an address was asked if it wants to be told.
CREATE TABLE asked (target bytea NOT NULL, at timestamptz NOT NULL);
CREATE INDEX asked_of ON asked (target, at);

-- As in resource-cmd, whose channels are here subscriptions.
CREATE TABLE notification (
    id uuid PRIMARY KEY, organisation uuid NOT NULL, version int NOT NULL, state jsonb NOT NULL,
    channel uuid NOT NULL, about uuid NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY, leader uuid, planned timestamptz, due timestamptz, open boolean NOT NULL
);
CREATE INDEX notification_due ON notification (due) WHERE due IS NOT NULL;
CREATE INDEX notification_leader ON notification (leader) WHERE leader IS NOT NULL;
CREATE INDEX notification_next ON notification (channel, place) WHERE open AND planned IS NOT NULL AND due IS NOT NULL;
CREATE INDEX notification_of ON notification (channel, about);
CREATE INDEX notification_planned ON notification (channel, planned);
CREATE INDEX notification_undecided ON notification (channel, due) WHERE open AND planned IS NULL;
CREATE INDEX notification_undecided_of ON notification (channel, place) WHERE open AND planned IS NULL;
CREATE TABLE lease (channel uuid PRIMARY KEY, owner int NOT NULL, until timestamptz NOT NULL)
"""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        op.execute(statement)
