"""The state database: alerts, accounts, audit and everything else that people change (SQLite by default, PostgreSQL by URL)."""

from kernel.db.base import Base
from kernel.db.engine import Database, open_database
from kernel.db.schema import upgrade

__all__ = ["Base", "Database", "open_database", "upgrade"]
