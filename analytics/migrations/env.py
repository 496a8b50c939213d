"""Runs the migrations on the connection that `analytics.storage.database` hands over."""

from __future__ import annotations

from alembic import context

from analytics.storage import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    transactional_ddl=False,  # the caller's transaction holds all of it: an upgrade happens wholly or not at all
)
context.run_migrations()
