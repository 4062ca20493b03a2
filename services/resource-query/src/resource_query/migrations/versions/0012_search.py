"""What lists are searched by: tags, parts of names, and slugs; the order of an organisation's lists."""

from alembic import op

revision = "0012"
down_revision = "0011"

TAGS = "string_to_array(state->>'tags', ' ')"
SEARCHED = (
    "lower((state->>'name') || E'\\n' || coalesce(state->>'url', '') || E'\\n' || coalesce(state->>'host', '')"
    " || E'\\n' || replace(coalesce(state->>'tags', ''), ' ', E'\\n'))"
)


def upgrade() -> None:
    for extension in ("pg_trgm", "btree_gin"):  # which the owner of a database may make; both come with PostgreSQL
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    for noun in ("resource", "heartbeat", "server_resource"):
        columns = f"organisation, service, ({TAGS}), ({SEARCHED}) gin_trgm_ops"
        op.execute(f"CREATE INDEX {noun}_search ON {noun} USING gin ({columns})")
        op.execute(f"CREATE INDEX {noun}_in ON {noun} (organisation, id)")
    op.execute("CREATE INDEX heartbeat_slug ON heartbeat (service, (state->>'slug'))")
