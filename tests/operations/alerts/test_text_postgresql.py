"""Words in alerts, incidents and tickets on PostgreSQL: what is found is what a plain reading finds, with its index and without."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.orm import Session

from kernel.db import Database, open_database, upgrade
from kernel.detection import Detection
from operations.alerts import listing, service
from operations.alerts.schema import AlertFilter
from operations.audit.schema import SYSTEM
from operations.incidents.listing import list_incidents
from operations.incidents.models import Incident
from operations.incidents.record import create_incident
from operations.incidents.schema import IncidentFilter, NewIncident
from tests.postgresql_server import running_postgresql

TITLES = ("门户网站入侵检测告警", "Portal defaced by 网页后门", "VPN brute force", "50% of _cameras_ silent", "Ｖ fullwidth")
SEARCHES = (
    "网站入侵",
    "网关",
    "入侵",
    "portal",
    "PORTAL by",
    "50%",
    "_cameras_",
    "ra",
    "force vpn",
    "zebra",
    "ｖ",
    "c:\\temp",
    "%",
)
Make = Callable[..., Detection]


@pytest.fixture(scope="module")
def server(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgresql(shared, tmp_path_factory.mktemp("postgresql")) as url:
        yield url


@contextmanager
def a_database(server: str, name: str, *, extension: bool) -> Iterator[Database]:
    """One of an account that may make tables; ``extension``: and extensions."""
    url = make_url(server)
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
        admin.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
        if extension:
            admin.execute(f"GRANT CREATE ON DATABASE {name} TO {name}")
    own = url.set(database=name)
    with psycopg.connect(own.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True) as admin:
        admin.execute(f"GRANT ALL ON SCHEMA public TO {name}")
    database = open_database(own.set(username=name, password=name).render_as_string(hide_password=False))
    upgrade(database)
    yield database
    database.close()


def filled(database: Database, make: Make) -> None:
    dice = random.Random(5)
    detections = [
        make(rule=f"rule-{number}", host=f"host{number}", process__name=dice.choice((*TITLES, "C:\\Temp\\工具箱.exe")))
        for number in range(120)
    ]
    with database.write() as session:
        service.record_detections(session, detections)
        for number in range(60):
            create_incident(session, SYSTEM, NewIncident(f"{dice.choice(TITLES)} {number}"))


@pytest.mark.parametrize("extension", [True, False])
def test_words_find_what_a_plain_reading_finds(server: str, make: Make, extension: bool) -> None:
    with a_database(server, f"words_{extension}".lower(), extension=extension) as database:
        filled(database, make)
        with database.read() as session:
            assert len(indexes(session)) == (3 if extension else 0)
            bodies: dict[int, str] = dict(session.execute(text("SELECT rowid, body FROM alert_text")).tuples().all())
            titles = {row.id: f"{row.number} {row.title}".lower() for row in session.execute(select(Incident)).scalars()}
            for search in SEARCHES:
                words = search.lower().split()
                wanted = {number for number, body in bodies.items() if all(word in body for word in words)}
                where = AlertFilter(text=search)
                assert {alert.id for alert in service.list_alerts(session, where, limit=500).alerts} == wanted, search
                assert listing.count_alerts(session, where).count == len(wanted), search
                wanted = {number for number, title in titles.items() if all(word in title for word in words)}
                assert {one.id for one in list_incidents(session, IncidentFilter(text=search), limit=200).incidents} == wanted, (
                    search
                )


def test_the_statements_fit_the_indexes(server: str, make: Make) -> None:
    """Of the expressions that are sought, the indexes have exactly the same."""
    with a_database(server, "plans", extension=True) as database:
        filled(database, make)
        with database.read() as session:
            only_by_words(session)
            asked: list[str] = []
            for search, name in ((AlertFilter(text="portal"), "alert_text"), (IncidentFilter(text="portal"), "incidents_title")):
                before = uses(session, name)
                if isinstance(search, AlertFilter):
                    service.list_alerts(session, search)
                else:
                    list_incidents(session, search)
                session.rollback()
                only_by_words(session)
                if uses(session, name) > before:
                    asked.append(name)
            assert asked == ["alert_text", "incidents_title"]


def only_by_words(session: Session) -> None:
    """A few rows are read whole quicker than by an index: neither of the two ways to read all titles is to be taken."""
    session.execute(text("SET LOCAL enable_seqscan = off"))
    session.execute(text("SET LOCAL enable_indexonlyscan = off"))


def indexes(session: Session) -> list[str]:
    query = text("SELECT indexname FROM pg_indexes WHERE indexname LIKE '%trigrams' ORDER BY 1")
    return list(session.execute(query).scalars())


def uses(session: Session, name: str) -> int:
    """How often the index was read."""
    session.execute(text("SELECT pg_stat_force_next_flush()"))
    session.execute(text("SELECT pg_stat_clear_snapshot()"))
    query = text("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = :name")
    return int(session.execute(query, {"name": f"ix_{name}_trigrams"}).scalar_one())
