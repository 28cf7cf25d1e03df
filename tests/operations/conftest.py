"""A fresh state database per test (copied from one that was migrated once), a first administrator, and a maker of detections."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from kernel.db import Database, open_database, upgrade
from kernel.detection import Detection, MatchedField, detection_id
from operations.accounts import links
from operations.accounts.schema import Principal

PASSWORD = "Correct-Horse-7"
POSTGRESQL = os.environ.get("LIANDUN_TEST_POSTGRESQL", "")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a migrated database with the system administrator ``alice``; each test works on a copy.

    With LIANDUN_TEST_POSTGRESQL=postgresql+psycopg://… (an account that may create databases) the same tests run there.
    """
    if POSTGRESQL:
        _maintain("DROP DATABASE IF EXISTS liandun_template", "CREATE DATABASE liandun_template")
        url = make_url(POSTGRESQL).set(database="liandun_template").render_as_string(hide_password=False)
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.db'}"
    database = open_database(url)
    upgrade(database)
    with database.write() as session:
        token = links.create_setup_token(session)
    assert token
    links.redeem(database, token, "alice", PASSWORD, "192.0.2.1")
    database.close()
    yield url
    if POSTGRESQL:
        _maintain("DROP DATABASE liandun_template")


@pytest.fixture
def database(template: str, tmp_path: Path) -> Iterator[Database]:
    """Migrated, with the system administrator ``alice``."""
    if POSTGRESQL:
        _maintain("DROP DATABASE IF EXISTS liandun_test WITH (FORCE)", "CREATE DATABASE liandun_test TEMPLATE liandun_template")
        url = make_url(template).set(database="liandun_test").render_as_string(hide_password=False)
    else:
        path = tmp_path / "state.db"
        shutil.copy(template.removeprefix("sqlite:///"), path)
        url = f"sqlite:///{path}"
    opened = open_database(url)
    yield opened
    opened.close()


def _maintain(*statements: str) -> None:
    engine = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def alice() -> Principal:
    return Principal(1, "alice", "", "sysadmin", address="192.0.2.1")


@pytest.fixture
def make() -> Callable[..., Detection]:
    """``make(rule=…, host=…, time=…, event_id=…, **more event fields)``."""
    counter = iter(range(1_000_000))

    def build(
        rule: str = "rule-1",
        host: str = "WEB1",
        time: str = "2026-11-23T04:00:00.000000Z",
        level: str = "high",
        engine: str = "sigma",
        event_id: str = "",
        name: str = "",
        tags: list[str] | None = None,
        group: dict[str, str] | None = None,
        **fields: Any,
    ) -> Detection:
        event_id = event_id or f"{next(counter):032x}"
        event: dict[str, Any] = {"@timestamp": time, "event.id": event_id, "event.dataset": "windows.sysmon"}
        if host:
            event["host.name"] = host
        event |= {field.replace("__", "."): value for field, value in fields.items()}
        return Detection(
            id=detection_id(rule, [event_id]),
            rule_id=rule,
            rule_name=name or f"Name of {rule}",
            level=level,
            engine=engine,
            time=time,
            event_ids=[event_id],
            event=event,
            tags=["attack.execution"] if tags is None else tags,
            matched=[MatchedField("process.command_line", "powershell -enc AAAA", "*-enc*", "selection")],
            author="A. Author",
            group=group or {},
        )

    return build
