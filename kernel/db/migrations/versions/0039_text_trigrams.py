"""Trigram indexes (pg_trgm) of the texts of alerts and the titles of incidents and tickets; PostgreSQL only.

Where the extension is not at hand, or may not be made, texts are read instead: nothing but time is lost. What an administrator runs
to have the indexes later stands in docs/configuration.md; it is what stands here.
"""

from __future__ import annotations

import logging

from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

log = logging.getLogger("alembic.runtime.migration")

_INDEXES = (
    "CREATE INDEX IF NOT EXISTS ix_alert_text_trigrams ON alert_text USING gin (body gin_trgm_ops)",
    "CREATE INDEX IF NOT EXISTS ix_incidents_title_trigrams ON incidents USING gin (lower(number || ' ' || title) gin_trgm_ops)",
    "CREATE INDEX IF NOT EXISTS ix_tickets_title_trigrams ON tickets USING gin (lower(title) gin_trgm_ops)",
)


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError as error:
        log.warning("texts are searched without an index: the extension pg_trgm cannot be made: %s", error.orig)
        return
    for statement in _INDEXES:
        op.execute(statement)
