"""The tables of warnings: made by the migration as the models say, and a database with data of before takes them."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import UniqueConstraint, inspect, select, text

from kernel.db import Database, open_database, upgrade
from kernel.db import schema as database_schema
from kernel.db.base import Base
from operations.warnings import models, service
from operations.warnings.schema import Draft
from operations.webhooks.models import WebhookTarget
from tests.operations.warnings.conftest import WRITER

TABLES = sorted(name for name in Base.metadata.tables if name.startswith("warning"))


def test_the_migration_makes_what_the_models_say(database: Database) -> None:
    """On SQLite and, where LIANDUN_TEST_POSTGRESQL names one, on PostgreSQL."""
    assert models.WarningRow.__tablename__ in TABLES
    found = inspect(database.engine)
    for name in TABLES:
        table = Base.metadata.tables[name]
        columns = {column["name"]: bool(column["nullable"]) for column in found.get_columns(name)}
        assert columns == {column.name: bool(column.nullable) for column in table.columns}, name
        assert found.get_pk_constraint(name)["constrained_columns"] == [column.name for column in table.primary_key.columns]
        indexes = {
            index["name"]: index["column_names"] for index in found.get_indexes(name) if not index.get("duplicates_constraint")
        }
        assert indexes == {index.name: [column.name for column in index.columns] for index in table.indexes}, name
        unique = {tuple(sorted(each["column_names"])) for each in found.get_unique_constraints(name)}
        constraints = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
        wanted = {tuple(sorted(column.name for column in each.columns)) for each in constraints}
        assert unique == wanted, name


def test_a_database_of_before_keeps_what_it_has(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    config = Config()
    config.set_main_option("script_location", str(Path(database_schema.__file__).parent / "migrations"))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        columns = "name, url, sealed_secret, min_level, enabled, created_at, created_by, version"
        values = "'hook', 'https://hooks.example.com/', 'x', 'high', 1, '2026-11-01T00:00:00.000000Z', 'alice', 1"
        connection.execute(text(f"INSERT INTO webhook_targets ({columns}) VALUES ({values})"))
        connection.commit()
    upgrade(database)
    with database.write() as session:
        assert session.execute(select(WebhookTarget.name)).scalars().all() == ["hook"]
        assert service.board(session).rows == []
        assert service.create(session, WRITER, Draft(title="x")).id == 1
    database.close()
