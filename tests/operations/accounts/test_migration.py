"""A database of before the three powers: its administrator, readers, sessions and keys afterwards."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from kernel.db import open_database, upgrade
from kernel.db import schema as database_schema
from operations.accounts import keys, service

MOMENT = "2026-11-01T00:00:00.000000Z"


def test_old_roles_become_new_ones_and_everybody_logs_in_anew(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    config = Config()
    config.set_main_option("script_location", str(Path(database_schema.__file__).parent / "migrations"))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        for number, role in enumerate(("admin", "analyst", "viewer"), start=1):
            row = {"id": number, "role": role, "at": MOMENT}
            columns = "id, name, name_key, display_name, role, password_hash, active, created_at, password_changed_at"
            values = ":id, :role, :role, '', :role, 'x', 1, :at, :at"
            connection.execute(text(f"INSERT INTO users ({columns}) VALUES ({values})"), row)
        session_columns = "id, user_id, created_at, seen_at, expires_at, address, user_agent"
        connection.execute(
            text(f"INSERT INTO login_sessions ({session_columns}) VALUES ('s', 1, :at, :at, '2099', '', '')"), {"at": MOMENT}
        )
        key_columns = "id, name, prefix, secret_hash, scope, user_id, created_at, expires_at"
        connection.execute(
            text(f"INSERT INTO api_keys ({key_columns}) VALUES (1, 'k', 'ldn_x', :hash, 'write', 1, :at, '2099')"),
            {"at": MOMENT, "hash": keys.token_hash("ldn_old")},
        )
        connection.commit()
    assert upgrade(database) >= "0004"
    with database.read() as session:
        roles = {user.name: user.role for user in service.list_users(session)}
        assert roles == {"admin": "sysadmin", "analyst": "analyst", "viewer": "leader"}
        assert service.missing_powers(session) == ["secadmin", "auditadmin"]
        assert session.execute(text("SELECT count(*) FROM login_sessions")).scalar() == 0
    who = keys.principal_of_key(database, "ldn_old")
    assert who is not None
    assert who.permissions == {
        "platform.read",
        "sources.read",
        "webhooks.manage",
    }  # the alerts it once read are not its owner's any more
