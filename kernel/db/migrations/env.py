"""Alembic environment: runs on the connection that kernel.db.schema hands in."""

from __future__ import annotations

from alembic import context

from kernel.db.base import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
