"""The tables that the migration makes are those of the models."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from kernel.db import Database
from kernel.db.base import Base
from operations.duty import models as duty
from operations.services import models as services
from operations.services import usage
from operations.tickets import models as tickets

OURS = {
    one.__tablename__
    for module in (services, tickets, duty, usage)
    for one in vars(module).values()
    if isinstance(one, type) and issubclass(one, Base) and one is not Base
}


def test_the_migration_makes_the_tables_and_indexes_of_the_models(database: Database) -> None:
    assert len(OURS) == 17
    with database.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    told = [str(one) for one in found]
    assert [one for one in told if any(f"'{name}'" in one for name in OURS)] == []
