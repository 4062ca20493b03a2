"""Certificates, domains and their reminders."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from alembic import op
from publicsuffixlist import PublicSuffixList
from sqlalchemy import text

revision = "0003"
down_revision = "0002"

TABLES = """
-- The domain that a monitor's host lies below, the time of what is known of it, and when a first reminder is due.
ALTER TABLE resource ADD COLUMN domain text NOT NULL DEFAULT '', ADD COLUMN domain_checked_at timestamptz,
    ADD COLUMN remind_from timestamptz;
CREATE INDEX resource_to_remind ON resource (remind_from) WHERE remind_from IS NOT NULL;
CREATE INDEX resource_domain ON resource (domain) WHERE domain <> '';
CREATE INDEX resource_untold ON resource (domain) WHERE domain <> '' AND domain_checked_at IS NULL;

-- What registries told of domains; `state` is null until one did. `due` is when to ask, `tries` counts failures.
CREATE TABLE domain (
    name text PRIMARY KEY, suffix text GENERATED ALWAYS AS (substring(name from '[^.]*$')) STORED,
    state jsonb, due timestamptz NOT NULL DEFAULT now(), tries int NOT NULL DEFAULT 0
);
CREATE INDEX domain_due ON domain (suffix, due);

-- Reminders that were sent: each day once for each expiry.
CREATE TABLE reminded (
    resource uuid NOT NULL REFERENCES resource ON DELETE CASCADE, kind text NOT NULL, expires_at timestamptz NOT NULL,
    days int NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (resource, kind, expires_at, days)
);
"""


_NAME = re.compile(r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")


def domain_name(state: dict[str, Any]) -> str:
    """The registered domain of a monitor's host; empty when there is none."""
    target = state["url"] if state["type"] == "http" else state.get("host") or state["url"]
    if "//" not in target:
        target = f"//[{target}]" if target.count(":") > 1 and "[" not in target else f"//{target}"
    try:
        host = (urlsplit(target).hostname or "").encode("idna").decode().lower().rstrip(".")
    except ValueError:
        return ""
    suffixes = PublicSuffixList(only_icann=True, accept_unknown=False)
    return suffixes.privatesuffix(host) or "" if _NAME.fullmatch(host) else ""


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    rows = op.get_bind().execute(text("SELECT id, state::text AS state FROM resource")).all()
    named = [{"id": row.id, "domain": name} for row in rows if (name := domain_name(json.loads(row.state)))]
    if named:
        op.get_bind().execute(text("UPDATE resource SET domain = :domain WHERE id = :id"), named)
