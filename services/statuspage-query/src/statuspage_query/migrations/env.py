"""Alembic's door into this service's database; the URL comes from `pinghome_common.migrate`."""

from alembic import context

from pinghome_common.migrate import run_migrations

run_migrations(context)
